"""Env files that are not in the repository, and the examples that stand for them there."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from devenv.checks.env_scan import at_entry, example_names, scan_env, shown
from devenv.checks.facts import CheckedProfile, Facts, FileKind, FileState
from devenv.checks.finding import Edit, Fault, Place, Severity
from devenv.checks.registry import check
from devenv.compose.env_entries import EntryKind, EnvEntry, EnvFile
from devenv.compose.env_file import parse_env_file

_LISTED = 5


@check("env-example-missing", Severity.WARNING, "common practice; docs/rules")
def env_example_missing(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """`.env` is not in the repository, and nothing there says what it has to hold.

    Whoever clones the project has to guess the names. Quiet outside of a git repository, and
    where `.env` itself is tracked. `--fix` writes `.env.example` with the names and no values.

    Wrong:

        .env        # ignored by git
        compose.yaml

    Right:

        .env        # ignored by git
        .env.example
        compose.yaml

    Measured: A convention, and no failure. Real sample projects either track a `.env` with harmless
    defaults, where this is quiet, or have an example file.
    """
    path = posixpath.join(facts.directory, ".env")
    scan = scan_env(profile, facts)
    if facts.git is None or path in facts.git.tracked or path not in scan.files:
        return
    file = scan.files[path].file
    names = [name for name in file.names() if not name.startswith("[")]
    if not names or any(example for _, example in scan.examples()):
        return
    if any(facts.file(one).kind is not FileKind.MISSING for one in example_names(path)):
        return
    new = posixpath.join(facts.directory, ".env.example")
    yield Fault(
        "No example file in the repository says what .env has to hold.",
        Place(path),
        fix="write .env.example with the names of .env and harmless values",
        edits=(Edit(new, 0, 0, "".join(f"{name}=\n" for name in names)),),
    )


@check("env-example-drift", Severity.WARNING, "common practice; docs/rules")
def env_example_drift(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """An env file and its example do not have the same names.

    A name that the example lacks is one that the next person will not set; one that the env file
    lacks came with a change of others and is missing here. `--fix` adds the names that the
    example lacks, without their values.

    Wrong:

        # .env                # .env.example
        DB_HOST=db            DB_HOST=db
        API_KEY=…

    Right:

        # .env                # .env.example
        DB_HOST=db            DB_HOST=db
        API_KEY=…             API_KEY=

    Measured: Names are compared as Compose reads them from both files; values are not looked at.
    """
    scan = scan_env(profile, facts)
    for path, example in scan.examples():
        reading = scan.files.get(path)
        if reading is None or example == path or example in scan.files:
            continue
        state = facts.file(example)
        own = reading.file
        model = parse_env_file(state.text or "")
        missing = _only_in(own, model)
        if missing:
            yield Fault(
                f"{_list(missing)} {_stands(missing)} in {shown(facts, path)} and not in "
                f"{shown(facts, example)}.",
                at_entry(path, missing[0]),
                fix=f"add {_it(missing)} to {shown(facts, example)}",
                edits=() if model.refused else (_append(example, state, missing),),
            )
        lacking = _only_in(model, own)
        if lacking and not own.refused:
            yield Fault(
                f"{_list(lacking)} {_stands(lacking)} in {shown(facts, example)} and not in "
                f"{shown(facts, path)}.",
                at_entry(example, lacking[0]),
                fix=f"add {_it(lacking)} to {shown(facts, path)}",
            )


def _only_in(one: EnvFile, other: EnvFile) -> list[EnvEntry]:
    """The first entry of each name that only `one` has."""
    known = set(other.names())
    found: dict[str, EnvEntry] = {}
    for entry in one.entries:
        if entry.name and entry.name not in known and entry.kind is EntryKind.ASSIGNMENT:
            found.setdefault(entry.name, entry)
    return list(found.values())


def _append(path: str, state: FileState, missing: Iterable[EnvEntry]) -> Edit:
    text = state.text or ""
    end = "\r\n" if "\r\n" in text else "\n"
    start = "" if not text or text.endswith("\n") else end
    return Edit(
        path, len(text), len(text), start + "".join(f"{entry.name}={end}" for entry in missing)
    )


def _list(found: list[EnvEntry]) -> str:
    names = [entry.name for entry in found]
    if len(names) > _LISTED:
        return f"{', '.join(names[:_LISTED])} and {len(names) - _LISTED} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _stands(found: list[EnvEntry]) -> str:
    return "is" if len(found) == 1 else "are"


def _it(found: list[EnvEntry]) -> str:
    return found[0].name if len(found) == 1 else "them"
