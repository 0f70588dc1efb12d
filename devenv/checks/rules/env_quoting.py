"""Quotes, escapes and comments in env files that give another value than meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devenv.checks.env_scan import scan_env
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, Place, Severity
from devenv.checks.registry import check
from devenv.compose.env_entries import EnvEntry, QuoteKind

_SPEC = "compose-go dotenv/parser.go; measured against docker compose config"


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
