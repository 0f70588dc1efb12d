"""What the env files of a profile lack, and what they have too much, against example and model.

A key is *needed* where a start without it goes wrong: a Compose file requires it or takes an empty
text for it, or a container asks for it by name and the example has it. Values may be secrets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from devenv.checks.env_inventory import (
    Origin,
    ProfileEnv,
    Reader,
    ReaderKind,
    Variable,
    list_variables,
)
from devenv.checks.env_names import is_mentioned
from devenv.checks.env_scan import EnvScan, Role, at_entry, example_names
from devenv.checks.facts import CheckedProfile, Facts, FileKind
from devenv.checks.finding import Place
from devenv.compose.env_entries import EntryKind, EnvEntry, EnvFault, EnvFaultKind, EnvFile
from devenv.compose.env_file import parse_env_file
from devenv.compose.env_values import read_value
from devenv.compose.secrets import is_secret_name
from devenv.values import dataclass, replace


class KeyState(StrEnum):
    """How a key of an env file differs from what is expected."""

    MISSING = "missing"
    EMPTY = "empty"
    DUPLICATE = "duplicate"
    SAME_AS_EXAMPLE = "same as the example"
    """A secret that everybody who has the repository knows."""
    UNDOCUMENTED = "not in the example"
    EXTRA = "extra"
    """Nothing reads it, and the example does not have it."""


@dataclass(frozen=True, slots=True)
class KeyReport:
    """One difference."""

    name: str
    state: KeyState
    needed: bool = False
    place: Place | None = None
    """In the env file; in the example for a key that is missing here."""
    lines: tuple[int, ...] = ()
    """Of a duplicate: every line that sets it; the last one counts."""
    value: str | None = None
    example_value: str | None = None
    """As the example has it, before interpolation; None where it does not have the key."""
    readers: tuple[Reader, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class FileDiff:
    """An env file against its example and what the model needs of it."""

    path: str
    exists: bool
    example: str | None
    """None where there is no example."""
    keys: tuple[KeyReport, ...] = ()
    required: bool = True
    """Whether Compose refuses to start without the file."""
    faults: tuple[EnvFault, ...] = ()
    """What makes Compose refuse it."""
    services: tuple[str, ...] = ()
    """Those that read it by `env_file`; empty for the project's own."""


@dataclass(frozen=True, slots=True)
class EnvDiff:
    """All env files of a profile; the project's own `.env` first."""

    profile: str | None
    files: tuple[FileDiff, ...] = ()
    variables: tuple[Variable, ...] = ()

    @property
    def missing(self) -> tuple[KeyReport, ...]:
        """What is needed and not there."""
        return tuple(key for file in self.files for key in file.keys if key.needed)

    @property
    def is_good(self) -> bool:
        """Whether nothing that is needed is missing."""
        broken = any(
            file.faults or (not file.exists and file.required and file.services)
            for file in self.files
        )
        return not self.missing and not broken


def diff_env(
    profile: CheckedProfile, facts: Facts, scan: EnvScan, target: str, profile_env: ProfileEnv
) -> EnvDiff:
    """Every env file of a profile against what is expected; `target` is the path of `.env`."""
    variables = list_variables(profile, facts, scan, profile_env)
    known = {one.name: one for one in variables}
    files = [_diff_own(profile, facts, scan, target, known)]
    services: dict[str, list[str]] = {}
    required: set[str] = set()
    for one in scan.service_files:
        services.setdefault(one.path, []).append(one.service)
        if one.required:
            required.add(one.path)
    for path, names in services.items():
        if path != target:
            files.append(_diff_service(facts, scan, path, path in required, tuple(names), known))
    return EnvDiff(profile.name, tuple(files), variables)


def find_example(facts: Facts, path: str) -> str | None:
    """The example that goes with an env file."""
    for candidate in example_names(path):
        if facts.file(candidate).kind is FileKind.FILE:
            return candidate
    return None


