"""Health checks: whether there is one where others wait for it, and what its times cost."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from devenv.checks.depends_edits import is_written_here
from devenv.checks.edges import edge_place, selected_services
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Edit, Fault, NotChecked, Place, Related, Severity
from devenv.checks.health import resolve_healths
from devenv.checks.places import place_of
from devenv.checks.probes import is_known_image, is_stateful_image, usual_probe
from devenv.checks.registry import check
from devenv.compose.effective_health import Health, Origin, is_disabled, written_healthcheck
from devenv.compose.layers import Entry, items, scalar
from devenv.compose.model import Condition, Service
from devenv.compose.names import ServiceName
from devenv.compose.parse_config import parse_duration
from devenv.compose.timing import (
    QUICK_PROBE_SECONDS,
    START_INTERVAL_ENGINE,
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
    "healthy-without-healthcheck",
    Severity.ERROR,
    f"{_SPEC}; measured: up fails, and leaves the dependency running",
)
def healthy_without_healthcheck(
    profile: CheckedProfile, facts: Facts
) -> Iterator[Fault | NotChecked]:
    """A service waits until another one is healthy, and that one has no health check.

    The check may stand in the Compose file, in the Dockerfile's target stage or a stage or
    image that it is made from, or in the image. `disable: true` and `test: [NONE]` take it away,
    and an `interval` without a `test` is none. `up` then starts the dependency and fails with
    "has no healthcheck configured". Where the image is not there to be looked at, nothing is said.

    Wrong:

        services:
          app:
            depends_on:
              db:
                condition: service_healthy
          db:
            image: postgres:16

    Right:

        services:
          app:
            depends_on:
              db:
                condition: service_healthy
          db:
            image: postgres:16
            healthcheck:
              test: [CMD-SHELL, "pg_isready -U postgres"]

    Measured: With Compose 5.6.1 and Engine 20.10.24 `up` fails after 0.8 s, with the dependency
    running and the dependent created; `docker compose config` passes. The shapes are in
    tests/corpus/order.
    """
    services = selected_services(profile)
    if profile.model is None:
        return
    healths = resolve_healths(profile.model, facts)
    for name, service in services.items():
        for edge in service.dependencies:
            target = services.get(edge.service)
            if edge.condition is not Condition.HEALTHY or target is None or not target.replicas:
                continue
            health = healths[edge.service]
            if not health.is_known:
                what = f"the health check of {edge.service}"
                yield NotChecked(what, _why_unknown(target, facts))
            if not health.is_missing or not edge.required:
                continue
            written = written_healthcheck(profile.model, target)
            yield Fault(
                f"{name} waits for {edge.service} to be healthy, "
                f"but {edge.service} {_why_missing(written, health)}.",
                edge_place(profile, name, edge.service),
                service=name,
                fix=_missing_fix(target),
                related=(_missing_place(profile, target, written),),
            )


def _why_unknown(service: Service, facts: Facts) -> str:
    if service.build is not None:
        return "its Dockerfile, or the image that it is made from, cannot be looked at"
    if facts.engine is None:
        return f"no engine answers that has the image {service.image}"
    return f"the image {service.image} is not on this machine"


def _why_missing(written: Mapping[str, Any], health: Health) -> str:
    if is_disabled(written):
        return "has its health check disabled"
    if written:
        return "has a health check without a test"
    if health.origin is Origin.DOCKERFILE:
        return "has no health check, neither in the Compose file nor in its Dockerfile"
    if health.origin is Origin.IMAGE:
        return "has no health check, neither in the Compose file nor in its image"
    return "has no health check"


def _missing_place(
    profile: CheckedProfile, service: Service, written: Mapping[str, Any]
) -> Related:
    keys = ("healthcheck",) if written else ()
    place = place_of(profile, "services", service.name, *keys)
    return Related(place, f"{service.name} is defined here")


def _missing_fix(service: Service) -> str:
    probe = usual_probe(service.image or "")
    test = f"test: {probe}" if probe else "a test"
    return f"add services.{service.name}.healthcheck with {test}, or use condition: service_started"


@check(
    "stateful-without-healthcheck",
    Severity.WARNING,
    f"{_SPEC}; the usual probes of the images",
)
def stateful_without_healthcheck(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """Others depend on a database, broker or cache that has no health check.

    Such a service takes seconds from its start until it answers, and longer when it creates its
    data for the first time. Without a health check nothing can wait for it, and what
    needs it fails on some starts.

    Wrong:

        services:
          app:
            depends_on: [db]
          db:
            image: postgres:16

    Right:

        services:
          app:
            depends_on:
              db:
                condition: service_healthy
          db:
            image: postgres:16
            healthcheck:
              test: [CMD-SHELL, "pg_isready -U postgres"]
              interval: 2s

    Measured: The images are told by name. With PostgreSQL 15 a first start takes seconds until it
    answers; the probes in the fix are those that the images' own pages give.
    """
    services = selected_services(profile)
    if profile.model is None:
        return
    healths = resolve_healths(profile.model, facts)
    for name, service in services.items():
        image = service.image or ""
        health = healths[name]
        if not is_stateful_image(image) or health.check is not None:
            continue
        if not health.is_known and (service.build is not None or not is_known_image(image)):
            continue
        users = [
            other.name
            for other in services.values()
            for edge in other.dependencies
            if edge.service == name and edge.condition is Condition.STARTED
        ]
        if not users:
            continue
        probe = usual_probe(image)
        yield Fault(
            f"{users[0]} needs {name}, and {name} has no health check that it could wait for.",
            place_of(profile, "services", name),
            service=name,
            fix=f"add services.{name}.healthcheck with "
            + (f"test: {probe} and interval: 2s" if probe else "a test"),
            related=(Related(edge_place(profile, users[0], name), f"{users[0]} waits for {name}"),),
        )


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
    "start-interval-without-start-period",
    Severity.ERROR,
    f"{_SPEC}; measured: refused by up, not by config",
)
def start_interval_without_start_period(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A health check sets `start_interval` and no `start_period`.

    `docker compose config` takes it; `up` refuses to create the container. The
    `start_interval` only counts while the `start_period` runs.

    Wrong:

        services:
          db:
            healthcheck:
              test: [CMD, pg_isready]
              start_interval: 1s

    Right:

        services:
          db:
            healthcheck:
              test: [CMD, pg_isready]
              start_interval: 1s
              start_period: 30s

    Measured: With Compose 5.6.1 and Engine 20.10.24 `docker compose config` passes and `up`
    refuses. See tests/corpus/order.
    """
    for name, service in selected_services(profile).items():
        assert profile.model is not None
        written = written_healthcheck(profile.model, service)
        if "start_interval" not in written or "start_period" in written or not service.replicas:
            continue
        yield Fault(
            f"{name} has a start_interval but no start_period, which up refuses.",
            place_of(profile, "services", name, "healthcheck", "start_interval"),
            service=name,
            fix="start_period: 30s beside it",
            edits=_period_edit(profile, facts, name),
        )


