"""The dependency graph as text, JSON values or a Mermaid diagram."""

from __future__ import annotations

import re
from typing import Any

from devenv.compose.graph import StartOrder, resolve_start_order
from devenv.compose.model import Condition, Project, Service

_WORDS = {
    Condition.STARTED: "started",
    Condition.HEALTHY: "healthy",
    Condition.COMPLETED: "completed",
}


def render_graph(project: Project) -> str:
    """The start order: numbered waves, under each service what it waits on."""
    order = resolve_start_order(project.services)
    lines: list[str] = []
    for number, wave in enumerate(order.waves, start=1):
        for name in wave:
            lines.append(f"{number}  {name}")
            lines += _dependency_lines(project.services[name])
    for cycle in order.cycles:
        lines.append("cycle: " + " → ".join((*cycle, cycle[0])))
    stuck = sorted(set(project.services) - {name for wave in order.waves for name in wave})
    if stuck:
        lines.append("cannot start: " + ", ".join(stuck))
    return "\n".join(lines or ["no services in this selection"]) + "\n"


def _dependency_lines(service: Service) -> list[str]:
    lines = []
    for edge in service.dependencies:
        notes = [] if edge.required else ["optional"]
        if edge.implied_by:
            notes.append(f"by {edge.implied_by}")
        note = f" ({', '.join(notes)})" if notes else ""
        lines.append(f"   waits for {edge.service} {_WORDS[edge.condition]}{note}")
    return lines


def graph_to_json(project: Project) -> dict[str, Any]:
    """Waves, edges and cycles as JSON values."""
    order: StartOrder = resolve_start_order(project.services)
    return {
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


def render_mermaid(project: Project) -> str:
    """A Mermaid flowchart: an arrow goes from a dependency to what waits on it."""
    lines = ["flowchart LR"]
    for name in sorted(project.services):
        lines.append(f'  {_node(name)}["{name}"]')
    for name, service in sorted(project.services.items()):
        for edge in service.dependencies:
            arrow = "-->" if edge.required else "-.->"
            lines.append(f"  {_node(edge.service)} {arrow}|{_WORDS[edge.condition]}| {_node(name)}")
    return "\n".join(lines) + "\n"


def _node(name: str) -> str:
    return "s_" + re.sub(r"\W", lambda found: f"_{ord(found[0]):x}_", name)
