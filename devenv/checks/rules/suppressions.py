"""The comments by which findings are left out."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, Place, Severity
from devenv.checks.registry import check, load_rules
from devenv.checks.suppress import UNUSED, find_suppressions


@check("ignore-unknown", Severity.WARNING, "docs/checks.md")
def ignore_unknown(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A comment that leaves findings out names no rule that there is.

    It has no effect, and whoever wrote it thinks that it has. A rule is named as in the output
    of `devenv check`, several with a comma between them.

    Wrong:

        services:
          db:
            image: postgres    # devenv: ignore[image-unpined]

    Right:

        services:
          db:
            image: postgres    # devenv: ignore[image-unpinned] rebuilt every night

    Measured: The name is compared with those of the rules, and of hadolint's.
    """
    known = [rule.name for rule in load_rules()]
    for path, state in facts.files.items():
        for one in find_suppressions(state.text or ""):
            if one.rule in known or one.rule.startswith("hadolint/"):
                continue
            place = Place(path, one.comment_line, one.column)
            if not one.rule:
                yield Fault(
                    "This comment names no rule, so it leaves nothing out.",
                    place,
                    fix="name the rule: # devenv: ignore[RULE] and the reason",
                )
                continue
            near = get_close_matches(one.rule, known, n=1)
            yield Fault(
                f"This comment leaves out {one.rule}, and there is no rule of that name.",
                place,
                fix=f"did you mean {near[0]}?" if near else "devenv check --rules lists them",
            )


@check(UNUSED, Severity.INFO, "docs/checks.md")
def ignore_unused(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A comment leaves out a rule that finds nothing at its line.

    What it was written for is repaired, or the comment stands at the wrong line: it speaks of its
    own line, or, alone on a line, of the next one. Not said for rules that look at the engine, at
    images, at the shell or at files that git does not keep: they may speak on another machine.

    Wrong:

        services:
          db:
            image: postgres:16    # devenv: ignore[image-unpinned] rebuilt every night

    Right:

        services:
          db:
            image: postgres:16

    Measured: Every rule has looked before a comment is called unused; with `--select`, `--ignore`
    or `--profile` nothing is.
    """
    yield from ()  # what is unused is known when all rules have looked: see checks.suppress