def find_needed(scan: EnvScan) -> dict[str, bool]:
    """Names that a Compose file or an env file needs and that have no value.

    True for those that Compose refuses to start without; the others become an empty text.
    """
    needed: dict[str, bool] = {}
    for use in scan.uses:
        if "healthcheck" in use.keys and not use.reference.is_required:
            continue  # most are meant for the shell in the container
        result = scan.scope_of(use.path).interpolate(use.text)
        if use.reference in result.required:
            needed[use.reference.name] = True
        elif use.reference in result.unset and _is_active(scan, use.service):
            needed.setdefault(use.reference.name, False)
    for reading in scan.readings:
        for fault in reading.resolved.faults:
            if fault.kind is EnvFaultKind.REQUIRED_UNSET:
                needed[fault.name] = True
        if reading.role is Role.INTERPOLATION:
            for unset in reading.resolved.unset:
                needed.setdefault(unset.reference.name, False)
    return needed


def _is_active(scan: EnvScan, service: str | None) -> bool:
    return service is None or service in scan.active_services


def _diff_own(
    profile: CheckedProfile,
    facts: Facts,
    scan: EnvScan,
    target: str,
    known: Mapping[str, Variable],
) -> FileDiff:
    state = facts.file(target)
    file = parse_env_file(state.text or "")
    example = find_example(facts, target)
    example_file = parse_env_file(facts.file(example).text or "") if example else EnvFile()
    example_keys = _last(example_file)
    own = _last(file)
    needed = find_needed(scan)
    keys: list[KeyReport] = []
    for name, is_required in needed.items():
        keys.append(_lacking(name, is_required, known, own, target, example, example_keys))
    for name, entry in example_keys.items():
        if name not in own and name not in needed:
            keys.append(_not_taken_over(name, entry, scan, known.get(name), example))
    passed_on = {one.path for one in scan.service_files}
    for name, entry in own.items():
        value = _value(known.get(name), target, entry)
        readers = known[name].readers if name in known else ()
        in_example = example_keys.get(name)
        base = KeyReport(
            name,
            KeyState.EMPTY,
            place=at_entry(target, entry),
            value=value,
            example_value=read_value(in_example) if in_example else None,
            readers=readers,
        )
        if name not in needed and not value and any(not _has_default(r) for r in readers):
            keys.append(base)
        if value and value == base.example_value and is_secret_name(name):
            keys.append(replace(base, state=KeyState.SAME_AS_EXAMPLE))
        if in_example is None:
            read = target in passed_on or scan.mounts_file(target)
            if not read and not is_mentioned(scan, profile, name):
                keys.append(replace(base, state=KeyState.EXTRA))
            elif example is not None:
                keys.append(replace(base, state=KeyState.UNDOCUMENTED))
    keys += _duplicates(target, file, known)
    faults = tuple(fault for fault in file.faults if fault.refused)
    exists = state.kind is FileKind.FILE
    return FileDiff(target, exists, example, _sorted(keys), required=False, faults=faults)


def _lacking(
    name: str,
    is_required: bool,
    known: Mapping[str, Variable],
    own: Mapping[str, EnvEntry],
    target: str,
    example: str | None,
    example_keys: Mapping[str, EnvEntry],
) -> KeyReport:
    entry = own.get(name)
    in_example = example_keys.get(name)
    variable = known.get(name)
    place = at_entry(target, entry) if entry else None
    if entry is None and example and in_example:
        place = at_entry(example, in_example)
    note = "Compose takes an empty text for it"
    if is_required:
        note = "Compose refuses to start without it"
    winner = variable.winner if variable else None
    if winner is not None and winner.origin is Origin.SHELL:
        note = "the shell sets it to nothing, which wins over every file"
    return KeyReport(
        name,
        KeyState.EMPTY if entry else KeyState.MISSING,
        needed=True,
        place=place,
        value="" if entry else None,
        example_value=read_value(in_example) if in_example else None,
        readers=variable.readers if variable else (),
        note=note,
    )


