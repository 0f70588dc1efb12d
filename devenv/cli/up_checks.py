"""What the checks say before a start, and whether they stop it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from devenv.checks.finding import Finding, Severity
from devenv.cli.output import paint, print_note
from devenv.cli.session import Session
from devenv.cli.up_options import UpOptions
from devenv.cli.up_output import print_problem
from devenv.compose.graph import resolve_closure
from devenv.state.model import Checks, Problem


def show_checks(session: Session, options: UpOptions) -> bool:
    """Print what the checks say, and whether `up` would start nothing for it."""
    from devenv.cli.check_runner import load_checks

    checks = load_checks(session)
    blocking = find_reasons_against(checks, session, options)
    print_checks(checks, blocking)
    return bool(blocking)


def find_reasons_against(
    checks: Checks, session: Session, options: UpOptions
) -> tuple[Finding, ...]:
    """The findings for which this start would fail."""
    from devenv.checks.blocking import find_blocking

    wanted = resolve_closure(session.project, options.services or session.project.services)
    profile = session.files.choice.name
    return find_blocking(checks.result, profile, wanted - frozenset(options.without))


def print_checks(checks: Checks, blocking: Sequence[Finding]) -> None:
    """The findings that stop the start, in full; the others as one line."""
    from devenv.checks.finding import CheckResult
    from devenv.host.check_files import load_state
    from devenv.report.finding_paths import FindingPaths
    from devenv.report.findings.text import render
    from devenv.values import replace

    if blocking:
        places = [finding.place for finding in blocking]
        places += [one.place for finding in blocking for one in finding.related]
        texts = {place.path: load_state(place.path) for place in places}
        shown = render(
            CheckResult(tuple(blocking)),
            FindingPaths(checks.directory, texts),
            paint=lambda text, colour: paint(text, colour, sys.stderr),
        )
        print_note(shown.rstrip("\n"))
        print_problem(replace(refusal(blocking), excerpt=()))
        return
    counts = [(checks.result.count(s), s.value) for s in (Severity.ERROR, Severity.WARNING)]
    words = [f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count]
    if words:
        print_note(f"{' and '.join(words)} found by the checks: devenv check shows them.")


def refusal(blocking: Sequence[Finding]) -> Problem:
    """Why nothing is started."""
    what = "an error that makes" if len(blocking) == 1 else f"{len(blocking)} errors that make"
    return Problem(
        f"Nothing was started: the checks found {what} the start fail.",
        fix="repair it, or start all the same with --no-checks",
        excerpt=tuple(f"{finding.rule}: {finding.message}" for finding in blocking[:3]),
    )
