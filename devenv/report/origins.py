"""The origins of values as text for people, and as JSON values."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from devenv.compose.origin import Origin, OriginKind, VariableOrigin
from devenv.compose.secrets import mask_value
from devenv.errors import Source
from devenv.report.excerpts import flatten

Show = Callable[[str], str]
"""An absolute path as it is shown."""
Layer = Callable[[str], str]
"""An absolute path to what the file is to the selection."""


def render_origin(
    path: str, value: object, origin: Origin, show: Show, layer: Layer, *, reveal: bool = False
) -> str:
    """One value with its place, what it hid, and what it came through; lines with their ends."""
    lines = [f"{path} = {show_value(path, value, reveal=reveal)}"]
    if origin.source is not None:
        note = f", {origin.note}" if origin.note else ""
        lines.append(f"  {_place(origin.source, show)} ({layer(origin.source.path)}{note})")
    else:
        lines.append(f"  {_without_place(origin)}")
    lines += [f"  through {_variable(one, show)}" for one in origin.variables]
    lines += [f"  instead of {_place(one, show)} ({layer(one.path)})" for one in origin.overrode]
    if origin.appended:
        lines.append("  in a list that is joined from several files")
    return "".join(f"{flatten(line)}\n" for line in lines)


def render_origin_line(
    path: str, value: object, origin: Origin, show: Show, *, reveal: bool = False
) -> str:
    """One value with its place, on one line with its end."""
    where = _place(origin.source, show) if origin.source else _without_place(origin)
    return flatten(f"{path} = {show_value(path, value, reveal=reveal)}  # {where}") + "\n"


def origin_to_json(
    path: str, value: object, origin: Origin, show: Show, layer: Layer, *, reveal: bool = False
) -> dict[str, Any]:
    """The same as JSON values; `source` is null unless a file gives the value."""
    return {
        "path": path,
        "value": value if reveal else _masked(path, value),
        "origin": origin.kind.value,
        "source": _source(origin.source, show, layer) if origin.source else None,
        "note": origin.note,
        "variables": [
            {
                "name": one.name,
                "where": one.where or None,
                "source": _source(one.source, show, layer) if one.source else None,
            }
            for one in origin.variables
        ],
        "instead_of": [_source(one, show, layer) for one in origin.overrode],
        "appended": origin.appended,
    }


def show_value(path: str, value: object, *, reveal: bool = False) -> str:
    """The value in one line, masked where it may be secret."""
    return json.dumps(value if reveal else _masked(path, value), ensure_ascii=False)


def _masked(path: str, value: object) -> object:
    name = path.rsplit(".", 1)[-1].strip('"')
    return mask_value(name, value) if isinstance(value, str) else value


def _source(source: Source, show: Show, layer: Layer) -> dict[str, Any]:
    return {
        "path": show(source.path),
        "line": source.line,
        "column": source.column,
        "layer": layer(source.path),
    }


def _place(source: Source, show: Show) -> str:
    parts = [show(source.path), source.line, source.column]
    return ":".join(str(part) for part in parts if part is not None)


def _without_place(origin: Origin) -> str:
    if origin.kind is OriginKind.DEFAULT:
        return f"set by no file: {origin.note}" if origin.note else "set by no file"
    return "its origin is not known"


def _variable(one: VariableOrigin, show: Show) -> str:
    where = _place(one.source, show) if one.source else one.where
    return f"{one.name}: {where}"
