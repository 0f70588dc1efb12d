"""Services that all environments of a repository use together: who runs them, who reaches them.

They run in an environment of their own. The others leave them out, and reach them under their
usual names over a network that devenv makes for each: on one network for all, the services of one
environment would be found by the names of another's. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from devenv.compose.isolation import (
    LABEL_REPOSITORY,
    resolve_name,
    resolve_slug,
    yaml_scalar,
)
from devenv.compose.model import Condition, Project
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.values import dataclass

LABEL_USES = "dev.devenv.uses-shared"
"""On a service that reaches shared ones: the environment that they run in."""
LABEL_KIND = "dev.devenv.kind"
KIND = "shared"
NETWORK_KEY = "devenv_shared"
_SLUG = resolve_slug("shared by all")
_WEIGHT = {Condition.STARTED: 0, Condition.HEALTHY: 1, Condition.COMPLETED: 2}


class NotShareable(ValueError):
    """Why a service cannot be shared, as a sentence, and the service."""

    def __init__(self, service: str, message: str) -> None:
        super().__init__(message)
        self.service = service


@dataclass(frozen=True, slots=True)
class SharedPlan:
    """What an environment shares with the others."""

    name: EnvironmentName
    """The Compose project name of the environment that runs the shared services."""
    services: tuple[ServiceName, ...]
    """Those of this selection, in the order of their names."""
    users: tuple[ServiceName, ...]
    """The services that reach them: those on a network with one of them."""
    waits: Mapping[ServiceName, Condition]
    """What the strictest `depends_on` on each of them asks for."""


def shared_name(base: EnvironmentName) -> EnvironmentName:
    """The environment of a repository's shared services; `base` is that of its plain one."""
    return resolve_name(base, _SLUG)


def shared_network(environment: EnvironmentName) -> str:
    """The network over which an environment reaches what is shared."""
    return f"{environment}_{NETWORK_KEY}"


def plan_shared(
    project: Project, wanted: Collection[str], name: EnvironmentName
) -> SharedPlan | None:
    """What of `wanted` the model has; None where it has none.

    Raises NotShareable for a service that depends on one that is not shared, or that another one
    reaches by more than the network.
    """
    services = tuple(sorted(ServiceName(one) for one in wanted if one in project.services))
    if not services:
        return None
    for one in services:
        _check_dependencies(project, one, services)
    for one in project.services:
        if one not in services:
            _check_user(project, one, services)
    waits: dict[ServiceName, Condition] = dict.fromkeys(services, Condition.STARTED)
    for service in project.services.values():
        for edge in service.dependencies:
            if edge.service in waits and _WEIGHT[edge.condition] > _WEIGHT[waits[edge.service]]:
                waits[edge.service] = edge.condition
    for name_of, asked in waits.items():
        if asked is Condition.STARTED and project.services[name_of].healthcheck is not None:
            waits[name_of] = Condition.HEALTHY
    networks = {network for service in services for network in _networks(project, service)}
    users = tuple(
        sorted(
            one
            for one in project.services
            if one not in services and networks.intersection(_networks(project, one))
        )
    )
    return SharedPlan(name, services, users, waits)


def _check_dependencies(
    project: Project, service: ServiceName, shared: Collection[ServiceName]
) -> None:
    for edge in project.services[service].dependencies:
        if edge.service not in shared and edge.service in project.services:
            raise NotShareable(
                service,
                f"{service} is shared by all environments, but depends on {edge.service}, which "
                "is not.",
            )


def _check_user(project: Project, service: ServiceName, shared: Collection[ServiceName]) -> None:
    raw = _raw(project, service)
    for key, other in _find_ties(raw):
        if other in shared:
            raise NotShareable(
                other, f"{service} uses {other} by `{key}`, so {other} cannot be shared."
            )


def _find_ties(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in ("network_mode", "pid", "ipc"):
        value = str(raw.get(key) or "")
        if value.startswith("service:"):
            yield key, value.removeprefix("service:")
    for link in raw.get("links") or ():
        yield "links", str(link).partition(":")[0]
    for source in raw.get("volumes_from") or ():
        yield "volumes_from", str(source).partition(":")[0]


def _raw(project: Project, service: ServiceName) -> Mapping[str, Any]:
    return (project.document.get("services") or {}).get(service) or {}


def _networks(project: Project, service: ServiceName) -> frozenset[str]:
    raw = _raw(project, service)
    if raw.get("network_mode"):
        return frozenset()
    return frozenset(raw.get("networks") or ("default",))


def render_user(project: Project, plan: SharedPlan, service: ServiceName) -> Iterator[str]:
    """The lines of a service in the override of an environment that uses what is shared."""
    if service in plan.users:
        yield "    networks:"
        for network in sorted({*_networks(project, service), NETWORK_KEY}):
            yield f"      {yaml_scalar(network)}: {{}}"
    raw = _raw(project, service)
    edges = raw.get("depends_on") or {}
    if not any(name in plan.services for name in edges):
        return
    kept = {name: edge for name, edge in edges.items() if name not in plan.services}
    yield "    depends_on: !override" + ("" if kept else " {}")
    for name, edge in kept.items():
        yield f"      {yaml_scalar(name)}:"
        for key, value in edge.items():
            yield f"        {yaml_scalar(key)}: {yaml_scalar(value)}"


def render_network(environment: EnvironmentName) -> list[str]:
    """The network, which devenv makes and takes away, at the end of that override."""
    return [
        "networks:",
        f"  {yaml_scalar(NETWORK_KEY)}:",
        "    external: true",
        f"    name: {yaml_scalar(shared_network(environment))}",
    ]


def render_shared_override(project: Project, plan: SharedPlan, repository: str) -> str:
    """The override of the environment that runs the shared services."""
    lines = [
        "# Generated by devenv for the services that all environments of this repository share.",
        "services:",
    ]
    labels = {LABEL_KIND: KIND, LABEL_REPOSITORY: repository.replace("$", "$$")}
    for service in plan.services:
        lines += [f"  {yaml_scalar(service)}:", "    labels:"]
        lines += [f"      {yaml_scalar(key)}: {yaml_scalar(labels[key])}" for key in sorted(labels)]
        if _raw(project, service).get("container_name"):
            lines.append("    container_name: !reset null")
    return "\n".join(lines) + "\n"
