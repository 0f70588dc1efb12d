"""`depends_on` and what else makes one service wait for another."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from devenv.checks.depends_edits import edit_condition
from devenv.checks.edges import NAMESPACES, edge_place, find_edge, selected_services
from devenv.checks.env_scan import scan_env
from devenv.checks.facts import CheckedProfile, Facts, ImageFacts
from devenv.checks.finding import Fault, Place, Related, Severity
from devenv.checks.forever import is_one_shot_name, runs_forever, seems_to_serve
from devenv.checks.health import resolve_healths
from devenv.checks.hosts import find_hosts
from devenv.checks.places import place_of
from devenv.checks.probes import is_stateful_image
from devenv.checks.registry import check
from devenv.checks.variables import find_variable
from devenv.compose.graph import find_cycles, resolve_closure
from devenv.compose.layers import Entry
from devenv.compose.model import Condition, Project, Service
from devenv.compose.names import ServiceName
from devenv.compose.raw_graph import RawEdge, RawGraph, parse_raw_graph

_DEPENDS_ON = "compose-spec 05-services.md#depends_on"


@check(
    "dependency-cycle",
    Severity.ERROR,
    f"{_DEPENDS_ON}; measured: Compose looks at the active services alone",
    explains_refusal=True,
)
def dependency_cycle(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """Services wait for each other in a circle, so that none of them can be the first to start.

    `links`, `volumes_from` and `network_mode`, `ipc` or `pid: service:NAME` make a service wait
    as `depends_on` does, and `required: false` does not open a circle. Compose refuses a circle of
    active services; one with services of a Compose profile that is not active passes
    `docker compose config`, and breaks as soon as somebody uses that profile. Images that are
    built from each other (`additional_contexts`) pass too, and fail in `up`.

    Wrong:

        services:
          app:
            depends_on: [worker]
          worker:
            depends_on: [app]

    Right:

        services:
          app:
            depends_on: [queue]
          worker:
            depends_on: [queue]
          queue: {}

    Measured: `docker compose config` 5.6.1 looks at the active services alone, and `up` refuses the
    circle as soon as its Compose profile is used. See tests/corpus/order.
    """
    yield from _build_cycles(profile)
    if profile.everything is not None:
        return  # Compose took all services at once, so there is none
    graph = parse_raw_graph(profile.layers)
    for cycle in find_cycles(graph.edges()):
        steps = tuple(zip(cycle, (*cycle[1:], cycle[0]), strict=True))
        edges = [_raw_edge(graph, owner, target) for owner, target in steps]
        inactive = [name for name in cycle if not _is_active(graph, name, profile)]
        if inactive and _is_said_elsewhere(graph, inactive, profile, facts):
            continue
        words = " → ".join((*cycle, cycle[0]))
        message = f"Services wait for each other in a circle: {words}."
        if len(cycle) == 1:
            message = f"{cycle[0]} waits for itself."
        if inactive:
            names = sorted({one for name in inactive for one in graph.services[name].profiles})
            message += (
                f" Compose refuses it as soon as {_listed(names, 'Compose profile')} is used."
            )
        yield Fault(
            message,
            _place(edges[0].place),
            service=inactive[0] if inactive else cycle[0],
            fix="take one of these out, or let both wait for a third service",
            related=tuple(
                Related(_place(edge.place), f"{owner} waits for {target} ({edge.key})")
                for (owner, target), edge in zip(steps[1:], edges[1:], strict=True)
            ),
            explains=not inactive and _is_about_edges(profile),
        )


def _build_cycles(profile: CheckedProfile) -> Iterator[Fault]:
    edges = {
        name: {
            ServiceName(context.removeprefix("service:"))
            for context in service.build.additional_contexts.values()
            if context.startswith("service:")
        }
        for name, service in selected_services(profile).items()
        if service.build is not None
    }
    for cycle in find_cycles(edges):
        yield Fault(
            "Images are built from each other in a circle: "
            + " → ".join((*cycle, cycle[0]))
            + ", so that none can be built first.",
            place_of(profile, "services", cycle[0], "build", "additional_contexts"),
            service=cycle[0],
            fix="take one of these additional_contexts out",
        )


@check(
    "dependency-undefined",
    Severity.ERROR,
    f"{_DEPENDS_ON}; measured: also with required: false",
    explains_refusal=True,
)
def dependency_undefined(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A service waits for one that no Compose file defines.

    Compose refuses the whole project, and `required: false` does not help: that is for services
    of a Compose profile that is not active. The same holds for `links`, `volumes_from` and
    `network_mode`, `ipc` or `pid: service:NAME`.

    Wrong:

        services:
          app:
            depends_on: [databse]
          database: {}

    Right:

        services:
          app:
            depends_on: [database]
          database: {}

    Measured: `docker compose config` 5.6.1 refuses it, with `required: false` too. See
    tests/corpus/order.
    """
    if profile.everything is not None:
        return
    graph = parse_raw_graph(profile.layers)
    if not graph.is_complete:
        return
    for name, service in graph.services.items():
        is_active = _is_active(graph, name, profile)
        for edge in service.edges:
            if edge.service in graph.services:
                continue
            if not is_active and _is_said_elsewhere(graph, [name], profile, facts):
                continue
            others = [other for other in graph.services if other != name]
            near = get_close_matches(edge.service, others, n=1, cutoff=0.5)
            message = f"{name} waits for {edge.service}, but no service has that name."
            if not is_active:
                used = _listed(sorted(service.profiles), "Compose profile")
                message += f" Compose refuses it as soon as {used} is used."
            yield Fault(
                message,
                _place(edge.place),
                service=name,
                fix=f"did you mean {near[0]}?"
                if near
                else f"define {edge.service}, or take it out",
                explains=is_active and _is_about_edges(profile),
            )


