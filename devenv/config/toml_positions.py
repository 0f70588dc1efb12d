"""Where each key and list entry of a TOML text stands; tomllib itself gives no positions.

A scanner reads the structure (headers, keys, tables, lists) and leaves every single value to
tomllib. What it builds must equal tomllib's own document; where it does not, nothing has a
position, so a wrong line is never named.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

KeyPath = tuple[str | int, ...]
"""Keys, and for the entries of a list their index from 0: `("compose", 1)`."""
Position = tuple[int, int]
"""Line and column, both from 1; columns count characters."""

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY_PART = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_STRING = re.compile(
    r'"""(?:[^\\]|\\[\s\S])*?"{3,5}(?!")'
    r"|'''[\s\S]*?'{3,5}(?!')"
    r"""|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'"""
)
_SCALAR = re.compile(r"[^,\]}\n#]+")


def find_positions(text: str, document: Mapping[str, Any]) -> dict[KeyPath, Position]:
    """Key paths (tables and list entries too) to positions; `document` is tomllib's result.

    Empty where the scanner does not arrive at `document`.
    """
    scanner = _Scanner(text.replace("\r\n", "\n"))
    try:
        scanner.scan()
    except (_Unexpected, LookupError, TypeError, ValueError, RecursionError):
        return {}
    return scanner.positions() if scanner.document == document else {}


class _Unexpected(Exception):
    """The text is not what the scanner knows."""


class _Scanner:
    def __init__(self, text: str) -> None:
        self.document: dict[str, Any] = {}
        self._text = text
        self._at = 0
        self._offsets: dict[KeyPath, int] = {}

    def positions(self) -> dict[KeyPath, Position]:
        starts = [0, *(found.end() for found in re.finditer("\n", self._text))]
        places = {}
        for path, offset in self._offsets.items():
            line = bisect_right(starts, offset)
            places[path] = (line, offset - starts[line - 1] + 1)
        return places

    def scan(self) -> None:
        table: dict[str, Any] = self.document
        path: KeyPath = ()
        while self._skip(_BLANK) < len(self._text):
            if self._take("[["):
                table, path = self._header("]]")
            elif self._take("["):
                table, path = self._header("]")
            else:
                self._key_value(table, path)

    def _header(self, closing: str) -> tuple[dict[str, Any], KeyPath]:
        keys = self._keys()
        if not self._take(closing):
            raise _Unexpected
        *outer, (name, offset) = keys
        table, path = self._descend(self.document, (), outer)
        path = (*path, name)
        if closing == "]]":
            entries = table.setdefault(name, [])
            self._offsets.setdefault(path, offset)
            path = (*path, len(entries))
            entries.append({})
            inner = entries[-1]
        else:
            inner = table.setdefault(name, {})
        self._offsets[path] = offset
        return inner, path

    def _descend(
        self, table: dict[str, Any], path: KeyPath, keys: list[tuple[str, int]]
    ) -> tuple[dict[str, Any], KeyPath]:
        for name, offset in keys:
            path = (*path, name)
            self._offsets.setdefault(path, offset)
            inner = table.setdefault(name, {})
            if isinstance(inner, list):
                path = (*path, len(inner) - 1)
                inner = inner[-1]
            table = inner
        return table, path

    def _key_value(self, table: dict[str, Any], path: KeyPath) -> None:
        *outer, (name, offset) = self._keys()
        if not self._take("="):
            raise _Unexpected
        table, path = self._descend(table, path, outer)
        if name in table:
            raise _Unexpected
        path = (*path, name)
        self._offsets[path] = offset
        self._skip(_SPACE)
        table[name] = self._value(path)

    def _keys(self) -> list[tuple[str, int]]:
        keys = []
        while True:
            start = self._skip(_SPACE)
            found = _KEY_PART.match(self._text, start)
            if found is None:
                raise _Unexpected
            self._at = found.end()
            name = found[0]
            if name[0] in "\"'":
                name = tomllib.loads(f"value = {name}")["value"]
            keys.append((name, start))
            self._skip(_SPACE)
            if not self._take("."):
                return keys

    def _value(self, path: KeyPath) -> Any:
        if self._take("["):
            entries: list[Any] = []
            while not self._take_after_blank("]"):
                entry = (*path, len(entries))
                self._offsets[entry] = self._at
                entries.append(self._value(entry))
                if not self._take_after_blank(",") and not self._take_after_blank("]", keep=True):
                    raise _Unexpected
            return entries
        if self._take("{"):
            table: dict[str, Any] = {}
            while not self._take_after_blank("}"):
                self._key_value(table, path)
                if not self._take_after_blank(",") and not self._take_after_blank("}", keep=True):
                    raise _Unexpected
            return table
        found = _STRING.match(self._text, self._at) or _SCALAR.match(self._text, self._at)
        if found is None:
            raise _Unexpected
        self._at = found.end()
        return tomllib.loads(f"value = {found[0]}")["value"]

    def _skip(self, what: re.Pattern[str]) -> int:
        found = what.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return self._at

    def _take(self, token: str) -> bool:
        if not self._text.startswith(token, self._at):
            return False
        self._at += len(token)
        return True

    def _take_after_blank(self, token: str, *, keep: bool = False) -> bool:
        self._skip(_BLANK)
        return self._text.startswith(token, self._at) if keep else self._take(token)
