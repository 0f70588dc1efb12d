"""The watch plan as text and as the JSON of the contract."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from devenv.compose.watch import Input, Place, PlannedChange
from devenv.report.tables import render_table


def changes_to_json(changes: Iterable[PlannedChange], directory: str) -> list[dict[str, Any]]:
    """The contract of `watch --explain --format json`; paths relative to the project directory."""
    return [
        {
            "path": _relative(change.path, directory),
            "service": change.service,
            "action": change.action.value,
            "target": change.target,
            "reason": change.reason,
            "because": _place_to_json(change.because, directory),
        }
        for change in changes
    ]


def render_changes(changes: Sequence[PlannedChange], directory: str) -> str:
    """One paragraph for each path: service, action, target, then why and where it says so."""
    lines: list[str] = []
    path = None
    for change in changes:
        if change.path != path:
            lines += (
                ["", _relative(change.path, directory)]
                if lines
                else [_relative(change.path, directory)]
            )
            path = change.path
        head = f"  {change.service or '(all)':<12} {change.action.value}"
        if change.service is None and change.action.value == "ignore":
            head = "  ignore"
        if change.target:
            head += f"  →  {change.target}"
        lines.append(head)
        where = f"  ({render_place(change.because, directory)})" if change.because else ""
        lines.append(f"    {change.reason}{where}")
    return "\n".join(lines) + "\n" if lines else ""


def inputs_to_json(
    inputs: Iterable[Input], directory: str, writable: Callable[[Input], bool | None]
) -> list[dict[str, Any]]:
    """What `watch --list --format json` prints.

    `writable` tells whether the container's user can change what is synced for an input; None
    where nothing is synced, or no container runs.
    """
    return [
        {
            "service": one.service,
            "path": _relative(one.path, directory),
            "use": one.use,
            "target": one.target,
            "because": _place_to_json(one.because, directory),
            "writable": writable(one),
        }
        for one in inputs
    ]


def render_inputs(inputs: Iterable[Input], directory: str) -> str:
    """A table, the whole model's files first, then each service's."""
    rows = [
        (
            one.service or "(model)",
            _relative(one.path, directory),
            one.use,
            one.target or "",
            render_place(one.because, directory) if one.because else "",
        )
        for one in inputs
    ]
    return render_table(("SERVICE", "PATH", "USE", "IN THE CONTAINER", "BECAUSE"), rows)


def render_place(place: Place, directory: str) -> str:
    """`compose.yaml:8`."""
    line = f":{place.line}" if place.line is not None else ""
    return f"{_relative(place.path, directory)}{line}"


def _place_to_json(place: Place | None, directory: str) -> dict[str, Any] | None:
    if place is None:
        return None
    return {"path": _relative(place.path, directory), "line": place.line}


def _relative(path: str, directory: str) -> str:
    return posixpath.relpath(path, directory)