def _not_taken_over(
    name: str, entry: EnvEntry, scan: EnvScan, variable: Variable | None, example: str | None
) -> KeyReport:
    """A key that the example has and the env file has not."""
    readers = variable.readers if variable else ()
    value = variable.value if variable else None
    winner = variable.winner if variable else None
    note, needed = "", False
    if winner is not None and winner.origin is Origin.SHELL:
        note = "the shell sets it"
    elif winner is not None:
        note = "the profile sets it"
    elif readers and not any(_is_active(scan, one.service) for one in readers):
        note = "only services that are not selected read it"
    elif any(one.kind is ReaderKind.PASSED_ON and _is_active(scan, one.service) for one in readers):
        note, needed = "a container asks for it by name, and gets nothing", True
    elif readers:
        note = "a default takes its place"
    return KeyReport(
        name,
        KeyState.MISSING,
        needed=needed,
        place=at_entry(example, entry) if example else None,
        value=value,
        example_value=read_value(entry),
        readers=readers,
        note=note,
    )


def _diff_service(
    facts: Facts,
    scan: EnvScan,
    path: str,
    required: bool,
    services: tuple[str, ...],
    known: Mapping[str, Variable],
) -> FileDiff:
    """A service's `env_file` against its example; a file of the project is left to the first."""
    state = facts.file(path)
    reading = next((one for one in scan.readings if one.path == path), None)
    file = reading.file if reading else EnvFile()
    example = find_example(facts, path)
    keys: list[KeyReport] = []
    own = _last(file)
    if example and state.kind is FileKind.FILE:
        for name, entry in _last(parse_env_file(facts.file(example).text or "")).items():
            value = read_value(entry)
            here = own.get(name)
            if here is None:
                place = at_entry(example, entry)
                keys.append(KeyReport(name, KeyState.MISSING, place=place, example_value=value))
            elif value and is_secret_name(name) and read_value(here) == value:
                keys.append(
                    KeyReport(
                        name,
                        KeyState.SAME_AS_EXAMPLE,
                        place=at_entry(path, here),
                        value=value,
                        example_value=value,
                    )
                )
    keys += _duplicates(path, file, known)
    faults = tuple(fault for fault in file.faults if fault.refused)
    exists = state.kind is FileKind.FILE
    return FileDiff(path, exists, example, _sorted(keys), required, faults, services)


def _duplicates(path: str, file: EnvFile, known: Mapping[str, Variable]) -> Iterator[KeyReport]:
    lines: dict[str, list[EnvEntry]] = {}
    for entry in file.entries:
        if entry.name and entry.kind is EntryKind.ASSIGNMENT:
            lines.setdefault(entry.name, []).append(entry)
    for name, found in lines.items():
        if len(found) > 1:
            yield KeyReport(
                name,
                KeyState.DUPLICATE,
                place=at_entry(path, found[-1]),
                lines=tuple(entry.line for entry in found),
                value=_value(known.get(name), path, found[-1]),
                note="the last one counts",
            )


def _last(file: EnvFile) -> dict[str, EnvEntry]:
    """The assignment that counts for each name, in the order of their first statements."""
    found: dict[str, EnvEntry] = {}
    for entry in file.entries:
        if entry.name and entry.kind is EntryKind.ASSIGNMENT:
            found[entry.name] = entry
    return found


def _value(variable: Variable | None, path: str, entry: EnvEntry) -> str:
    """The value that a statement gives, after interpolation where that is known."""
    place = at_entry(path, entry)
    settings = list(variable.settings) if variable else []
    for container in variable.containers if variable else ():
        settings += container.settings
    found = next((one.value for one in settings if one.place == place), None)
    return read_value(entry) if found is None else found


def _has_default(reader: Reader) -> bool:
    return reader.operator[-1:] in ("-", "+")


def _sorted(keys: Iterable[KeyReport]) -> tuple[KeyReport, ...]:
    """What is needed first, then by kind, each in the order in which it was found."""
    order = list(KeyState)
    return tuple(sorted(keys, key=lambda key: (not key.needed, order.index(key.state))))
