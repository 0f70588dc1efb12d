"""The lower bound of a cold start as a line, and as JSON values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from devenv.checks.finding import StartBound


def render_start_bound(bound: StartBound) -> str:
    """One line without its end; empty where nothing waits for time."""
    if bound.costliest is None:
        return ""
    service, waits_for, seconds = bound.costliest
    where = f" ({bound.profile})" if bound.profile else ""
    line = f"start{where}: at least {bound.seconds:g} s along {' → '.join(bound.path)}"
    line += f"; {service} waits {seconds:g} s for the first probe of {waits_for}"
    if bound.change:
        line += f", and {bound.change} there would save {bound.saved_seconds:g} s"
    if not bound.is_complete:
        line += " (some health checks are not known)"
    return line


def render_start_bounds(bounds: Iterable[StartBound]) -> str:
    """A line for each profile whose start waits for time; empty where none does."""
    return "".join(f"{line}\n" for bound in bounds if (line := render_start_bound(bound)))


def start_bound_to_json(bound: StartBound) -> dict[str, Any]:
    """The same as JSON values, seconds as numbers."""
    costliest = bound.costliest
    return {
        "profile": bound.profile,
        "seconds": bound.seconds,
        "path": list(bound.path),
        "costliest": None
        if costliest is None
        else {"service": costliest[0], "waits_for": costliest[1], "seconds": costliest[2]},
        "change": bound.change,
        "saved_seconds": bound.saved_seconds,
        "complete": bound.is_complete,
    }
