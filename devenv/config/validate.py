"""A TOML text against its description: unknown keys, wrong types and values, with their place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from devenv.config.spec import Key, Kind
from devenv.config.toml_positions import KeyPath, Position, find_positions
from devenv.errors import ConfigError, Source

_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$| \(at end of document\)$")


def parse_document(
    text: str, path: str, keys: Mapping[str, Key]
) -> tuple[dict[str, Any], dict[KeyPath, Position]]:
    """The validated document and the positions of its keys. Raises ConfigError."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(str(error), text, path) from None
    positions = find_positions(text, document)
    _check_table(document, keys, (), path, positions)
    return document, positions


def source_of(path: str, positions: Mapping[KeyPath, Position], key: KeyPath) -> Source:
    """The place of a key, or of the nearest table around it, or the file alone."""
    while key:
        if key in positions:
            return Source(path, *positions[key])
        key = key[:-1]
    return Source(path)


def _syntax_error(message: str, text: str, path: str) -> ConfigError:
    place = _PLACE.search(message)
    source, excerpt = Source(path, max(1, text.count("\n"))), None
    if place and place[1]:
        line, column = int(place[1]), int(place[2])
        source = Source(path, line, column)
        excerpt = f"{text.splitlines()[line - 1] if line <= len(text.splitlines()) else ''}\n"
        excerpt += " " * (column - 1) + "^"
    reason = _PLACE.sub("", message)
    return ConfigError(
        f"This is not valid TOML: {reason[:1].lower()}{reason[1:]}.",
        source=source,
        excerpt=excerpt,
        fix="see https://toml.io for the syntax; strings need quotes",
    )


def _check_table(
    table: Mapping[str, Any],
    keys: Mapping[str, Key],
    prefix: KeyPath,
    path: str,
    positions: Mapping[KeyPath, Position],
) -> None:
    for name, value in table.items():
        where = (*prefix, name)
        source = source_of(path, positions, where)
        shown = ".".join(where)
        if name not in keys:
            near = get_close_matches(name, keys, n=1)
            raise ConfigError(
                f"Unknown key {shown!r}.",
                source=source,
                fix=f"did you mean {'.'.join((*prefix, near[0]))!r}?"
                if near
                else f"known here: {', '.join(keys)}",
            )
        key = keys[name]
        if not _fits(value, key.kind):
            raise ConfigError(
                f"{shown!r} must be {key.kind.value}, not {_type_word(value)}.",
                source=source,
                fix=key.help,
            )
        if key.choices and value not in key.choices:
            near = get_close_matches(str(value), key.choices, n=1)
            raise ConfigError(
                f"{shown!r} cannot be {value!r}.",
                source=source,
                fix=(f"did you mean {near[0]!r}? " if near else "")
                + f"one of: {', '.join(key.choices)}",
            )
        if key.minimum is not None and value < key.minimum:
            raise ConfigError(f"{shown!r} must be at least {key.minimum:g}.", source=source)
        if key.kind is Kind.TABLE:
            _check_table(value, key.keys, where, path, positions)


def _fits(value: Any, kind: Kind) -> bool:
    match kind:
        case Kind.STRING:
            return isinstance(value, str)
        case Kind.BOOLEAN:
            return isinstance(value, bool)
        case Kind.INTEGER:
            return isinstance(value, int) and not isinstance(value, bool)
        case Kind.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case Kind.STRINGS:
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        case Kind.STRING_MAP:
            return isinstance(value, dict) and all(isinstance(v, str) for v in value.values())
        case Kind.TABLE:
            return isinstance(value, dict)


def _type_word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    for kind, word in ((str, "a string"), (int, "a whole number"), (float, "a number")):
        if isinstance(value, kind):
            return word
    if isinstance(value, list):
        return "a list" if all(isinstance(v, str) for v in value) else "a list of other values"
    return "a table" if isinstance(value, dict) else "a date or time"
