"""From model, containers and the running operation to one state per service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from devenv.compose.graph import resolve_start_order
from devenv.compose.model import Condition, Dependency, Project, Service
from devenv.compose.names import ServiceName
from devenv.state.containers import Container, Health
from devenv.state.drift import resolve_drift
from devenv.state.model import (
    BROKEN,
    READY,
    Hold,
    InactiveService,
    OperationKind,
    ServiceState,
    ServiceStatus,
    State,
)
from devenv.state.usage import add_usage

RESTARTS_THAT_FAIL = 3
"""A container that the engine restarted this often, and that is down again, has failed."""
SIGNAL_CODES = frozenset({137, 143})
"""What a container ends with on a stop that its main process did not answer by itself."""

_STARTING_OPERATIONS = frozenset(
    {OperationKind.UP, OperationKind.START, OperationKind.RESTART, OperationKind.RECREATE}
)
_CONDITION_WORDS: Mapping[Condition, str] = {
    Condition.STARTED: "waits for {} to start",
    Condition.HEALTHY: "waits for {} to be healthy",
    Condition.COMPLETED: "waits for {} to complete",
}


def resolve_services(state: State) -> tuple[ServiceState, ...]:
    """The selection's services in start order, then those that only have containers left, then
    those that the profile leaves out."""
    by_service: dict[ServiceName, list[Container]] = {}
    for container in state.containers.values():
        by_service.setdefault(container.service, []).append(container)
    for containers in by_service.values():
        containers.sort(key=lambda container: container.number)
    project = state.project
    names = _ordered_names(project)
    rows = [
        _resolve_service(state, project.services[name], by_service)
        for name in names
        if project is not None
    ]
    inactive = {one.name: one for one in state.inactive}
    idle = [row for row in rows if row.name in inactive and row.status is ServiceStatus.STOPPED]
    rows = [row for row in rows if row not in idle]
    rows += [
        _resolve_unselected(state, name, by_service[name], known=project is not None)
        for name in sorted(set(by_service) - set(names))
    ]
    left_out = {row.name for row in idle} | (set(inactive) - set(names) - set(by_service))
    rows += [
        ServiceState(name, ServiceStatus.UNSELECTED, detail=_inactive_words(inactive[name]))
        for name in sorted(left_out)
    ]
    return tuple(rows)


def _inactive_words(service: InactiveService) -> str:
    profiles = service.compose_profiles
    if not profiles:
        return "the profile's services do not name it"
    return f"Compose profile{'s' if len(profiles) > 1 else ''}: {', '.join(profiles)}"


def _ordered_names(project: Project | None) -> list[ServiceName]:
    if project is None:
        return []
    order = resolve_start_order(project.services)
    names = [name for wave in order.waves for name in wave]
    return names + sorted(set(project.services) - set(names))


def _resolve_service(
    state: State, service: Service, by_service: Mapping[ServiceName, Sequence[Container]]
) -> ServiceState:
    containers = tuple(by_service.get(service.name, ()))
    status, detail = resolve_status(containers)
    hold = None
    if status is ServiceStatus.STOPPED and _is_starting(state, service.name):
        hold = resolve_hold(service, by_service)
        if service.name in state.building:
            status, detail, hold = ServiceStatus.BUILDING, state.building[service.name], None
        elif hold is not None:
            status, detail = ServiceStatus.WAITING, hold.reason
        elif service.replicas > 0:
            status, detail = ServiceStatus.STARTING, "being created"
    elif service.name in state.building:
        detail = f"building: {state.building[service.name]}"
    return ServiceState(
        name=service.name,
        status=status,
        hold=hold,
        detail=detail,
        containers=containers,
        problem=state.problems.get(service.name) if status not in READY else None,
        usage=add_usage(state.usage, containers),
        drift=resolve_drift(state, service.name, containers),
    )


def _resolve_unselected(
    state: State, name: ServiceName, containers: Sequence[Container], *, known: bool
) -> ServiceState:
    """A service with containers but outside the selection; all of them while no model loads."""
    status, detail = resolve_status(containers)
    if name in state.environment.shared:
        detail = " · ".join(part for part in (detail, "shared by all environments") if part)
    elif known:
        detail = f"{status.value}, not in this profile"
    return ServiceState(
        name=name,
        status=status,
        detail=detail,
        containers=tuple(containers),
        problem=state.problems.get(name) if status in BROKEN else None,
        usage=add_usage(state.usage, containers),
    )


def _is_starting(state: State, name: ServiceName) -> bool:
    operation = state.operation
    if operation is None or operation.finished or operation.kind not in _STARTING_OPERATIONS:
        return False
    return not operation.services or name in operation.services


def resolve_status(containers: Sequence[Container]) -> tuple[ServiceStatus, str]:
    """Status and detail of a service from its containers; the worst of its replicas counts."""
    if not containers:
        return ServiceStatus.STOPPED, ""
    each = [_container_status(container) for container in containers]
    status, detail = min(each, key=lambda item: _SEVERITY.index(item[0]))
    if len(each) > 1:
        ready = sum(1 for word, _ in each if word in READY)
        count = f"{ready} of {len(each)} up"
        detail = f"{count}, {detail}" if detail else count
    return status, detail


_SEVERITY = (
    ServiceStatus.FAILED,
    ServiceStatus.UNHEALTHY,
    ServiceStatus.RESTARTING,
    ServiceStatus.STOPPED,
    ServiceStatus.PAUSED,
    ServiceStatus.STARTING,
    ServiceStatus.COMPLETED,
    ServiceStatus.RUNNING,
    ServiceStatus.HEALTHY,
)


def _container_status(container: Container) -> tuple[ServiceStatus, str]:
    match container.state:
        case "running":
            return {
                Health.NONE: (ServiceStatus.RUNNING, ""),
                Health.STARTING: (ServiceStatus.STARTING, "health check under way"),
                Health.HEALTHY: (ServiceStatus.HEALTHY, ""),
                Health.UNHEALTHY: (ServiceStatus.UNHEALTHY, "health check fails"),
            }[container.health]
        case "paused":
            return ServiceStatus.PAUSED, ""
        case "restarting":
            detail = f"exit code {container.exit_code}, restart {container.restart_count}"
            if container.restart_count >= RESTARTS_THAT_FAIL and container.exit_code:
                return ServiceStatus.FAILED, detail
            return ServiceStatus.RESTARTING, detail
        case "exited" | "dead":
            return _exited_status(container)
        case _:
            return ServiceStatus.STOPPED, ""


def _exited_status(container: Container) -> tuple[ServiceStatus, str]:
    if container.oom_killed:
        return ServiceStatus.FAILED, "out of memory"
    if container.exit_code == 0 and not container.stopped:
        return ServiceStatus.COMPLETED, "exit code 0"
    # Where nobody saw how it ended, the exit codes of SIGKILL and SIGTERM are taken for a stop's.
    if container.stopped or (container.stopped is None and container.exit_code in SIGNAL_CODES):
        return ServiceStatus.STOPPED, f"exit code {container.exit_code}"
    return ServiceStatus.FAILED, f"exit code {container.exit_code}"


def resolve_hold(
    service: Service, by_service: Mapping[ServiceName, Sequence[Container]]
) -> Hold | None:
    """The first dependency whose condition is not met yet, or None.

    Spec: compose-spec 05-services.md#depends_on.
    """
    for edge in service.dependencies:
        if edge.required and not is_met(edge, by_service.get(edge.service, ())):
            return Hold(
                edge.service, edge.condition, _CONDITION_WORDS[edge.condition].format(edge.service)
            )
    return None


def is_met(edge: Dependency, containers: Sequence[Container]) -> bool:
    """Whether all containers of a dependency meet the edge's condition."""
    if not containers:
        return False
    match edge.condition:
        case Condition.STARTED:
            return all(container.started_at is not None for container in containers)
        case Condition.HEALTHY:
            return all(
                container.state == "running" and container.health is Health.HEALTHY
                for container in containers
            )
        case Condition.COMPLETED:
            return all(
                container.state == "exited" and container.exit_code == 0 for container in containers
            )
