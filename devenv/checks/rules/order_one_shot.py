"""Waiting for services that end, for those that never do, and for those without a container."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from devenv.checks.edges import edge_place, raw_service, selected_services, shared_key
from devenv.checks.facts import CheckedProfile, Facts, ImageFacts
from devenv.checks.finding import Fault, Related, Severity
from devenv.checks.forever import is_one_shot_name, runs_forever, seems_to_serve
from devenv.checks.places import place_of
from devenv.checks.registry import check
from devenv.compose.model import Condition, Project, Service

_DEPENDS_ON = "compose-spec 05-services.md#depends_on"
_ENDLESS = ("always", "unless-stopped")


@check(
    "completed-never",
    Severity.ERROR,
    f"{_DEPENDS_ON}; measured: up waits without a limit",
)
def completed_never(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A service waits for the completion of one that never completes.

    With the restart policy `always` or `unless-stopped` (or `deploy.restart_policy` with the
    condition `any`, which wins over `restart`) the engine starts the container again whenever
    it ends, and `up` waits for ever, even with `required: false`. `on-failure` is fine. A service
    that only sleeps never ends either. One that looks as if it served is a warning.

    Wrong:

        services:
          app:
            depends_on:
              migrate:
                condition: service_completed_successfully
          migrate:
            command: ./migrate
            restart: unless-stopped

    Right:

        services:
          app:
            depends_on:
              migrate:
                condition: service_completed_successfully
          migrate:
            command: ./migrate
            restart: on-failure

    Measured: With Compose 5.6.1 and Engine 20.10.24 `up` waits without a limit: under `always` and
    `unless-stopped`, and for a command that never ends; `on-failure` is fine. See
    tests/corpus/order.
    """
    services = selected_services(profile)
    for name, service in services.items():
        for edge in service.dependencies:
            target = services.get(edge.service)
            if edge.condition is not Condition.COMPLETED or target is None or not target.replicas:
                continue
            assert profile.model is not None
            reason = _never_reason(profile.model, target, facts)
            if reason is None:
                continue
            keys, why, fix, severity = reason
            yield Fault(
                f"{name} waits for {edge.service} to complete, but {edge.service} {why}.",
                edge_place(profile, name, edge.service),
                service=name,
                fix=fix,
                related=(Related(place_of(profile, "services", edge.service, *keys), why),),
                severity=severity,
            )


def _restart_policy(raw: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The policy that the engine gets, and the keys that set it. `deploy` wins, as measured."""
    deployed = (raw.get("deploy") or {}).get("restart_policy")
    if deployed is not None:
        words = {"any": "always", "on-failure": "on-failure"}
        keys = ("deploy", "restart_policy")
        return words.get(str(deployed.get("condition") or ""), "no"), keys
    return str(raw.get("restart") or "no"), ("restart",)


def _never_reason(
    project: Project, service: Service, facts: Facts
) -> tuple[tuple[str, ...], str, str, Severity] | None:
    policy, keys = _restart_policy(raw_service(project, service.name))
    if policy in _ENDLESS:
        why = f"is started again whenever it ends ({'.'.join(keys)}: {policy})"
        return keys, why, f'restart: on-failure or restart: "no" for {service.name}', Severity.ERROR
    image = facts.engine.images.get(service.image or "") if facts.engine else None
    built = service.build is not None
    if runs_forever(service, None if built else image):
        key = "command" if service.command is not None else "entrypoint"
        return (key,), "never ends", "wait for service_started or service_healthy", Severity.ERROR
    if runs_forever(service, ImageFacts()):
        fix = "wait for service_started or service_healthy"
        return ("command",), "seems never to end", fix, Severity.WARNING
    serves = seems_to_serve(service)
    if serves is not None:
        fix = "wait for service_healthy or service_started"
        return (serves[0],), f"looks as if it served for ever ({serves[1]})", fix, Severity.WARNING
    return None


@check(
    "replicas-zero-dependency",
    Severity.WARNING,
    f"{_DEPENDS_ON}; measured: replicas 0 satisfies every condition in silence",
)
def replicas_zero_dependency(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A service waits for one that is not started at all, having `scale` or `replicas` 0.

    Compose takes every condition of such a dependency as satisfied and says nothing. Where the
    service shares its network, processes or volumes, `up` fails: there is no container for that.

    Wrong:

        services:
          app:
            depends_on: [db]
          db:
            scale: 0

    Right:

        services:
          app:
            depends_on: [db]
          db: {}

    Measured: With Compose 5.6.1 and Engine 20.10.24 every condition counts as satisfied, in
    silence; sharing its network, processes or volumes fails. See tests/corpus/order.
    """
    services = selected_services(profile)
    for name, service in services.items():
        for edge in service.dependencies:
            target = services.get(edge.service)
            if target is None or target.replicas or not service.replicas:
                continue
            assert profile.model is not None
            shared = shared_key(raw_service(profile.model, name), edge.service)
            keys = (
                ("scale",) if "scale" in raw_service(profile.model, edge.service) else ("deploy",)
            )
            place = place_of(profile, "services", edge.service, *keys)
            means = f"so {shared} of {name} fails" if shared else "and nothing is waited for"
            yield Fault(
                f"{name} waits for {edge.service}, which has no container (replicas 0), {means}.",
                edge_place(profile, name, edge.service),
                service=name,
                fix=f"give {edge.service} a replica, or take the dependency out",
                related=(Related(place, f"{edge.service} is not started"),),
                severity=Severity.ERROR if shared else None,
            )


@check(
    "one-shot-unawaited",
    Severity.INFO,
    f"{_DEPENDS_ON}: service_completed_successfully",
)
def one_shot_unawaited(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A service prepares something and ends, and the services that need it do not wait for that.

    A migration that runs beside the application can lose the race. `service_completed_successfully`
    waits until it has ended well. Found by its name (`migrate`, `init`, `seed`, `setup`, …).

    Wrong:

        services:
          app:
            depends_on: [db]
          migrate:
            depends_on: [db]
            command: ./migrate
          db: {}

    Right:

        services:
          app:
            depends_on:
              migrate:
                condition: service_completed_successfully
          migrate:
            depends_on: [db]
            command: ./migrate
          db: {}

    Measured: Told by names alone, so it is for information.
    """
    services = selected_services(profile)
    for name, service in services.items():
        if not is_one_shot_name(name) or service.ports or service.restart in _ENDLESS:
            continue
        waiting = [
            (other.name, edge.condition)
            for other in services.values()
            for edge in other.dependencies
            if edge.service == name
        ]
        if any(condition is Condition.COMPLETED for _, condition in waiting):
            continue
        needs = {edge.service for edge in service.dependencies}
        beside = [
            other.name
            for other in services.values()
            if other.name != name and needs & {edge.service for edge in other.dependencies}
        ]
        users = sorted({other for other, _ in waiting} or set(beside))
        if users:
            yield Fault(
                f"{name} looks like a task that ends, and {users[0]} does not wait for its end.",
                place_of(profile, "services", name),
                service=name,
                fix=f"condition: service_completed_successfully for {name} "
                f"in the depends_on of {users[0]}",
            )
