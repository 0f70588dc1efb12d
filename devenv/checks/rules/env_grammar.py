"""How env files are read: syntax, names, encoding."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devenv.checks.env_scan import EnvScan, Role, at_entry, scan_env, shown
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, Place, Related, Severity
from devenv.checks.registry import check
from devenv.compose.env_entries import EntryKind, EnvEntry, EnvFault, EnvFaultKind
from devenv.compose.env_file import parse_env_file
from devenv.compose.env_values import references

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
