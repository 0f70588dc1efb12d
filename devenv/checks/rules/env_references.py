"""References in env files to what is not set, or not yet."""

from __future__ import annotations

from collections.abc import Iterator

from devenv.checks.env_scan import EnvReading, at_entry, scan_env
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Edit, Fault, Place, Related, Severity
from devenv.checks.registry import check
from devenv.compose.env_entries import EntryKind, EnvEntry
from devenv.compose.env_values import read_value, references

_SPEC = "compose-go dotenv/parser.go; measured against docker compose config"

_MOST = 100
"""Findings of one rule in one file; a file with more is no env file at all."""


@check("env-dollar", Severity.WARNING, _SPEC)
def env_dollar(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A `$` in a value begins a reference to a name that is not set, and is dropped with it.

    Compose interpolates unquoted and double-quoted values: of `pa$sword` only `pa` is left. It
    warns that a variable is not set, and names no file. Single quotes keep every character.

    Wrong:

        DB_PASSWORD=pa$sword

    Right:

        DB_PASSWORD='pa$sword'

    Measured: `docker compose config` 5.6.1 reads `pa$sword` as `pa` and `p@$$w0rd` as `p@$w0rd`;
    its warning names neither file nor line.
    """
    for reading in scan_env(profile, facts).readings:
        names = set(reading.file.names())
        seen: set[int] = set()
        for one in reading.resolved.unset[:_MOST]:
            if one.reference.name in names or one.entry.start in seen:
                continue
            seen.add(one.entry.start)
            new = _single_quoted(one.entry)
            edit = Edit(reading.path, one.entry.value_start, one.entry.value_end, new or "")
            yield Fault(
                f"A $ in the value of {one.entry.name} refers to a name that is not set, "
                "so Compose drops it and the name.",
                Place(reading.path, one.reference.line, one.reference.column),
                fix="put the value in single quotes, or write $$ for a literal $",
                edits=(edit,) if new and _all_unset(reading, one.entry) else (),
            )


def _all_unset(reading: EnvReading, entry: EnvEntry) -> bool:
    """Whether every `$` of the value is one that is dropped."""
    unset = {one.reference.start for one in reading.resolved.unset if one.entry == entry}
    return all(one.start in unset for one in references(entry))


def _single_quoted(entry: EnvEntry) -> str | None:
    """The value in single quotes with every `$` kept, or None where that cannot be written."""
    value = read_value(entry)
    if "$$" in value or "'" in value or value.endswith("\\"):
        return None
    return f"'{value}'"


@check("env-reference-order", Severity.WARNING, _SPEC)
def env_reference_order(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A value refers to a name that the file sets only further down, or to itself.

    Compose reads from top to bottom, so the reference is empty, or takes its default.

    Wrong:

        DATABASE_URL=postgres://db:${DB_PORT}/shop
        DB_PORT=5432

    Right:

        DB_PORT=5432
        DATABASE_URL=postgres://db:${DB_PORT}/shop

    Measured: `docker compose config` 5.6.1 reads a forward reference, and one to itself, as blank
    unless the shell sets the name.
    """
    for reading in scan_env(profile, facts).readings:
        for entry, reference, later in _forward_references(reading):
            itself = later is entry
            yield Fault(
                f"{entry.name} refers to itself, which is not set here yet."
                if itself
                else f"{entry.name} refers to {reference}, which is set further down, "
                "so it is not set here yet.",
                at_entry(reading.path, entry),
                fix="write the value out" if itself else f"move {reference} above {entry.name}",
                related=()
                if itself
                else (Related(at_entry(reading.path, later), f"{reference} is set here"),),
            )


def _forward_references(reading: EnvReading) -> Iterator[tuple[EnvEntry, str, EnvEntry]]:
    """Entry, name that it refers to too early, and the entry that sets it."""
    if not any("$" in entry.raw for entry in reading.file.entries):
        return
    setting = {
        entry.name: entry
        for entry in reversed(reading.file.entries)
        if entry.kind is EntryKind.ASSIGNMENT
    }
    above: set[str] = set(reading.above)
    for entry in reading.file.entries:
        for name in dict.fromkeys(one.name for one in references(entry) if not one.is_required):
            if name not in above and name not in reading.lookup and name in setting:
                yield entry, name, setting[name]
        above.add(entry.name)


@check("env-passthrough-unset", Severity.WARNING, _SPEC)
def env_passthrough_unset(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A bare name in an env file passes a variable on that the shell does not set.

    Compose takes a line without `=` for a name whose value the shell has, and leaves it out
    where the shell has none. That is how a `[section]` or a stray word is read as well.

    Wrong:

        [database]
        DB_HOST=db

    Right:

        # database
        DB_HOST=db

    Measured: `docker compose config` 5.6.1 leaves a bare name out where the shell does not set it,
    without a word.
    """
    for reading in scan_env(profile, facts).readings:
        above = set(reading.above)
        for entry in reading.file.entries:
            if entry.kind is EntryKind.PASS_THROUGH and not entry.after_quote:
                if entry.name not in above and entry.name not in reading.lookup:
                    yield Fault(
                        f"{entry.name} has no value here and none in the shell, "
                        "so Compose leaves it out."
                        if not entry.name.startswith("[")
                        else "Compose takes this for the name of a variable, and leaves it out.",
                        at_entry(reading.path, entry),
                        fix="make it a comment"
                        if entry.name.startswith("[")
                        else f"write {entry.name}=value, or make the line a comment",
                    )
            else:
                above.add(entry.name)
