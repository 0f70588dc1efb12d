"""The dependency graph: what waits on what, and in which order services can start."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from devenv.compose.model import Condition, Project, Service
from devenv.compose.names import ServiceName
from devenv.values import dataclass

MAX_CYCLES = 100
_MAX_STEPS = 20_000

Name = TypeVar("Name", bound=str)


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
    return StartOrder(tuple(waves), find_cycles(remaining))


def find_cycles(edges: Mapping[Name, Collection[Name]]) -> tuple[tuple[Name, ...], ...]:
    """Each cycle once, starting at its alphabetically first name, sorted.

    A graph can have more cycles than anybody reads: after MAX_CYCLES the search ends, and what
    is not found then has at least its shortest cycle through each edge.
    """
    known = {name: sorted({one for one in edges[name] if one in edges}) for name in edges}
    owners: dict[Name, list[Name]] = {}
    for name, targets in known.items():
        for target in targets:
            owners.setdefault(target, []).append(name)
    found: set[tuple[Name, ...]] = set()
    budget = [_MAX_STEPS]
    for start in sorted(known):
        _add_cycles_from(start, known, _reaching(start, owners), found, budget)
        if budget[0] <= 0 or len(found) >= MAX_CYCLES:
            _add_shortest_cycles(known, found)
            break
    return tuple(sorted(found)[:MAX_CYCLES])


def _add_cycles_from(
    start: Name,
    edges: Mapping[Name, Sequence[Name]],
    returning: Collection[Name],
    found: set[tuple[Name, ...]],
    budget: list[int],
) -> None:
    """The cycles whose first name is `start`, depth first; `budget` counts the steps left."""
    trail = [start]
    pending = [iter(edges[start])]
    while pending and budget[0] > 0 and len(found) < MAX_CYCLES:
        budget[0] -= 1
        step = next(pending[-1], None)
        if step is None:
            pending.pop()
            trail.pop()
        elif step == start:
            found.add(tuple(trail))
        elif step in returning and step not in trail:
            trail.append(step)
            pending.append(iter(edges[step]))


def _reaching(start: Name, owners: Mapping[Name, Sequence[Name]]) -> set[Name]:
    """The names after `start` from which a way leads back to it over names after it."""
    reached: set[Name] = set()
    pending = [start]
    while pending:
        for owner in owners.get(pending.pop(), ()):
            if owner > start and owner not in reached:
                reached.add(owner)
                pending.append(owner)
    return reached


def _add_shortest_cycles(
    edges: Mapping[Name, Sequence[Name]], found: set[tuple[Name, ...]]
) -> None:
    """For each edge that is on a cycle, a shortest one through it."""
    for name in sorted(edges):
        for target in edges[name]:
            if len(found) >= 2 * MAX_CYCLES:
                return
            way = _shortest_way(target, name, edges)
            if way is not None:
                first = way.index(min(way))
                found.add(tuple(way[first:] + way[:first]))


def _shortest_way(
    start: Name, end: Name, edges: Mapping[Name, Sequence[Name]]
) -> list[Name] | None:
    came_from: dict[Name, Name | None] = {start: None}
    pending = deque([start])
    while pending:
        name = pending.popleft()
        if name == end:
            way = [name]
            while (before := came_from[way[-1]]) is not None:
                way.append(before)
            return way[::-1]
        for step in edges[name]:
            if step not in came_from:
                came_from[step] = name
                pending.append(step)
    return None


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