def _period_edit(profile: CheckedProfile, facts: Facts, name: str) -> tuple[Edit, ...]:
    """`start_period: 30s` after `start_interval`, on a line of its own in block style."""
    owner = profile.layers.find("services", name, "healthcheck")
    entry = profile.layers.find("services", name, "healthcheck", "start_interval")
    text = facts.file(entry.path).text if entry else None
    if owner is None or entry is None or text is None or owner.path != entry.path:
        return ()
    if not is_written_here(text, entry) or scalar(entry.value) is None:
        return ()
    start, end = entry.key.start_mark.index, entry.value.end_mark.index
    line_start = text.rfind("\n", 0, start) + 1
    indent = text[line_start:start]
    if _in_flow(owner, entry) or indent.strip():
        return (
            (Edit(entry.path, end, end, ", start_period: 30s"),) if _in_flow(owner, entry) else ()
        )
    newline = "\r\n" if "\r\n" in text else "\n"
    return (Edit(entry.path, start, start, f"start_period: 30s{newline}{indent}"),)


def _in_flow(owner: Entry, entry: Entry) -> bool:
    """Whether the entry stands in the owner's own braces."""
    node = owner.value
    inside = node.start_mark.index <= entry.key.start_mark.index <= node.end_mark.index
    return bool(getattr(node, "flow_style", False)) and inside


