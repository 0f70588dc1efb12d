"""What Compose makes of the lines of an env file, where that is not what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devenv.checks.env_scan import EnvReading, EnvScan, Role, at_entry, scan_env, shown
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Edit, Fault, Place, Related, Severity
from devenv.checks.registry import check
from devenv.compose.env_file import (
    EntryKind,
    EnvEntry,
    EnvFault,
    EnvFaultKind,
    QuoteKind,
    parse_env_file,
    read_value,
    references,
)

_SPEC = "compose-go dotenv/parser.go; measured against docker compose config"
_MOST = 100
"""Findings of one rule in one file; a file with more is no env file at all."""
_FIXES = {
    EnvFaultKind.UNTERMINATED_QUOTE: "close the quote",
    EnvFaultKind.BAD_NAME: "use letters, digits, `_`, `.` and `-` in names, and `#` for comments",
    EnvFaultKind.SPACE_IN_NAME: "write NAME=value, with no space in the name",
    EnvFaultKind.NOTHING_EXPORTED: "remove the line",
    EnvFaultKind.BAD_TEMPLATE: "write $${ for a literal ${, or put the value in single quotes",
    EnvFaultKind.EMPTY_NAME: "write NAME=value, and end the last line",
    EnvFaultKind.NUL: "remove the NUL character",
    EnvFaultKind.LINE_TOO_LONG: "leave `format: raw` out, or shorten the line",
}


@check("env-syntax", Severity.ERROR, _SPEC, explains_refusal=True)
def env_syntax(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """Compose cannot read an env file, and so refuses every command of the project.

    An unterminated quote, a character that no name may have, or a `${` that begins no variable.
    `down`, `ps` and `logs` fail too until it is mended. Compose names the last line for an
    unterminated quote; this is the line that opens it. An example file with such a fault is a
    warning: the next person copies it.

    Wrong:

        # .env
        GREETING="hello
        PORT=8080

    Right:

        # .env
        GREETING="hello"
        PORT=8080

    Measured: Held against `docker compose config` 5.6.1 over the env files of tests/corpus/env and
    generated ones: what Compose refuses is found, and what it takes is not.
    """
    scan = scan_env(profile, facts)
    for reading in scan.readings:
        late = [fault for fault in reading.resolved.faults if _is_syntax(fault)]
        refused = [fault for fault in reading.file.faults if fault.refused]
        for fault in (*refused, *late)[:_MOST]:
            yield _fault(reading.path, fault)
        line = facts.file(reading.path).invalid_utf8_line
        if reading.is_raw and line is not None:
            message = "Compose refuses bytes that are not UTF-8 in an env file of format raw."
            yield Fault(message, Place(reading.path, line), fix="save the file as UTF-8")
    for _, example in scan.examples():
        file = parse_env_file(facts.file(example).text or "")
        for fault in file.faults[:_MOST]:
            if fault.refused and example not in scan.files:
                yield _fault(example, fault, Severity.WARNING)


def _is_syntax(fault: EnvFault) -> bool:
    return fault.kind is not EnvFaultKind.REQUIRED_UNSET


def _fault(path: str, fault: EnvFault, severity: Severity | None = None) -> Fault:
    place = Place(path, fault.line, fault.column)
    return Fault(fault.message, place, fix=_FIXES.get(fault.kind), severity=severity)


@check("env-empty-name", Severity.ERROR, "measured: docker compose up, Engine 20.10")
def env_empty_name(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A line of an env file sets a variable without a name.

    `=value`, or a last word without a line end, which Compose takes for the value of an empty
    name. In an `env_file` of a service `docker compose config` says nothing, and `up` fails with
    "invalid environment variable". In `.env` nobody can use such a value, so it is a warning.

    Wrong:

        # app.env, named by env_file, without a line end after DEBUG
        LOG_LEVEL=info
        DEBUG

    Right:

        # app.env
        LOG_LEVEL=info
        DEBUG=1

    Measured: Engine 20.10.24 refuses the container with "invalid environment variable", after
    `docker compose config` passed.
    """
    yield from _in_containers(scan_env(profile, facts), EnvFaultKind.EMPTY_NAME)


