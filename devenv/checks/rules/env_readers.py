"""Env files as others read them: python-dotenv, and a shell that sources the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from io import StringIO

from devenv.checks.env_scan import EnvReading, at_entry, scan_env
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, Severity
from devenv.checks.registry import check
from devenv.checks.rules.env_quoting import find_odd_escape, is_comment_kept
from devenv.compose.env_entries import EntryKind, EnvEntry, QuoteKind
from devenv.compose.env_values import references
from devenv.compose.interpolation import interpolate

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SIMPLE = re.compile(r"[A-Za-z0-9_./@%+,:=-]*")
_SIMPLE_QUOTED = re.compile(r"""(["'])[^"'$`\\!\r]*\1""")
_LONGEST = 200
"""Statements that are looked at closely in one file."""


@check("env-reads-differently", Severity.WARNING, "measured: python-dotenv differs in 34 of 121")
def env_reads_differently(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """Compose and another reader of the same line get different values.

    Applications load such files with python-dotenv, and scripts source them with a shell.
    python-dotenv expands `${NAME}` even in single quotes, and never `$NAME`; a shell runs what
    follows a space. Where only a shell differs it is for information. Lines that another rule
    has something to say about are left to it.

    Wrong:

        DATABASE_URL=postgres://$DB_USER@db/shop
        APP_NAME=My App

    Right:

        DATABASE_URL=postgres://${DB_USER}@db/shop
        APP_NAME="My App"

    Measured: Of 121 files python-dotenv read 69 as Compose did, and 34 otherwise without a word. It
    is asked itself here, as the second reader.
    """
    for reading in scan_env(profile, facts).files.values():
        if reading.is_raw or reading.file.refused:
            continue
        odd = [entry for entry in reading.file.entries if not is_simple(entry)]
        if not odd:
            continue
        skipped = {one.entry.start for one in reading.resolved.unset}
        text = facts.file(reading.path).text or ""
        others = read_with_dotenv(text, reading.lookup)
        for entry in odd[:_LONGEST]:
            if entry.start in skipped or is_comment_kept(entry) or find_odd_escape(entry):
                continue
            value = _value_of(reading, entry)
            if value is None:
                continue
            known = {**_above(reading, entry), **reading.lookup}
            other = others.get(entry.line)
            in_python = other != (entry.name, value)
            why_shell = differs_in_shell(entry, value, known, text)
            if in_python:
                yield Fault(
                    f"python-dotenv does not read {entry.name} as Compose does: "
                    f"{_why_dotenv(entry, other)}.",
                    at_entry(reading.path, entry),
                    fix="write it so that both agree, in single quotes for instance"
                    if "'" not in entry.raw
                    else "write it so that both agree",
                )
            elif why_shell:
                yield Fault(
                    f"A shell does not read {entry.name} as Compose does: {why_shell}.",
                    at_entry(reading.path, entry),
                    fix="put the value in quotes, right after NAME=",
                    severity=Severity.INFO,
                )


def is_simple(entry: EnvEntry) -> bool:
    """Whether every reader takes the statement for the same value."""
    if entry.kind is EntryKind.PASS_THROUGH or not entry.name or entry.after_quote:
        return True
    if entry.separator != "=" or entry.value_start != entry.name_end + 1:
        return False
    if not _NAME.fullmatch(entry.name) or (entry.comment and entry.quote is QuoteKind.NONE):
        return False
    if entry.quote is QuoteKind.NONE:
        return bool(_SIMPLE.fullmatch(entry.raw))
    return bool(_SIMPLE_QUOTED.fullmatch(entry.raw)) and (
        not entry.comment or entry.comment_start > entry.value_end
    )


def _value_of(reading: EnvReading, entry: EnvEntry) -> str | None:
    """The entry's value; None where a later one of the name hides it."""
    last = [one for one in reading.file.entries if one.name == entry.name]
    return reading.resolved.values.get(entry.name) if last[-1] is entry else None


def _above(reading: EnvReading, entry: EnvEntry) -> dict[str, str]:
    names = set(reading.above)
    for one in reading.file.entries:
        if one is entry:
            break
        names.add(one.name)
    return {name: value for name, value in reading.resolved.values.items() if name in names}


def read_with_dotenv(text: str, environ: Mapping[str, str]) -> dict[int, tuple[str, str | None]]:
    """Line to name and value as python-dotenv has them, the environment winning over the file."""
    from dotenv.parser import parse_stream
    from dotenv.variables import parse_variables

    found: dict[int, tuple[str, str | None]] = {}
    known: dict[str, str | None] = {}
    for binding in parse_stream(StringIO(text, newline="")):
        if binding.key is None or binding.error:
            continue
        value = binding.value
        if value is not None:
            resolved = {**known, **environ}
            value = "".join(atom.resolve(resolved) for atom in parse_variables(value))
        known[binding.key] = value
        written = binding.original.string
        blank = written[: len(written) - len(written.lstrip())]
        found[binding.original.line + blank.count("\n")] = (binding.key, value)
    return found


def _why_dotenv(entry: EnvEntry, other: tuple[str, str | None] | None) -> str:
    if other is None or other[0] != entry.name or other[1] is None:
        return "it takes the line for something else"
    if "$" in entry.raw:
        if entry.quote is QuoteKind.SINGLE:
            return "it expands ${NAME} in single quotes too"
        plain = any(not one.has_fallback and not one.is_required for one in references(entry))
        return "it expands ${NAME} alone" if plain else "it expands variables in another way"
    if "\\" in entry.raw:
        return "it takes backslashes in another way"
    if "#" in entry.raw or entry.comment:
        return "it begins the comment elsewhere"
    return "it splits the line in another way"


_SHELL_ENDS = re.compile(r"[;&|<>()`]")


def differs_in_shell(
    entry: EnvEntry, value: str, known: Mapping[str, str], text: str
) -> str | None:
    """Why a POSIX shell gets something else from the line, or None where it gets the same."""
    if entry.separator != "=" or not _NAME.fullmatch(entry.name):
        return "it takes the line for a command"
    if entry.value_start != entry.name_end + 1 and entry.raw:
        return "it takes no blanks beside the equals sign"
    end = text.find("\n", entry.value_end)
    written = text[entry.value_start : len(text) if end < 0 else end]
    read = _shell_word(written.rstrip("\r"), known)
    if read is None:
        return "it runs a part of the line as a command"
    return None if read == value else "it expands quotes, `$` and backslashes in another way"


def _shell_word(text: str, known: Mapping[str, str]) -> str | None:
    """The first word of a text as a shell has it; None where a command follows or is in it."""
    read: list[str] = []
    position = 0
    while position < len(text):
        character = text[position]
        if character in " \t":
            rest = text[position:].lstrip(" \t")
            return "".join(read) if not rest or rest.startswith("#") else None
        if _SHELL_ENDS.match(character):
            return None
        if character == "'":
            end = text.find("'", position + 1)
            if end < 0:
                return None
            read.append(text[position + 1 : end])
            position = end + 1
        elif character == '"':
            part = _double_quoted(text, position + 1, known)
            if part is None:
                return None
            read.append(part[0])
            position = part[1]
        elif character == "\\":
            read.append(text[position + 1 : position + 2])
            position += 2
        elif character == "$":
            expanded = _expand(text, position, known)
            if expanded is None:
                return None
            read.append(expanded[0])
            position = expanded[1]
        else:
            tilde = character == "~" and (position == 0 or text[position - 1] == ":")
            read.append("\0" if tilde else character)  # somebody's home: never the same
            position += 1
    return "".join(read)


def _double_quoted(text: str, position: int, known: Mapping[str, str]) -> tuple[str, int] | None:
    read: list[str] = []
    while position < len(text):
        character = text[position]
        if character == '"':
            return "".join(read), position + 1
        if character == "`":
            return None
        if character == "\\" and text[position + 1 : position + 2] in tuple('$`"\\'):
            read.append(text[position + 1])
            position += 2
        elif character == "$":
            expanded = _expand(text, position, known)
            if expanded is None:
                return None
            read.append(expanded[0])
            position = expanded[1]
        else:
            read.append(character)
            position += 1
    return None


_EXPANSION = re.compile(r"\$(?:(\w+)|\{[A-Za-z_]\w*(?:(?::?[-+?])[^{}$`\"']*)?\})", re.ASCII)


def _expand(text: str, position: int, known: Mapping[str, str]) -> tuple[str, int] | None:
    """An expansion's value and its end; None for a command in it."""
    if text.startswith("$(", position):
        return None
    found = _EXPANSION.match(text, position)
    if found is None:
        # `$$` is a number, `$@` and the like are empty, and a `$` before anything else stays.
        special = text[position + 1 : position + 2]
        if special and special in "$@*#?!-":
            return "\0", position + 2
        return "$", position + 1
    if found[1] and found[1][0].isdigit():
        return "", position + 2
    return interpolate(found[0], known.get).value, found.end()