@check(
    "start-interval-ignored",
    Severity.WARNING,
    "Docker Engine 25.0 release notes; measured: engine 20.10 ignores it",
)
def start_interval_ignored(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A health check sets `start_interval`, and the engine in use is too old to know it.

    Engines before 25 take it without a word and go on to probe every `interval`.

    Wrong:

        services:
          db:
            healthcheck:
              test: [CMD, pg_isready]
              start_period: 30s
              start_interval: 1s

    Right:

        services:
          db:
            healthcheck:
              test: [CMD, pg_isready]
              interval: 2s

    Measured: Engine 20.10.24: a chain of three at 10 s took 32.5 s with a `start_interval`, 32.9 s
    without, and 5.6 s at `interval: 1s`.
    """
    if facts.engine is None or facts.engine.version >= START_INTERVAL_ENGINE:
        return
    version = ".".join(str(part) for part in facts.engine.version)
    for name, service in selected_services(profile).items():
        assert profile.model is not None
        written = written_healthcheck(profile.model, service)
        if "start_interval" in written and not is_disabled(written):
            yield Fault(
                f"The engine in use ({version}) ignores the start_interval of {name}.",
                place_of(profile, "services", name, "healthcheck", "start_interval"),
                service=name,
                fix="use engine 25 or newer, or a shorter interval",
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


@check(
    "healthcheck-none-as-command",
    Severity.WARNING,
    f"{_SPEC}: NONE in a list; measured: as plain text it is run as a command",
)
def healthcheck_none_as_command(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A health check has `test: NONE` as plain text, which runs a command of that name.

    Only the list `[NONE]` switches the image's check off. As plain text it is a shell command
    that does not exist, so the container becomes unhealthy, and whatever waits for it fails.

    Wrong:

        services:
          db:
            healthcheck:
              test: NONE

    Right:

        services:
          db:
            healthcheck:
              test: [NONE]

    Measured: With Compose 5.6.1 and Engine 20.10.24 the container becomes unhealthy, and `up` fails
    for what waits for it. See tests/corpus/order.
    """
    services = selected_services(profile)
    for name, service in services.items():
        if service.healthcheck is None or service.healthcheck.test != ("CMD-SHELL", "NONE"):
            continue
        awaited = any(
            edge.service == name and edge.required and edge.condition is Condition.HEALTHY
            for other in services.values()
            for edge in other.dependencies
        )
        yield Fault(
            f"The health check of {name} runs a command called NONE, which is not there.",
            place_of(profile, "services", name, "healthcheck", "test"),
            service=name,
            fix="test: [NONE], or disable: true",
            severity=Severity.ERROR if awaited and service.replicas else None,
        )


_FORMS = ("CMD", "CMD-SHELL", "NONE")


@check(
    "healthcheck-test-form",
    Severity.ERROR,
    f"{_SPEC}; measured: Compose names no service and no line",
    explains_refusal=True,
)
def healthcheck_test_form(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A health check's test is a list that does not begin with CMD, CMD-SHELL or NONE.

    Compose refuses the whole project, without a word on where the list is.

    Wrong:

        services:
          db:
            healthcheck:
              test: [pg_isready, -U, postgres]

    Right:

        services:
          db:
            healthcheck:
              test: [CMD, pg_isready, -U, postgres]

    Measured: `docker compose config` 5.6.1 refuses it, and names neither the service nor the line.
    """
    for name in profile.layers.service_names() if profile.everything is None else ():
        entry = profile.layers.find("services", name, "healthcheck", "test")
        first = next(iter(items(entry.value)), None) if entry else None
        word = scalar(first)
        if entry is None or first is None or word is None or word in _FORMS or "$" in word:
            continue
        at = Entry(entry.path, first, first).source
        yield Fault(
            f"The health check of {name} is a list that begins with {word}, which Compose refuses.",
            Place(at.path, at.line, at.column),
            service=name,
            fix=f"test: [CMD, {word}, …]",
            explains=not getattr(profile.failure, "key_path", ()),
        )


_REFERENCE = re.compile(r"\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})")


@check(
    "healthcheck-dollar",
    Severity.WARNING,
    f"{_SPEC}; compose-spec 12-interpolation.md: $$ is a plain dollar sign",
)
def healthcheck_dollar(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A health check's test has a `$NAME` that Compose fills in, and has nothing to fill in.

    Compose works out `$NAME` and `${NAME}` before the container exists, from the shell and the
    env files. Where the variable is one of the container's, the test is left with a blank
    in its place; `$$NAME` reaches the container as `$NAME`.

    Wrong:

        services:
          db:
            environment:
              POSTGRES_USER: shop
            healthcheck:
              test: pg_isready -U $POSTGRES_USER

    Right:

        services:
          db:
            environment:
              POSTGRES_USER: shop
            healthcheck:
              test: pg_isready -U $$POSTGRES_USER

    Measured: `docker compose config` 5.6.1 shows the test with the blank in it; with `$$` the
    container gets the `$`.
    """
    for name in profile.layers.service_names():
        entry = profile.layers.find("services", name, "healthcheck", "test")
        for node in (items(entry.value) or [entry.value]) if entry else ():
            text = scalar(node) or ""
            for found in _REFERENCE.finditer(text):
                variable = found[2] or found[3]
                if found[1] or _is_set(variable, profile, facts):
                    continue
                assert entry is not None
                at = Entry(entry.path, node, node).source
                yield Fault(
                    f"Compose blanks ${variable} in the health check of {name}: "
                    "no env file and no shell variable sets it.",
                    Place(at.path, at.line, at.column),
                    service=name,
                    fix=f"$${variable}, which the container's own shell fills in",
                )


def _is_set(name: str, profile: CheckedProfile, facts: Facts) -> bool:
    if name in facts.environ or name in profile.variables:
        return True
    pattern = re.compile(rf"^\s*(?:export\s+)?{re.escape(name)}\s*(?:[=:]|$)", re.M)
    return any(pattern.search(facts.file(path).text or "") for path in profile.env_files)
