"""What waits too little: started is not healthy, and addresses used without waiting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from devenv.checks.depends_edits import edit_condition
from devenv.checks.edges import edge_place, find_edge, raw_service, selected_services
from devenv.checks.env_scan import scan_env
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, Related, Severity
from devenv.checks.health import resolve_healths
from devenv.checks.hosts import find_hosts
from devenv.checks.places import place_of
from devenv.checks.probes import is_stateful_image
from devenv.checks.registry import check
from devenv.checks.variables import find_variable
from devenv.compose.graph import resolve_closure
from devenv.compose.model import Condition, Project, Service
from devenv.compose.names import ServiceName

_DEPENDS_ON = "compose-spec 05-services.md#depends_on"


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


def _host_names(
    project: Project, services: Mapping[ServiceName, Service]
) -> dict[str, ServiceName]:
    """The names by which services reach each other, in lower case."""
    names: dict[str, ServiceName] = {}
    for name, service in services.items():
        networks = raw_service(project, name).get("networks") or {}
        own = [name, service.container_name or name]
        for network in networks.values() if isinstance(networks, Mapping) else ():
            own += (network or {}).get("aliases") or ()
        for one in own:
            names.setdefault(str(one).lower(), name)
    return names


def _share_network(project: Project, one: str, other: str) -> bool:
    """Whether two services may have a network together; unknown counts as yes."""
    first, second = (raw_service(project, name) for name in (one, other))
    if first.get("network_mode") or second.get("network_mode"):
        return not {first.get("network_mode"), second.get("network_mode")} & {"none", "host"}
    return bool(set(first.get("networks") or ()) & set(second.get("networks") or ()))