@check("env-nul", Severity.ERROR, "measured: docker compose up, Engine 20.10")
def env_nul(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A value in an env file has a NUL character in it.

    `docker compose config` shows it, and no container with it can be started. It is often a file
    that was saved as UTF-16, or `"\\0000"` in double quotes. In `.env` it is a warning, since the
    value need not reach a container.

    Wrong:

        # app.env
        SEPARATOR="\\0000"

    Right:

        # app.env
        SEPARATOR="|"

    Measured: Engine 20.10.24 cannot start the container, after `docker compose config` passed and
    showed the value.
    """
    yield from _in_containers(scan_env(profile, facts), EnvFaultKind.NUL)


def _in_containers(scan: EnvScan, kind: EnvFaultKind) -> Iterator[Fault]:
    for reading in scan.readings:
        severity = Severity.ERROR if reading.role is Role.SERVICE else Severity.WARNING
        for fault in reading.file.faults[:_MOST]:
            if fault.kind is kind and not fault.refused:
                yield _fault(reading.path, fault, severity)


@check("env-duplicate", Severity.WARNING, _SPEC)
def env_duplicate(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """An env file sets a name twice; the last line wins without a word.

    Whoever edits the first of them wonders why nothing changes. A later line that refers to the
    earlier value is taken as meant.

    Wrong:

        DB_HOST=localhost
        DB_PORT=5432
        DB_HOST=db

    Right:

        DB_HOST=db
        DB_PORT=5432

    Measured: `docker compose config` 5.6.1 shows the last value and writes nothing to standard
    error.
    """
    for reading in scan_env(profile, facts).files.values():
        first: dict[str, EnvEntry] = {}
        for entry in reading.file.entries:
            known = first.get(entry.name)
            if entry.kind is EntryKind.PASS_THROUGH or not entry.name:
                continue
            first[entry.name] = entry
            if known is None or any(one.name == entry.name for one in references(entry)):
                continue
            yield Fault(
                f"{entry.name} is set a second time, and this line wins.",
                at_entry(reading.path, entry),
                fix=f"remove one of the lines for {entry.name}",
                related=(Related(at_entry(reading.path, known), "set here first"),),
            )


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


@check("env-comment-kept", Severity.WARNING, _SPEC)
def env_comment_kept(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """What looks like a comment after a value is a part of it.

    To Compose a comment begins with a space and a `#`. A tab does not count, and after
    `NAME= # text` the value is `# text`.

    Wrong:

        LOG_LEVEL= # debug or info

    Right:

        # debug or info
        LOG_LEVEL=

    Measured: `docker compose config` 5.6.1 keeps `A= #c` as `#c`, and what follows a tab and a `#`
    as a part of the value.
    """
    for reading in scan_env(profile, facts).files.values():
        for entry in reading.file.entries:
            if not reading.is_raw and is_comment_kept(entry):
                mark = entry.raw.index("#")
                yield Fault(
                    f"What looks like a comment is a part of the value of {entry.name}.",
                    Place(reading.path, entry.value_line, entry.value_column + mark),
                    fix="put the comment on a line of its own",
                )


def is_comment_kept(entry: EnvEntry) -> bool:
    """Whether a value has a `#` in it that was probably meant to begin a comment."""
    if entry.quote is not QuoteKind.NONE or "#" not in entry.raw or entry.literal:
        return False
    blank_before = entry.value_start - entry.name_end > len(entry.separator)
    return "\t#" in entry.raw or (entry.raw.startswith("#") and blank_before)


@check("env-escape", Severity.WARNING, _SPEC)
def env_escape(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A backslash in a double-quoted value turns into a control character.

    Compose expands `\\a`, `\\b`, `\\f`, `\\n`, `\\r`, `\\t`, `\\v` and octal numbers in double
    quotes: `"C:\\temp\\new"` gets a tab and a line end, and `"\\bword"` a backspace. A `\\n` in a
    value that is no path is taken as meant.

    Wrong:

        DATA_DIR="C:\\temp\\new"

    Right:

        DATA_DIR='C:\\temp\\new'

    Measured: `docker compose config` 5.6.1 turns `"C:\\temp\\new"` into a text with a tab and a
    line feed; python-dotenv does so too.
    """
    for reading in scan_env(profile, facts).files.values():
        for entry in reading.file.entries:
            if not reading.is_raw and (place := find_odd_escape(entry)) is not None:
                newlines = entry.raw.count("\n", 0, place)
                column = entry.value_column + place
                if newlines:
                    column = place - entry.raw.rfind("\n", 0, place)
                yield Fault(
                    f"A backslash in the value of {entry.name} becomes a control character.",
                    Place(reading.path, entry.value_line + newlines, column),
                    fix="put the value in single quotes, or double the backslash",
                )


_ODD_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*(\\(?:[abfv]|0[0-3][0-7]{2}))")
_PATH_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*(\\[nrtabfv])")
_WINDOWS_PATH = re.compile(r'^"(?:[A-Za-z]:\\|\\\\)')


def find_odd_escape(entry: EnvEntry) -> int | None:
    """The offset in `raw` of an escape that was probably not meant as one."""
    if entry.quote is not QuoteKind.DOUBLE or "\\" not in entry.raw or entry.literal:
        return None
    pattern = _PATH_ESCAPE if _WINDOWS_PATH.match(entry.raw) else _ODD_ESCAPE
    found = pattern.search(entry.raw)
    return found.start(1) if found else None


@check("env-text-after-quote", Severity.WARNING, _SPEC)
def env_text_after_quote(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """Text follows the closing quote of a value, and is not a part of it.

    Of `NAME="x"y` Compose takes `x`, and reads `y` as a line of its own: a name that is passed
    on from the shell, or another assignment.

    Wrong:

        GREETING="hello"world

    Right:

        GREETING="helloworld"

    Measured: `docker compose config` 5.6.1 reads `A="x"y` as `x`, without a word; with a blank in
    that text it refuses the file, which is `env-syntax`.
    """
    for reading in scan_env(profile, facts).files.values():
        for entry in reading.file.entries:
            if entry.after_quote and entry.name:
                yield Fault(
                    "This follows a closing quote, so Compose reads it as a line of its own.",
                    Place(reading.path, entry.line, entry.column),
                    fix="put it inside the quotes, or on a line of its own",
                )


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


@check("env-encoding", Severity.WARNING, _SPEC)
def env_encoding(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """An env file has a byte order mark, Windows line ends, or bytes that are not UTF-8.

    Compose copes with the first two. A shell and other libraries keep the carriage return as a
    part of the value, and the mark as a part of the first name. Bytes that are not UTF-8 are
    damaged on the way. A carriage return without a line feed ends no line.

    Wrong:

        A file saved as "UTF-8 with BOM" or with CRLF line ends.

    Right:

        A file saved as UTF-8 with LF line ends.

    Measured: `docker compose config` 5.6.1 takes a byte order mark and CRLF, and replaces bytes
    that are not UTF-8. A shell that sources the file keeps the carriage return.
    """
    for path in scan_env(profile, facts).files:
        state = facts.file(path)
        text = state.text or ""
        name = shown(facts, path)
        if state.has_bom:
            message = f"{name} begins with a byte order mark."
            yield Fault(message, Place(path, 1), fix="save it as UTF-8 without a mark")
        if state.invalid_utf8_line is not None:
            message = f"{name} has bytes that are not UTF-8; Compose damages them."
            yield Fault(message, Place(path, state.invalid_utf8_line), fix="save it as UTF-8")
        crlf = text.find("\r\n")
        if crlf >= 0:
            message = f"{name} has Windows line ends, which a shell takes into the values."
            line = text.count("\n", 0, crlf) + 1
            yield Fault(message, Place(path, line), fix="save it with LF line ends")
        lone = re.search(r"\r(?!\n)", text)
        if lone:
            message = f"{name} has a carriage return that ends no line."
            line = text.count("\n", 0, lone.start()) + 1
            yield Fault(message, Place(path, line), fix="replace it by a line end")
