"""The times of health checks: those that make the start slow, fail it, or are refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from devenv.checks.edges import edge_place, selected_services
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, Related, Severity
from devenv.checks.health import resolve_healths
from devenv.checks.places import place_of
from devenv.checks.registry import check
from devenv.compose.effective_health import Health, is_disabled, written_healthcheck
from devenv.compose.model import Condition, Service
from devenv.compose.names import ServiceName
from devenv.compose.parse_config import parse_duration
from devenv.compose.timing import (
    QUICK_PROBE_SECONDS,
    EngineVersion,
    StartTimes,
    quick_probe_change,
    resolve_saving,
    resolve_start_times,
)

_SPEC = "compose-spec 05-services.md#healthcheck"

_WORTH_SECONDS = 3.0
"""A start that would be shorter by less is not worth a word."""

_TIMES = ("interval", "timeout", "start_period", "start_interval")

_MINIMUM_SECONDS = 0.001


@check(
    "healthcheck-slow-start",
    Severity.WARNING,
    f"{_SPEC}; measured: the first probe comes one interval after the start",
)
def healthcheck_slow_start(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A cold start waits longer than it must, because the first probe comes late.

    The engine probes for the first time when one `interval` is over, 30 seconds by default,
    even if the service was ready at once; in a chain of `service_healthy` these add up. From
    engine 25 a `start_interval` sets how often it probes while `start_period` runs; on older
    ones only a shorter `interval` helps.

    Wrong:

        services:
          app:
            depends_on:
              db:
                condition: service_healthy
          db:
            healthcheck:
              test: [CMD, pg_isready]

    Right:

        services:
          app:
            depends_on:
              db:
                condition: service_healthy
          db:
            healthcheck:
              test: [CMD, pg_isready]
              start_period: 30s
              start_interval: 1s

    Measured: An instantly ready service with the default interval costs 31.1 s, three in a chain at
    3 s cost 11.5 s. A test on the engine holds the computed bound against the run, to the second.
    """
    services = selected_services(profile)
    if profile.model is None:
        return
    engine = facts.engine.version if facts.engine else None
    healths = resolve_healths(profile.model, facts)
    times = resolve_start_times(services, healths, engine)
    slow = tuple(
        dict.fromkeys(
            wait.waits_for for wait in times.critical_path if wait.seconds > QUICK_PROBE_SECONDS
        )
    )
    saved = {name: resolve_saving(services, times, (name,)).seconds for name in slow}
    worth = [name for name in slow if saved[name] >= _WORTH_SECONDS]
    for name in worth:
        yield _slow_fault(profile, services, healths, times, (name,), saved[name], engine)
    waited = tuple(sorted(_waited_for(services, times)))
    together = resolve_saving(services, times, waited).seconds
    if not worth and slow and together >= _WORTH_SECONDS:
        first = max(slow, key=lambda name: times.first_probes[name])
        others = tuple(name for name in waited if name != first)
        yield _slow_fault(profile, services, healths, times, (first, *others), together, engine)


def _waited_for(services: Mapping[ServiceName, Service], times: StartTimes) -> set[ServiceName]:
    """The services whose first probe others wait for, where it could come sooner."""
    return {
        edge.service
        for service in services.values()
        for edge in service.dependencies
        if edge.condition is Condition.HEALTHY
        and times.first_probes.get(edge.service, 0.0) > QUICK_PROBE_SECONDS
    }


def _slow_fault(
    profile: CheckedProfile,
    services: Mapping[ServiceName, Service],
    healths: Mapping[ServiceName, Health],
    times: StartTimes,
    names: tuple[ServiceName, ...],
    seconds: float,
    engine: EngineVersion | None,
) -> Fault:
    name, *others = names
    check_ = healths[name].check
    assert check_ is not None
    message = (
        f"The first probe of {name} comes {times.first_probes[name]:g} s after its start, "
        f"and the start waits for it; {quick_probe_change(check_, engine)} would save {seconds:g} s"
    )
    message += f" if done for {', '.join(others)} too." if others else "."
    written = services[name].healthcheck is not None
    keys = ("healthcheck", "interval") if written else ()
    related = tuple(
        Related(
            edge_place(profile, wait.service, name),
            f"{wait.service} waits for {name} to be healthy",
        )
        for wait in times.critical_path
        if wait.waits_for == name
    )
    fix = f"{quick_probe_change(check_, engine)} in services.{name}.healthcheck"
    if engine is None:
        fix += " (engine 25 or newer; else a shorter interval)"
    return Fault(
        message,
        place_of(profile, "services", name, *keys),
        service=name,
        fix=fix,
        related=related,
    )


@check(
    "healthcheck-too-short",
    Severity.WARNING,
    f"{_SPEC}; the usual start time comes from this machine's history",
)
def healthcheck_too_short(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A health check can give up before the service's usual start time is over.

    After `start_period` the engine counts failed probes, one each `interval`, and after `retries`
    of them the container is unhealthy: what waits for it fails. A start that takes
    longer than all of that only succeeds by luck.

    Wrong:

        services:
          search:
            image: elasticsearch:8.15.0
            healthcheck:
              test: [CMD, curl, -fs, "localhost:9200"]
              interval: 2s
              retries: 3

    Right:

        services:
          search:
            image: elasticsearch:8.15.0
            healthcheck:
              test: [CMD, curl, -fs, "localhost:9200"]
              interval: 2s
              retries: 3
              start_period: 60s

    Measured: A failing default check takes 92 s until the engine says `unhealthy`: `start_period`,
    then `retries` times `interval`. The usual start time is that of earlier starts here.
    """
    if profile.model is None:
        return
    healths = resolve_healths(profile.model, facts)
    for name in selected_services(profile):
        check_ = healths[name].check
        usual = facts.start_seconds.get(name)
        if check_ is None or usual is None:
            continue
        limit = check_.start_period_seconds + check_.interval_seconds * check_.retries
        if usual <= limit:
            continue
        yield Fault(
            f"{name} usually needs {usual:.0f} s until it is healthy, "
            f"but can be called unhealthy after {limit:g} s.",
            place_of(profile, "services", name, "healthcheck"),
            service=name,
            fix=f"start_period: {int(usual * 2) + 1}s in services.{name}.healthcheck",
        )


@check(
    "healthcheck-time-too-small",
    Severity.ERROR,
    "Docker Engine API, ContainerCreate: not below 1 ms; measured: refused by up",
)
def healthcheck_time_too_small(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A time of a health check is above nothing and below one millisecond.

    The engine refuses to create the container; `docker compose config` takes it. Often the unit is
    a slip: `us` for `s`.

    Wrong:

        services:
          db:
            healthcheck:
              test: [CMD, pg_isready]
              interval: 5us

    Right:

        services:
          db:
            healthcheck:
              test: [CMD, pg_isready]
              interval: 5s

    Measured: With Compose 5.6.1 and Engine 20.10.24 `docker compose config` passes and `up`
    refuses. See tests/corpus/order.
    """
    for name, service in selected_services(profile).items():
        assert profile.model is not None
        written = written_healthcheck(profile.model, service)
        for key in _TIMES if service.replicas and not is_disabled(written) else ():
            seconds = parse_duration(str(written.get(key) or ""))
            if 0 < seconds < _MINIMUM_SECONDS:
                yield Fault(
                    f"The {key} of the health check of {name} is below one millisecond, "
                    "which the engine refuses.",
                    place_of(profile, "services", name, "healthcheck", key),
                    service=name,
                    fix="correct the unit: s for seconds, ms for milliseconds",
                )
