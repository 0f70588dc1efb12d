"""The dependency graph: what waits on what, and in which order services can start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from devenv.compose.model import Condition, Project, Service
from devenv.compose.names import ServiceName


@dataclass(frozen=True, slots=True)
class StartOrder:
    """Services in waves: those of one wave wait only on services of earlier waves."""

    waves: tuple[tuple[ServiceName, ...], ...]
    cycles: tuple[tuple[ServiceName, ...], ...] = ()
    """Each cycle once, starting at its alphabetically first service; their services are in no
    wave, nor are those that wait on them."""


def resolve_start_order(services: Mapping[ServiceName, Service]) -> StartOrder:
    """The start order by `depends_on` and the edges that other keys imply.

    Edges to services outside the selection are left out. Inside a wave, names are sorted.
    """
    remaining = {
        name: {edge.service for edge in service.dependencies if edge.service in services}
        for name, service in services.items()
    }
    waves: list[tuple[ServiceName, ...]] = []
    while True:
        wave = tuple(sorted(name for name, waits in remaining.items() if not waits))
        if not wave:
            break
        waves.append(wave)
        for name in wave:
            del remaining[name]
        for waits in remaining.values():
            waits.difference_update(wave)
    return StartOrder(tuple(waves), _find_cycles(remaining))


def _find_cycles(
    edges: Mapping[ServiceName, set[ServiceName]],
) -> tuple[tuple[ServiceName, ...], ...]:
    cycles: set[tuple[ServiceName, ...]] = set()
    for start in sorted(edges):
        trail = [start]
        seen = {start: 0}
        while True:
            following = sorted(name for name in edges[trail[-1]] if name in edges)
            if not following:
                break
            step = following[0]
            if step in seen:
                cycle = trail[seen[step] :]
                first = cycle.index(min(cycle))
                cycles.add(tuple(cycle[first:] + cycle[:first]))
                break
            seen[step] = len(trail)
            trail.append(step)
    return tuple(sorted(cycles))


def resolve_closure(project: Project, names: Iterable[ServiceName]) -> frozenset[ServiceName]:
    """The named services and all that they wait on, directly or not."""
    found: set[ServiceName] = set()
    pending = [name for name in names if name in project.services]
    while pending:
        name = pending.pop()
        if name in found:
            continue
        found.add(name)
        pending.extend(
            edge.service
            for edge in project.services[name].dependencies
            if edge.service in project.services
        )
    return frozenset(found)


def awaited_completions(services: Mapping[ServiceName, Service]) -> frozenset[ServiceName]:
    """The services that another one waits to see completed: one-shots by declaration."""
    return frozenset(
        edge.service
        for service in services.values()
        for edge in service.dependencies
        if edge.condition is Condition.COMPLETED
    )
