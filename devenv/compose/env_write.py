"""Writes values into env files so that Compose reads back exactly what was meant.

Texts are changed around what is there: comments, order, line ends and other values stay as they
are. python-dotenv's `set_key` is not used for it: it doubles a backslash within single quotes,
where Compose keeps both, and turns CRLF line ends into LF.
Spec: compose-go dotenv/parser.go, see `env_file`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from devenv.compose.env_entries import EntryKind, EnvEntry
from devenv.compose.env_file import parse_env_file

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=\-][A-Za-z0-9_./:@%+,=\-~^*?!]*")
"""What any reader takes as it is, without quotes."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")
_ESCAPES = {
    "\\": "\\\\",
    '"': '\\"',
    "$": "\\$",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\v": "\\v",
}


def is_writable_name(name: str) -> bool:
    """Whether a variable of this name can be written and used in Compose files."""
    return bool(_NAME.fullmatch(name))


def render_value(value: str) -> str:
    """The value as it has to stand after `NAME=`, on one line, quoted only where it must be.

    Single quotes are taken first, since a shell and python-dotenv read them alike; a value with a
    quote, a backslash or a control character is put in double quotes. Raises ValueError for a NUL.
    """
    if "\0" in value:
        raise ValueError("no environment variable can hold a NUL character")
    if not value or _PLAIN.fullmatch(value):
        return value
    if value.isprintable() and "'" not in value and "\\" not in value:
        return f"'{value}'"
    return '"' + "".join(_ESCAPES.get(one, one) for one in value) + '"'


def set_values(text: str, values: Mapping[str, str]) -> str:
    """The text with each name's value set: the last assignment changed, or a line added at the end.

    A comment after a value stays. Raises ValueError for a value that cannot be written, and for
    a text that Compose refuses, in which a place cannot be found for sure.
    """
    file = parse_env_file(text)
    last = {one.name: one for one in file.entries if one.kind is EntryKind.ASSIGNMENT}
    edits: list[tuple[int, int, str]] = []
    added: list[str] = []
    for name, value in values.items():
        entry = last.get(name)
        if entry is None:
            added.append(f"{name}={render_value(value)}")
        else:
            edits.append((*_value_range(text, entry), _in_place(text, entry, value)))
    if file.refused and edits:
        raise ValueError("Compose refuses this file")
    for start, end, written in sorted(edits, reverse=True):
        text = text[:start] + written + text[end:]
    return append_lines(text, added)


def append_lines(text: str, lines: Iterable[str]) -> str:
    """The text with lines at its end, ended as its other lines are."""
    added = list(lines)
    if not added:
        return text
    end = line_end(text)
    before = "" if not text or text.endswith("\n") else end
    return text + before + "".join(f"{line}{end}" for line in added)


def line_end(text: str) -> str:
    """The line end that a text uses: CRLF where most of its lines have it."""
    return "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"


def _value_range(text: str, entry: EnvEntry) -> tuple[int, int]:
    """Where a value stands; an empty one right after the separator, before the line's end."""
    if entry.raw:
        return entry.value_start, entry.value_end
    start = text.index(entry.separator, entry.name_end) + 1
    crlf = text[entry.value_end - 1 : entry.value_end + 1] == "\r\n"
    return start, max(start, entry.value_end - crlf)


def _in_place(text: str, entry: EnvEntry, value: str) -> str:
    """The new value; an empty one before a comment needs quotes, or the comment becomes it."""
    written = render_value(value)
    if not written and text[entry.value_end : entry.value_end + 1] not in ("\n", "\r", ""):
        return "''"
    return written
