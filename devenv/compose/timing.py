"""How long a cold start takes at least, and where the time goes.

The engine probes a container for the first time one `interval` after its start (from engine 25,
one `start_interval` while a `start_period` runs), however soon the service is ready. So each
`service_healthy` edge costs that much, and the edges of a chain add up. What nobody can know
beforehand counts as nothing: how long a process runs until it completes, how long a service
needs until its probe passes. The sum is therefore a lower bound.
"""

from __future__ import annotations

from collections.abc import Mapping

from devenv.compose.effective_health import Health
from devenv.compose.graph import resolve_start_order
from devenv.compose.model import Condition, Healthcheck, Service
from devenv.compose.names import ServiceName
from devenv.values import dataclass

EngineVersion = tuple[int, int, int]

START_INTERVAL_ENGINE: EngineVersion = (25, 0, 0)
"""The first engine with `start_interval`. Spec: Docker Engine 25.0 release notes."""
DEFAULT_START_INTERVAL_SECONDS = 5.0
"""What such an engine takes where a `start_period` is set and no `start_interval`."""
QUICK_PROBE_SECONDS = 1.0
"""The first probe that savings are reckoned with."""


@dataclass(frozen=True, slots=True)
class Wait:
    """An edge on the way to a service's start: `service` waits at least `seconds` for it."""

    service: ServiceName
    waits_for: ServiceName
    condition: Condition
    seconds: float


@dataclass(frozen=True, slots=True)
class StartTimes:
    """Lower bounds of a cold start, in seconds from when the first container starts."""

    starts: Mapping[ServiceName, float]
    """When each service can start; without services of a cycle and those behind one."""
    first_probes: Mapping[ServiceName, float]
    """Seconds from the start of a service with a health check to its first probe."""
    critical_path: tuple[Wait, ...] = ()
    """The waits that make the last service late, in the order of time."""
    is_complete: bool = True
    """False where a health check that is waited for could not be looked at, or a cycle is there."""

    @property
    def bound_seconds(self) -> float:
        """When the last service can start: `up` does not end sooner."""
        return max(self.starts.values(), default=0.0)

    @property
    def costliest(self) -> Wait | None:
        """The wait of the critical path that costs most; None where nothing waits for time."""
        waits = [wait for wait in self.critical_path if wait.seconds > 0]
        return max(waits, key=lambda wait: wait.seconds, default=None)


@dataclass(frozen=True, slots=True)
class Saving:
    """What the start would save if these services were probed QUICK_PROBE_SECONDS after it."""

    services: tuple[ServiceName, ...]
    seconds: float


def first_probe_seconds(check: Healthcheck, engine: EngineVersion | None) -> float:
    """Seconds from a container's start to its first probe; the smaller where the engine is unknown.

    Spec: Dockerfile reference, HEALTHCHECK; measured on engine 20.10.
    """
    if check.start_period_seconds <= 0 or (engine is not None and engine < START_INTERVAL_ENGINE):
        return check.interval_seconds
    early = check.start_interval_seconds or DEFAULT_START_INTERVAL_SECONDS
    return early if engine is not None else min(early, check.interval_seconds)


def resolve_start_times(
    services: Mapping[ServiceName, Service],
    healths: Mapping[ServiceName, Health],
    engine: EngineVersion | None = None,
) -> StartTimes:
    """The lower bounds for a selection whose services have these health checks."""
    probes = {
        name: first_probe_seconds(check, engine)
        for name in services
        if (health := healths.get(name)) is not None and (check := health.check) is not None
    }
    order = resolve_start_order(services)
    complete = not order.cycles and all(
        healths[edge.service].is_known
        for service in services.values()
        for edge in service.dependencies
        if edge.condition is Condition.HEALTHY and edge.service in healths
    )
    starts, latest = _walk(services, probes)
    return StartTimes(starts, probes, _critical_path(starts, latest), complete)


def resolve_saving(
    services: Mapping[ServiceName, Service],
    times: StartTimes,
    probed_early: tuple[ServiceName, ...],
    seconds: float = QUICK_PROBE_SECONDS,
) -> Saving:
    """What the bound would lose with the first probe of some services after `seconds`."""
    probes = {
        name: min(probe, seconds) if name in probed_early else probe
        for name, probe in times.first_probes.items()
    }
    starts, _ = _walk(services, probes)
    return Saving(probed_early, times.bound_seconds - max(starts.values(), default=0.0))


def _walk(
    services: Mapping[ServiceName, Service], probes: Mapping[ServiceName, float]
) -> tuple[dict[ServiceName, float], dict[ServiceName, Wait]]:
    """When each service can start, and the edge that it waits for longest."""
    starts: dict[ServiceName, float] = {}
    latest: dict[ServiceName, Wait] = {}
    for wave in resolve_start_order(services).waves:
        for name in wave:
            starts[name] = 0.0
            for edge in services[name].dependencies:
                target = services.get(edge.service)
                if target is None or target.replicas == 0 or services[name].replicas == 0:
                    continue
                cost = probes.get(edge.service, 0.0) if edge.condition is Condition.HEALTHY else 0.0
                ready = starts[edge.service] + cost
                if ready > starts[name] or name not in latest:
                    latest[name] = Wait(name, edge.service, edge.condition, cost)
                starts[name] = max(starts[name], ready)
    return starts, latest


def _critical_path(
    starts: Mapping[ServiceName, float], latest: Mapping[ServiceName, Wait]
) -> tuple[Wait, ...]:
    if not starts:
        return ()
    name = max(sorted(starts), key=lambda one: starts[one])
    path: list[Wait] = []
    while (wait := latest.get(name)) is not None:
        path.append(wait)
        name = wait.waits_for
    return tuple(reversed(path))


def quick_probe_change(check: Healthcheck, engine: EngineVersion | None) -> str:
    """The keys that bring a check's first probe to QUICK_PROBE_SECONDS, as YAML.

    An unknown engine counts as a new one.
    """
    if engine is not None and engine < START_INTERVAL_ENGINE:
        return f"interval: {QUICK_PROBE_SECONDS:g}s"
    if check.start_period_seconds:
        return f"start_interval: {QUICK_PROBE_SECONDS:g}s"
    return f"start_interval: {QUICK_PROBE_SECONDS:g}s with start_period: 30s"
