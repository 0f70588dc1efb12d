"""JSON Schema of both files, from the same description that validates them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devenv.config.hooks import entry_schema
from devenv.config.spec import PROFILE, SETTINGS, Key, Kind

_TYPES: Mapping[Kind, dict[str, Any]] = {
    Kind.STRING: {"type": "string"},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.INTEGER: {"type": "integer"},
    Kind.NUMBER: {"type": "number"},
    Kind.STRINGS: {"type": "array", "items": {"type": "string"}},
    Kind.STRING_MAP: {"type": "object", "additionalProperties": {"type": "string"}},
}


def render_schema() -> dict[str, Any]:
    """JSON Schema 2020-12: `$defs.settings` for devenv.toml, `$defs.profile` for profiles/*.toml.

    The whole accepts either.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "devenv",
        "$defs": {
            "settings": _table("devenv.toml", SETTINGS),
            "profile": _table("profiles/*.toml", PROFILE),
        },
        "anyOf": [{"$ref": "#/$defs/settings"}, {"$ref": "#/$defs/profile"}],
    }


def _table(title: str, keys: Mapping[str, Key]) -> dict[str, Any]:
    return {
        "title": title,
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _key(key) for name, key in keys.items()},
    }


def _key(key: Key) -> dict[str, Any]:
    if key.kind is Kind.TABLE:
        schema = _table(key.help, key.keys)
        schema["description"] = schema.pop("title")
        return schema
    if key.kind is Kind.HOOKS:
        return {"type": "array", "items": entry_schema(), "description": key.help}
    schema = {**_TYPES[key.kind], "description": key.help}
    if key.choices and key.kind is Kind.STRING_MAP:
        schema["additionalProperties"] = {"type": "string", "enum": list(key.choices)}
    elif key.choices:
        schema["enum"] = list(key.choices)
    if key.default is not None:
        schema["default"] = key.default
    if key.minimum is not None:
        schema["minimum"] = key.minimum
    return schema