@check(
    "inactive-dependency",
    Severity.ERROR,
    "compose-spec 15-profiles.md; measured: the same words as for a missing service",
    explains_refusal=True,
)
def inactive_dependency(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A service waits for one that the active Compose profiles leave out.

    Compose says that the service is undefined, though it is there: its `profiles:` are not
    active. With `required: false` in the long form of `depends_on` it is left out in silence.

    Wrong:

        services:
          app:
            depends_on: [db]
          db:
            profiles: [data]

    Right:

        services:
          app:
            depends_on:
              db:
                condition: service_started
                required: false
          db:
            profiles: [data]

    Measured: `docker compose config` 5.6.1 says the same words as for a service that does not
    exist; read with all Compose profiles active it loads, which tells the two apart.
    """
    for owner, target, needed in _inactive_edges(profile):
        listed = _listed(sorted(needed), "Compose profile")
        place = place_of(profile, "services", target, "profiles")
        yield Fault(
            f"{owner} waits for {target}, which only starts with {listed}.",
            edge_place(profile, owner, target),
            service=owner,
            fix=_profile_fix(profile, facts, sorted(needed)),
            related=(Related(place, f"the Compose profiles of {target}"),),
            explains=_is_about_edges(profile),
        )


def _inactive_edges(profile: CheckedProfile) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Owner, the inactive service that it needs, and the Compose profiles that start that one."""
    everything = profile.everything
    if profile.model is not None and everything is not None:
        for name, service in profile.model.services.items():
            for edge in service.dependencies:
                target = everything.services.get(edge.service)
                if (
                    edge.required
                    and target is not None
                    and target.name not in profile.model.services
                ):
                    yield name, target.name, target.profiles
        return
    if profile.model is not None:
        return  # Compose took the selection, so it needs nothing that is left out
    graph = parse_raw_graph(profile.layers)
    for raw in graph.services.values():
        if not _is_active(graph, raw.name, profile):
            continue
        for raw_edge in raw.edges:
            known = raw_edge.service in graph.services
            if known and raw_edge.required and not _is_active(graph, raw_edge.service, profile):
                yield raw.name, raw_edge.service, graph.services[raw_edge.service].profiles


def _profile_fix(profile: CheckedProfile, facts: Facts, needed: Sequence[str]) -> str:
    if not needed:
        return "mark the dependency required: false"
    if profile.name is None:
        return f"use --profile {needed[0]}, or mark the dependency required: false"
    words = f'add "{needed[0]}" to compose_profiles of the profile {profile.name}'
    others = [
        name
        for name, active in facts.compose_profiles.items()
        if name != profile.name and ("*" in active or set(active) & set(needed))
    ]
    if others:
        words += f", or use the profile {others[0]}"
    return words + ", or mark the dependency required: false"


@check(
    "started-not-healthy",
    Severity.WARNING,
    f"{_DEPENDS_ON}; measured: service_started waits for nothing",
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

    Measured: With Compose 5.6.1 and Engine 20.10.24 the dependent starts while the check of its
    dependency has not run yet, and even after the dependency has exited. Three of 26 edges in 39
    real sample projects are such.
    """
    if profile.model is None:
        return
    services = profile.model.services
    healths = resolve_healths(profile.model, facts)
    for name, service in services.items():
        weak = {
            edge.service
            for edge in service.dependencies
            if edge.condition is Condition.STARTED
            and edge.service in services
            and healths[edge.service].check is not None
        }
        for target in sorted(weak):
            found = find_edge(profile, name, target)
            if found is None or found[0] != "depends_on":
                continue  # links and the like say nothing about a condition
            origin = healths[target].origin
            keys = ("healthcheck",) if services[target].healthcheck else ()
            place = place_of(profile, "services", target, *keys)
            yield Fault(
                f"{name} waits only for {target} to start, though {target} has a health check.",
                edge_place(profile, name, target),
                service=name,
                fix=f"condition: service_healthy for {target}",
                related=(Related(place, f"the health check of {target}, from {origin.value}"),),
                edits=edit_condition(profile, facts, name, target, weak),
            )


@check(
    "hidden-dependency",
    Severity.WARNING,
    f"{_DEPENDS_ON}; compose-spec 06-networks.md: a service is reached by its name",
)
def hidden_dependency(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A service names another one as a host, and nothing makes it wait for that one.

    Compose starts services that do not depend on each other at the same time, in any order. An
    address such as `postgres://db:5432/app` in a variable or a command then works on most days,
    and fails where the other service is slower. Only whole host names count: in an address, in
    `host:port`, or alone in a variable that is named after a host.

    Wrong:

        services:
          app:
            environment:
              DATABASE_URL: postgres://db:5432/app
          db:
            image: postgres:16

    Right:

        services:
          app:
            depends_on: [db]
            environment:
              DATABASE_URL: postgres://db:5432/app
          db:
            image: postgres:16

    Measured: Compose starts what has no path between it at the same time. Quiet where the other
    service waits for this one, and for words that are no host.
    """
    services = selected_services(profile)
    if profile.model is None:
        return
    hosts = _host_names(profile.model, services)
    for name, service in services.items():
        waited_for = resolve_closure(profile.model, [name])
        said: set[str] = set(waited_for)
        for keys, words, host in find_hosts(service):
            target = hosts.get(host)
            if target is None or target in said or not _share_network(profile.model, name, target):
                continue
            if keys[0] == "environment" and _is_for_others(
                profile, facts, service, keys[1], target
            ):
                continue
            said.add(target)
            if name in resolve_closure(profile.model, [target]):
                continue  # the other one waits for this one already
            yield Fault(
                f"{words} of {name} names {target} as a host, "
                f"but {name} does not wait for {target}.",
                find_variable(profile, facts, name, keys[1])[0]
                if keys[0] == "environment"
                else place_of(profile, "services", name, *keys),
                service=name,
                fix=f"add {target} to the depends_on of {name}",
            )


def _is_for_others(
    profile: CheckedProfile, facts: Facts, service: Service, variable: str, target: str
) -> bool:
    """Whether a variable comes from an env file that is handed to everybody alike.

    That is one which the named service reads too, or one of a database's that names another one.
    """
    place = find_variable(profile, facts, service.name, variable)[0]
    if place.path in profile.layers.by_path:
        return False
    readers = {
        file.service for file in scan_env(profile, facts).service_files if file.path == place.path
    }
    return target in readers or is_stateful_image(service.image or "")


def _raw(project: Project, name: str) -> Mapping[str, Any]:
    """A service of the merged model as Compose printed it."""
    return (project.document.get("services") or {}).get(name) or {}


def _host_names(
    project: Project, services: Mapping[ServiceName, Service]
) -> dict[str, ServiceName]:
    """The names by which services reach each other, in lower case."""
    names: dict[str, ServiceName] = {}
    for name, service in services.items():
        networks = _raw(project, name).get("networks") or {}
        own = [name, service.container_name or name]
        for network in networks.values() if isinstance(networks, Mapping) else ():
            own += (network or {}).get("aliases") or ()
        for one in own:
            names.setdefault(str(one).lower(), name)
    return names


def _share_network(project: Project, one: str, other: str) -> bool:
    """Whether two services may have a network together; unknown counts as yes."""
    first, second = (_raw(project, name) for name in (one, other))
    if first.get("network_mode") or second.get("network_mode"):
        return not {first.get("network_mode"), second.get("network_mode")} & {"none", "host"}
    return bool(set(first.get("networks") or ()) & set(second.get("networks") or ()))


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


def restart_policy(raw: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
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
    policy, keys = restart_policy(_raw(project, service.name))
    if policy in ("always", "unless-stopped"):
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
            shared = shared_key(_raw(profile.model, name), edge.service)
            keys = ("scale",) if "scale" in _raw(profile.model, edge.service) else ("deploy",)
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


def shared_key(raw: Mapping[str, Any], target: str) -> str | None:
    """The key by which a service uses something of the target's container."""
    for key in NAMESPACES:
        if raw.get(key) == f"service:{target}":
            return key
    names = [str(one).split(":")[0] for one in raw.get("volumes_from") or ()]
    return "volumes_from" if target in names else None


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


_ENDLESS = ("always", "unless-stopped")


def _raw_edge(graph: RawGraph, owner: str, target: str) -> RawEdge:
    return next(edge for edge in graph.services[owner].edges if edge.service == target)


def _place(entry: Entry) -> Place:
    source = entry.source
    return Place(source.path, source.line, source.column)


def _is_active(graph: RawGraph, name: str, profile: CheckedProfile) -> bool:
    return name in profile.services or graph.services[name].is_active(profile.compose_profiles)


def _is_active_in(graph: RawGraph, name: str, active: Collection[str]) -> bool:
    return graph.services[ServiceName(name)].is_active(active)


def _is_said_elsewhere(
    graph: RawGraph, names: Iterable[str], profile: CheckedProfile, facts: Facts
) -> bool:
    """Whether another devenv profile starts all of these services, so that its finding says it."""
    return any(
        all(_is_active_in(graph, name, active) for name in names)
        for other, active in facts.compose_profiles.items()
        if other != profile.name
    )


def _is_about_edges(profile: CheckedProfile) -> bool:
    """Whether Compose refused the profile for an edge, or did not speak at all."""
    if profile.failure is None:
        return True
    path: tuple[str, ...] = getattr(profile.failure, "key_path", ())
    return path[2:3] == ("depends_on",)


def _listed(names: Sequence[str], what: str) -> str:
    if not names:
        return f"another {what}"
    if len(names) == 1:
        return f"the {what} {names[0]}"
    return f"one of the {what}s {', '.join(names)}"
