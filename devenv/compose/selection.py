"""Which services a set of active Compose profiles selects from the whole model."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from devenv.compose.model import Project, Service
from devenv.values import replace


def is_active(service: Service, active: Collection[str]) -> bool:
    """Whether a service is in the selection. Spec: compose-spec 15-profiles.md."""
    return not service.profiles or "*" in active or any(p in active for p in service.profiles)


def select_services(
    everything: Project, active: Collection[str], named: Iterable[str] = ()
) -> Project:
    """The part of a whole model that Compose would load; a named service is active by that.

    Edges to services outside the selection stay: a required one is a fault, which Compose
    refuses.
    """
    wanted = set(named)
    services = {
        name: service
        for name, service in everything.services.items()
        if name in wanted or is_active(service, active)
    }
    document = dict(everything.document)
    raw = document.get("services") or {}
    document["services"] = {name: raw[name] for name in services if name in raw}
    return replace(everything, services=services, document=document)
