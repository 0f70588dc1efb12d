"""What the ignore file keeps out of a build context."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from devenv.checks.builds import BuildView, find_builds, find_ignore_file
from devenv.checks.facts import CheckedProfile, Facts, FileKind
from devenv.checks.finding import Edit, Fault, Place, Severity
from devenv.checks.registry import check
from devenv.compose.dockerfile import Instruction
from devenv.compose.dockerignore import IgnoreFile

_WHOLE_CONTEXT = (".", "./", "/", "*")
_ALWAYS = (".git", ".env", "node_modules", ".venv", "venv", "__pycache__", "vendor/bundle")
_IMPLIED = {"package.json": "node_modules"}


def _whole_copy(view: BuildView) -> Instruction | None:
    """The first instruction of the stages in use that copies the whole context."""
    dockerfile, target = view.dockerfile, view.target
    if dockerfile is None or target is None:
        return None
    for stage in dockerfile.closure(target, view.build.args, view.build.additional_contexts):
        for source in stage.sources():
            one = source.instruction
            whole = any(path in _WHOLE_CONTEXT for path in source.paths)
            if whole and source.origin is None and one.name != "RUN":
                return one
    return None


def _unwanted(view: BuildView, ignore: IgnoreFile | None) -> list[str]:
    """What of the context should not be sent and is, or would be once it is made."""
    entries = set(view.context.entries)
    wanted = [name for name in _ALWAYS if name in entries]
    wanted += [folder for manifest, folder in _IMPLIED.items() if manifest in entries]
    unique = dict.fromkeys(wanted)
    return [name for name in unique if ignore is None or not ignore.excludes(name)]


@check("dockerignore-missing", Severity.WARNING, "Dockerfile reference: .dockerignore")
def dockerignore_missing(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """The whole context is copied, and no ignore file leaves anything out.

    `COPY . .` then takes the git history, the `.env` file and the host's own dependency folders
    along: images grow, the cache is lost at every commit, and secrets are shipped.

    Wrong:

        COPY . .            # and there is no .dockerignore

    Right:

        # .dockerignore
        .git
        .env
        node_modules

    Measured: Which files a pattern leaves out was held against real builds. hadolint 2 does not
    look at ignore files.
    """
    for view in find_builds(profile, facts):
        if view.context.kind is not FileKind.DIRECTORY or find_ignore_file(view, facts):
            continue
        copy = _whole_copy(view)
        unwanted = _unwanted(view, None)
        if copy is None or not unwanted:
            continue
        path = posixpath.join(view.build.context, ".dockerignore")
        yield Fault(
            f"The whole context is copied, {_listed(unwanted)} included: there is no "
            ".dockerignore.",
            view.at(copy),
            fix=f"a .dockerignore with {_listed(unwanted)}",
            edits=(Edit(path, 0, 0, "".join(f"{name}\n" for name in unwanted)),),
            service=view.service.name,
            is_shared=True,
        )


@check("dockerignore-incomplete", Severity.WARNING, "Dockerfile reference: .dockerignore")
def dockerignore_incomplete(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """The ignore file leaves in what should not be copied with the whole context.

    Looked for are the git history, `.env`, and dependency folders that are there or will be.
    Unlike in git, a pattern is anchored at the root of the context.

    Wrong:

        # .dockerignore, with COPY . . and a package.json
        *.log

    Right:

        *.log
        .git
        node_modules

    Measured: The patterns are read as the builder reads them: each of some 200 ignore files gave
    the same context as a real build. pathspec, which follows git's rules, was wrong for 23 of 50.
    """
    for view in find_builds(profile, facts):
        found = find_ignore_file(view, facts)
        if found is None or view.context.kind is not FileKind.DIRECTORY:
            continue
        path, ignore = found
        unwanted = _unwanted(view, ignore)
        if ignore.fault is not None or not unwanted or _whole_copy(view) is None:
            continue
        text = facts.file(path).text or ""
        end = "\r\n" if "\r\n" in text else "\n"
        start = "" if not text or text.endswith("\n") else end
        added = "".join(f"{name}{end}" for name in unwanted)
        yield Fault(
            f"The whole context is copied, and {_listed(unwanted)} with it.",
            Place(path),
            fix=f"add {_listed(unwanted)}",
            edits=(Edit(path, len(text), len(text), start + added),),
            service=view.service.name,
            is_shared=True,
        )


@check("dockerignore-syntax", Severity.ERROR, "moby/patternmatcher")
def dockerignore_syntax(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """The builder refuses a pattern of the ignore file.

    A bracket that is not closed, a lone `!`, a backslash at the end or before a letter that is no
    escape (a directory separator of Windows), or a control character. The build ends before its
    first step, for every service that is built from this context.

    Wrong:

        [a-

    Right:

        [a-z]*

    Measured: The builder ends with "syntax error in pattern" before the first step. With Engines
    20.10 and 28.5, each of some 200 ignore files was refused where this rule says so, and only
    there.
    """
    for view in find_builds(profile, facts):
        found = find_ignore_file(view, facts)
        if found is not None and found[1].fault is not None:
            yield Fault(
                f"The builder refuses this pattern: {found[1].fault}.",
                Place(found[0], found[1].fault_line, 1),
                service=view.service.name,
                fix="correct the pattern, or take it out",
                severity=view.severity,
            )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
