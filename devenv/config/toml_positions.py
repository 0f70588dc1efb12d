"""Where each key of a TOML text stands; tomllib itself gives no positions.

A small scanner finds headers and `key =` lines. It is held against tomllib's own result: a key
path that tomllib does not know has no position, so a wrong line is never named.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

KeyPath = tuple[str, ...]
Position = tuple[int, int]
"""Line and column, both from 1."""

_PART = r"""(?:[A-Za-z0-9_\-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"^[ \t]*\[[ \t]*(?P<key>{_DOTTED})[ \t]*\][ \t]*(?:#.*)?$")
_KEY = re.compile(rf"^[ \t]*(?P<key>{_DOTTED})[ \t]*=")
_PARTS = re.compile(_PART)
_TOKEN = re.compile(r'"""|\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|[\[\]{}#]')


def find_positions(text: str, document: Mapping[str, Any]) -> dict[KeyPath, Position]:
    """Key paths (tables too) to positions, for those that `document` (tomllib's) has."""
    found: dict[KeyPath, Position] = {}
    table: KeyPath = ()
    lines = text.split("\n")
    depth = 0
    multiline: str | None = None
    for number, line in enumerate(lines, start=1):
        start = 0
        if depth == 0 and multiline is None:
            header = _HEADER.match(line)
            if header:
                table = _split(header["key"])
                found.setdefault(table, (number, header.start("key") + 1))
                continue
            key = _KEY.match(line)
            if key:
                path = table + _split(key["key"])
                found.setdefault(path, (number, key.start("key") + 1))
                start = key.end()
        depth, multiline = _scan_value(line, start, depth, multiline)
    return {path: place for path, place in found.items() if _has(document, path)}


def _scan_value(line: str, at: int, depth: int, multiline: str | None) -> tuple[int, str | None]:
    while at < len(line):
        if multiline is not None:
            end = line.find(multiline, at)
            while end > 0 and multiline == '"""' and _is_escaped(line, end):
                end = line.find(multiline, end + 1)
            if end < 0:
                return depth, multiline
            at = end + 3
            while at < len(line) and line[at] == multiline[0]:
                at += 1
            multiline = None
            continue
        token = _TOKEN.search(line, at)
        if token is None or token[0] == "#":
            break
        at = token.end()
        if token[0] in ('"""', "'''"):
            multiline = token[0]
        elif token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth = max(0, depth - 1)
    return depth, multiline


def _is_escaped(line: str, at: int) -> bool:
    count = 0
    while at - count > 0 and line[at - count - 1] == "\\":
        count += 1
    return count % 2 == 1


def _split(dotted: str) -> KeyPath:
    parts = []
    for part in _PARTS.findall(dotted):
        if part[0] == '"':
            try:
                part = next(iter(tomllib.loads(f"{part} = 1")))
            except tomllib.TOMLDecodeError:
                part = part[1:-1]
        elif part[0] == "'":
            part = part[1:-1]
        parts.append(part)
    return tuple(parts)


def _has(document: Any, path: KeyPath) -> bool:
    for part in path:
        if not isinstance(document, Mapping) or part not in document:
            return False
        document = document[part]
    return True
