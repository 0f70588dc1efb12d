"""A TOML text against its description: unknown keys, wrong types and values, with their place."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from devenv.config.hooks import find_entry_problem
from devenv.config.repair import render_bound_repair, render_entry_repair, render_repair
from devenv.config.spec import Key, Kind
from devenv.config.toml_positions import KeyPath, Position, find_positions
from devenv.errors import ConfigError, Source

_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$| \(at end of document\)$")
_SECRET = re.compile(r"pass|secret|token|key|credential|auth", re.IGNORECASE)


def parse_document(
    text: str, path: str, keys: Mapping[str, Key]
) -> tuple[dict[str, Any], dict[KeyPath, Position]]:
    """The validated document and the positions of its keys. Raises ConfigError."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(str(error), text, path) from None
    except (ValueError, RecursionError):  # a number of thousands of digits, or very deep nesting
        raise ConfigError(
            "This TOML is too large to read: very long numbers or very deep nesting.",
            source=Source(path),
            fix="write it simpler; no key of devenv needs that",
        ) from None
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
    lines = text.split("\n")
    source, excerpt = Source(path), None
    if place and place[1]:
        line, column = int(place[1]), int(place[2])
        source = Source(path, line, column)
        shown = lines[line - 1].rstrip("\r") if line <= len(lines) else ""
        excerpt = f"{_hide_secret(shown)}\n{' ' * (column - 1)}^"
    elif place:
        last = max((n for n, line in enumerate(lines, start=1) if line.strip()), default=1)
        source = Source(path, last)
    reason = _PLACE.sub("", message)
    return ConfigError(
        f"This is not valid TOML: {reason[:1].lower()}{reason[1:]}.",
        source=source,
        excerpt=excerpt,
        fix="see https://toml.io for the syntax; strings need quotes",
    )


def _hide_secret(line: str) -> str:
    """The line with the value of a secret-looking key dotted out, at the same length."""
    name, separator, value = line.partition("=")
    if not _SECRET.search(name):
        return line
    return name + separator + re.sub(r"\S", "•", value)


def _check_table(
    table: Mapping[str, Any],
    keys: Mapping[str, Key],
    prefix: tuple[str, ...],
    path: str,
    positions: Mapping[KeyPath, Position],
) -> None:
    for name, value in table.items():
        where = (*prefix, name)
        if name not in keys:
            near = get_close_matches(name, keys, n=1)
            raise ConfigError(
                f"Unknown key {_shown(where)!r}.",
                source=source_of(path, positions, where),
                fix=f"did you mean {_shown((*prefix, near[0]))!r}?"
                if near
                else f"known here: {', '.join(keys)}",
            )
        key = keys[name]
        problem = _find_problem(value, key, where)
        if problem:
            place, message, fix = problem
            raise ConfigError(message, source=source_of(path, positions, place), fix=fix)
        if key.kind is Kind.TABLE:
            _check_table(value, key.keys, where, path, positions)


def _find_problem(value: Any, key: Key, where: KeyPath) -> tuple[KeyPath, str, str] | None:
    """Where a value is wrong, what is wrong, and the fix; None for a good value."""
    if not _fits(value, key.kind):
        message = f"{_shown(where)!r} must be {key.kind.value}, not {_type_word(value)}."
        return where, message, render_repair(_shown(where[-1:]), value, key)
    if key.kind is Kind.HOOKS:
        found = (find_entry_problem(entry, (*where, i)) for i, entry in enumerate(value))
        return next((problem for problem in found if problem is not None), None)
    match key.kind:
        case Kind.STRINGS:
            parts: list[tuple[KeyPath, Any]] = [((*where, i), v) for i, v in enumerate(value)]
        case Kind.STRING_MAP:
            parts = [((*where, name), v) for name, v in value.items()]
        case _:
            parts = []
    for place, part in parts:
        if not isinstance(part, str):
            message = f"{_shown(place)!r} must be a string, not {_type_word(part)}."
            if _is_simple(part):
                return place, message, "put it in quotes"
            return place, message, render_entry_repair(_shown(place[-1:]), key)
    for place, part in parts or [(where, value)]:
        if key.choices and part not in key.choices:
            near = get_close_matches(str(part), key.choices, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            message = f"{_shown(place)!r} cannot be {part!r}."
            return place, message, f"{hint}one of: {', '.join(key.choices)}"
    if key.minimum is not None and not key.minimum <= value < math.inf:
        message = f"{_shown(where)!r} must be at least {key.minimum:g}, not {value}."
        return where, message, render_bound_repair(_shown(where[-1:]), key)
    return None


def _shown(where: KeyPath) -> str:
    text = ""
    for part in where:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _fits(value: Any, kind: Kind) -> bool:
    """The outermost type alone; `_find_problem` looks at entries one by one."""
    match kind:
        case Kind.STRING:
            return isinstance(value, str)
        case Kind.BOOLEAN:
            return isinstance(value, bool)
        case Kind.INTEGER:
            return isinstance(value, int) and not isinstance(value, bool)
        case Kind.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case Kind.STRINGS | Kind.HOOKS:
            return isinstance(value, list)
        case Kind.STRING_MAP | Kind.TABLE:
            return isinstance(value, dict)


def _is_simple(value: Any) -> bool:
    return not isinstance(value, list | dict)


def _type_word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    kinds: tuple[tuple[type, str], ...] = (
        (str, "a string"),
        (int, "a whole number"),
        (float, "a number"),
        (list, "a list"),
        (dict, "a table"),
    )
    return next((word for kind, word in kinds if isinstance(value, kind)), "a date or time")
