"""What is seen of a start while it happens: build steps, pulls, runs of containers, probes.

Times are the engine's own where it gives them (creation, starts, ends, probes), else those at
which a line of output was read. `state/timeline.py` makes the timeline from it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from devenv.compose.graph import resolve_closure
from devenv.compose.names import ServiceName
from devenv.state import actions as do
from devenv.state.containers import Container, Health, Probe
from devenv.state.model import OperationKind, State
from devenv.state.readiness import resolve_outcome
from devenv.state.start_seen import (
    BuildStepRun,
    ContainerSeen,
    Run,
    ServiceSeen,
    StartOutcome,
    StartSeen,
)
from devenv.values import replace

MAX_KEPT = 40
"""How many runs, and how many probes, of one container are kept: the first ones and the last."""
STARTING = frozenset(
    {OperationKind.UP, OperationKind.START, OperationKind.RESTART, OperationKind.RECREATE}
)

_T = TypeVar("_T")


def see_start(state: State, action: do.Action) -> StartSeen | None:
    """The start as seen after `action`, which led to `state`."""
    match action:
        case do.OperationStarted(operation):
            if operation.kind not in STARTING or operation.waiting or operation.finished:
                return state.start
            if state.start is not None and state.start.started_at == operation.started_at:
                return state.start
            begun = StartSeen(operation.started_at, _wanted(state))
            return _see_containers(begun, state.containers.values())
        case _:
            pass
    start = state.start
    if start is None or start.closed or not _is_its(start, state):
        return start
    match action:
        case do.ContainersObserved(containers):
            start = _see_containers(start, containers)
        case do.ContainerChanged(container):
            start = _see_containers(start, (container,))
        case do.BuildStepped(service, step):
            start = _put(start, service, _with_step(_service(start, service), step))
        case do.PullStepped(services, pull):
            for name in services:
                start = _put(start, name, replace(_service(start, name), pull=pull))
        case do.OperationFinished(_, _, at):
            start = replace(start, ended_at=at)
        case do.StartClosed(started_at):
            return replace(start, closed=start.started_at == started_at)
    return replace(start, outcome=_outcome(state, start))


def _is_its(start: StartSeen, state: State) -> bool:
    return state.operation is not None and state.operation.started_at == start.started_at


def _wanted(state: State) -> frozenset[ServiceName]:
    operation, project = state.operation, state.project
    if operation is None or project is None:
        return frozenset()
    names = operation.services or tuple(project.services)
    if operation.kind is OperationKind.UP:
        names = tuple(resolve_closure(project, names))
    return frozenset(names) - frozenset(operation.without)


def _outcome(state: State, start: StartSeen) -> StartOutcome:
    outcome = resolve_outcome(state, start.wanted)
    if outcome is None:
        return StartOutcome.UNDER_WAY
    if not outcome.good or (state.operation is not None and state.operation.problem is not None):
        return StartOutcome.FAILED
    return StartOutcome.READY


def _service(start: StartSeen, name: ServiceName) -> ServiceSeen:
    return start.services.get(name, ServiceSeen())


def _put(start: StartSeen, name: ServiceName, seen: ServiceSeen) -> StartSeen:
    return replace(start, services={**start.services, name: seen})


def _with_step(seen: ServiceSeen, step: BuildStepRun) -> ServiceSeen:
    if any(one.key == step.key for one in seen.steps):
        steps = tuple(step if one.key == step.key else one for one in seen.steps)
    else:
        steps = (*seen.steps, step)
    return replace(seen, steps=steps)


def _see_containers(start: StartSeen, containers: Iterable[Container]) -> StartSeen:
    services: dict[ServiceName, ServiceSeen] = dict(start.services)
    for container in containers:
        seen = services.get(container.service, ServiceSeen())
        before = seen.containers.get(container.id, ContainerSeen())
        after = see_container(before, container)
        if after != before:
            each = {**seen.containers, container.id: after}
            services[container.service] = replace(seen, containers=each)
    return replace(start, services=services)


def see_container(seen: ContainerSeen, container: Container) -> ContainerSeen:
    """What is known of a container once it was looked at again."""
    runs = seen.runs
    if container.started_at is not None:
        ended = container.state in ("exited", "dead", "restarting")
        run = Run(
            container.started_at,
            container.finished_at if ended else None,
            container.exit_code if ended else None,
        )
        runs = _bounded((*(one for one in runs if one.started_at != run.started_at), run))
    known = {probe.started_at for probe in seen.probes}
    new = tuple(probe for probe in container.probes if probe.started_at not in known)
    probes = _bounded((*seen.probes, *new))
    healthy_at = None
    if container.health is Health.HEALTHY and runs:
        healthy_at = _healthy_at(probes, runs[-1])
    return ContainerSeen(container.created_at or seen.created_at, runs, probes, healthy_at)


def _healthy_at(probes: tuple[Probe, ...], run: Run) -> float:
    """The end of the first good probe of a run; its start where the engine kept none."""
    good = [p.ended_at for p in probes if p.exit_code == 0 and p.started_at >= run.started_at]
    return min(good, default=run.started_at)


def _bounded(values: tuple[_T, ...]) -> tuple[_T, ...]:
    if len(values) <= MAX_KEPT:
        return values
    return (*values[: MAX_KEPT // 2], *values[-(MAX_KEPT // 2) :])
