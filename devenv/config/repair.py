"""What to write instead of a value of the wrong type: the line as it would be right."""

from __future__ import annotations

import json
from typing import Any

from devenv.config.spec import Key, Kind

_LONGEST = 60
"""A value longer than this is not repeated."""


def render_repair(name: str, value: Any, key: Key) -> str:
    """The fix for a value that is not of the key's kind; `name` is the last part of the key."""
    match key.kind:
        case Kind.STRING if key.choices:
            return "one of: " + ", ".join(f'{name} = "{choice}"' for choice in key.choices)
        case Kind.STRING:
            return f"in quotes: {name} = {_quote(value, 'text')}"
        case Kind.BOOLEAN:
            return f"without quotes: {name} = true, or {name} = false"
        case Kind.INTEGER | Kind.NUMBER:
            return f"without quotes, such as {name} = {key.default}"
        case Kind.STRINGS | Kind.HOOKS:
            return f"in brackets: {name} = [{_quote(value, 'text')}]"
        case Kind.STRING_MAP:
            return f'a table: {name} = {{ "KEY" = "value" }}, or below a line [{name}]'
        case Kind.TABLE:
            return f"a line [{name}], and below it any of: {', '.join(key.keys)}"


def render_entry_repair(name: str, key: Key) -> str:
    """The fix for an entry that is a table or a list where a string belongs."""
    if key.kind is Kind.STRING_MAP:
        return f'"{name}" = "value"; a name with a dot in it needs its quotes'
    return "each entry is one string in quotes, with commas between them"


def render_bound_repair(name: str, key: Key) -> str:
    """The fix for a number that is too small, or is none."""
    return f"{name} = {key.default} is the default"


def _quote(value: Any, instead: str) -> str:
    """A string or number in TOML's quotes; `instead` for what is neither, or is long."""
    simple = isinstance(value, str | int | float) and not isinstance(value, bool)
    text = str(value) if simple and len(str(value)) <= _LONGEST else instead
    return json.dumps(text, ensure_ascii=False)
