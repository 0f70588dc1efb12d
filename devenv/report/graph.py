"""The dependency graph as text, JSON values or a Mermaid diagram, with start times on request."""

from __future__ import annotations

import re
from typing import Any

from devenv.checks.finding import StartBound
from devenv.compose.graph import StartOrder, resolve_start_order
from devenv.compose.model import Condition, Dependency, Project, Service
from devenv.compose.names import ServiceName
from devenv.compose.timing import StartTimes
from devenv.report.start_bound import render_start_bound, start_bound_to_json

_WORDS = {
    Condition.STARTED: "started",
    Condition.HEALTHY: "healthy",
    Condition.COMPLETED: "completed",
}


def render_graph(
    project: Project, times: StartTimes | None = None, bound: StartBound | None = None
) -> str:
    """The start order: numbered waves, under each service what it waits on."""
    order = resolve_start_order(project.services)
    lines: list[str] = []
    for number, wave in enumerate(order.waves, start=1):
        for name in wave:
            lines.append(f"{number}  {name}{_times_note(name, times)}")
            lines += _dependency_lines(project.services[name], times)
    for cycle in order.cycles:
        lines.append("cycle: " + " → ".join((*cycle, cycle[0])))
    stuck = sorted(set(project.services) - {name for wave in order.waves for name in wave})
    if stuck:
        lines.append("cannot start: " + ", ".join(stuck))
    if times is not None and lines:
        line = render_start_bound(bound) if bound is not None else ""
        lines += ["", line or "start: nothing waits for a first probe"]
    return "\n".join(lines or ["no services in this selection"]) + "\n"


def _times_note(name: ServiceName, times: StartTimes | None) -> str:
    """When a service can start and is probed first; empty where that is not asked or known."""
    start = times.starts.get(name) if times is not None else None
    if times is None or start is None:
        return ""
    note = f": from {start:g} s"
    probe = times.first_probes.get(name)
    return note if probe is None else f"{note}, first probe at {start + probe:g} s"


def _dependency_lines(service: Service, times: StartTimes | None) -> list[str]:
    lines = []
    for edge in service.dependencies:
        notes = [] if edge.required else ["optional"]
        if edge.implied_by:
            notes.append(f"by {edge.implied_by}")
        seconds = edge_seconds(edge, times)
        if seconds is not None:
            notes.append(f"{seconds:g} s")
        note = f" ({', '.join(notes)})" if notes else ""
        lines.append(f"   waits for {edge.service} {_WORDS[edge.condition]}{note}")
    return lines


def edge_seconds(edge: Dependency, times: StartTimes | None) -> float | None:
    """What waiting for a health check costs at least; None where that is not asked or known."""
    if times is None or edge.condition is not Condition.HEALTHY:
        return None
    return times.first_probes.get(edge.service)


def graph_to_json(
    project: Project, times: StartTimes | None = None, bound: StartBound | None = None
) -> dict[str, Any]:
    """Waves, edges and cycles as JSON values; with times also `start`."""
    order: StartOrder = resolve_start_order(project.services)
    document: dict[str, Any] = {
        "waves": [list(wave) for wave in order.waves],
        "edges": [
            {
                "service": name,
                "waits_for": edge.service,
                "condition": edge.condition.value,
                "required": edge.required,
            }
            for name, service in sorted(project.services.items())
            for edge in service.dependencies
        ],
        "cycles": [list(cycle) for cycle in order.cycles],
    }
    if times is not None:
        document["start"] = {
            **(start_bound_to_json(bound) if bound is not None else {}),
            "services": {
                name: {"starts": start, "first_probe": times.first_probes.get(name)}
                for name, start in sorted(times.starts.items())
            },
            "critical_path": [
                {
                    "service": wait.service,
                    "waits_for": wait.waits_for,
                    "condition": wait.condition.value,
                    "seconds": wait.seconds,
                }
                for wait in times.critical_path
            ],
        }
    return document


def render_mermaid(project: Project, times: StartTimes | None = None) -> str:
    """A Mermaid flowchart: an arrow goes from a dependency to what waits on it.

    With times, the critical path has thick arrows.
    """
    critical = {(wait.service, wait.waits_for) for wait in times.critical_path} if times else set()
    lines = ["flowchart LR"]
    for name in sorted(project.services):
        start = times.starts.get(name) if times is not None else None
        note = f" {start:g} s" if start is not None else ""
        lines.append(f'  {_node(name)}["{name}{note}"]')
    for name, service in sorted(project.services.items()):
        for edge in service.dependencies:
            arrow = "-->" if edge.required else "-.->"
            if (name, edge.service) in critical:
                arrow = "==>"
            seconds = edge_seconds(edge, times)
            note = f" {seconds:g} s" if seconds is not None else ""
            label = _WORDS[edge.condition] + note
            lines.append(f"  {_node(edge.service)} {arrow}|{label}| {_node(name)}")
    return "\n".join(lines) + "\n"


def _node(name: str) -> str:
    return "s_" + re.sub(r"\W", lambda found: f"_{ord(found[0]):x}_", name)
