"""`depends_on` and what else makes one service wait for another."""

from __future__ import annotations

from collections.abc import Iterator

from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, Related, Severity
from devenv.checks.places import place_of
from devenv.checks.registry import check
from devenv.compose.model import Condition


@check(
    "started-not-healthy",
    Severity.WARNING,
    "compose-spec 05-services.md#depends_on; measured: service_started waits for nothing",
)
def started_not_healthy(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A service waits only for the start of one that could say when it is healthy.

    `service_started`, and the short form of `depends_on`, wait for the dependency's process to
    begin and for nothing else: it may not take connections yet, or have exited already. Where
    the dependency has a health check, `service_healthy` waits for it to pass.

    Wrong:

        services:
          app:
            depends_on: [db]
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
    """
    services = profile.model.services if profile.model else {}
    for name, service in services.items():
        for edge in service.dependencies:
            waited_for = services.get(edge.service)
            if edge.condition is not Condition.STARTED or edge.implied_by:
                continue
            if waited_for is None or waited_for.healthcheck is None:
                continue
            check_place = place_of(profile, "services", edge.service, "healthcheck")
            yield Fault(
                f"{name} waits only for {edge.service} to start, "
                f"though {edge.service} has a health check.",
                place_of(profile, "services", name, "depends_on", edge.service),
                service=name,
                fix=f"condition: service_healthy for {edge.service}",
                related=(Related(check_place, f"the health check of {edge.service}"),),
            )
