"""Where an edge between two services is written, and which services a start concerns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devenv.checks.facts import CheckedProfile
from devenv.checks.finding import Place
from devenv.checks.places import at_source, place_of
from devenv.compose.graph import resolve_closure
from devenv.compose.layers import Entry, scalar
from devenv.compose.model import Project, Service
from devenv.compose.names import ServiceName

NAMESPACES = ("network_mode", "ipc", "pid")


def selected_services(profile: CheckedProfile) -> dict[ServiceName, Service]:
    """The services that `up` starts in this profile; empty where the model did not load."""
    if profile.model is None:
        return {}
    services = dict(profile.model.services)
    named = [ServiceName(name) for name in profile.services if name in services]
    if not named:
        return services
    closure = resolve_closure(profile.model, named)
    return {name: service for name, service in services.items() if name in closure}


def find_edge(profile: CheckedProfile, owner: str, target: str) -> tuple[str, Entry] | None:
    """The key that makes the owner wait for the target, and where it names it; else None."""
    for key in ("depends_on", "links", "volumes_from"):
        entry = profile.layers.find("services", owner, key, target)
        if entry is not None:
            return key, entry
    for key in NAMESPACES:
        entry = profile.layers.find("services", owner, key)
        if entry is not None and scalar(entry.value) == f"service:{target}":
            return key, entry
    return None


def edge_place(profile: CheckedProfile, owner: str, target: str) -> Place:
    """The place of an edge, or of the nearest key above it."""
    found = find_edge(profile, owner, target)
    if found is None:
        return place_of(profile, "services", owner, "depends_on")
    return at_source(found[1].source)


def raw_service(project: Project, name: str) -> Mapping[str, Any]:
    """A service of the merged model as Compose printed it."""
    return (project.document.get("services") or {}).get(name) or {}


def shared_key(raw: Mapping[str, Any], target: str) -> str | None:
    """The key by which a service uses something of the target's container."""
    for key in NAMESPACES:
        if raw.get(key) == f"service:{target}":
            return key
    names = [str(one).split(":")[0] for one in raw.get("volumes_from") or ()]
    return "volumes_from" if target in names else None
