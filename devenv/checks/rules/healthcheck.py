"""Services that need a health check and have none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from devenv.checks.edges import edge_place, selected_services
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, NotChecked, Related, Severity
from devenv.checks.health import resolve_healths
from devenv.checks.places import place_of
from devenv.checks.probes import is_known_image, is_stateful_image, usual_probe
from devenv.checks.registry import check
from devenv.compose.effective_health import Health, Origin, is_disabled, written_healthcheck
from devenv.compose.model import Condition, Service

_SPEC = "compose-spec 05-services.md#healthcheck"


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
