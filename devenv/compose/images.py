"""Which image each service runs, and which services share one build. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable

from devenv.compose.model import Project
from devenv.compose.names import ServiceName


def image_of(project: Project, name: ServiceName) -> str:
    """The name of a service's image: its own, or the one that Compose gives it."""
    return project.services[name].image or f"{project.name}-{name}"


def resolve_build_key(project: Project, name: ServiceName) -> str | None:
    """All that a service's build is made from, as text; None for a service that is not built.

    Services with the same key get the same image: it is built once, and named for each.
    """
    raw = (project.document.get("services") or {}).get(name) or {}
    build, platform = raw.get("build"), raw.get("platform")
    if not isinstance(build, dict):
        return None
    made = {key: value for key, value in build.items() if key != "tags"}
    return json.dumps([made, platform], sort_keys=True)


def group_builds(
    project: Project, services: Iterable[ServiceName]
) -> dict[ServiceName, tuple[ServiceName, ...]]:
    """The service to build -> all of the given ones that its build serves, itself first."""
    first: dict[str, ServiceName] = {}
    groups: dict[ServiceName, tuple[ServiceName, ...]] = {}
    for name in services:
        key = resolve_build_key(project, name)
        if key is not None:
            owner = first.setdefault(key, name)
            groups[owner] = (*groups.get(owner, ()), name)
    return groups


def names_to_give(project: Project, services: Iterable[ServiceName]) -> set[str]:
    """The names, with those of `build.tags`, that the image of a shared build is to have."""
    names: set[str] = set()
    for name in services:
        names.add(image_of(project, name))
        raw = (project.document.get("services") or {}).get(name) or {}
        build = raw.get("build")
        names.update(
            str(tag) for tag in (build.get("tags") if isinstance(build, dict) else ()) or ()
        )
    return names
