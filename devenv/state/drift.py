"""Which services run with another configuration than the files say now. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from devenv.compose.names import ServiceName
from devenv.values import dataclass

if TYPE_CHECKING:
    from devenv.state.containers import Container
    from devenv.state.model import ServiceState, State

_ALIVE = ("running", "paused", "restarting")
SHOWN_KEYS = 3
"""How many keys a row names."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How a service differs from its files, once that was looked up."""

    hash: str
    """Compose's hash of what its container was made with."""
    differences: tuple[str, ...]
    """`KEY: BEFORE → AFTER`, harmless and without secrets; empty where it is not known."""


def resolve_drift(
    state: State, name: ServiceName, containers: Sequence[Container]
) -> tuple[str, ...] | None:
    """The differences of a service that is stale; empty where they are not known (yet); None: it
    runs as the files say, or it does not run."""
    stale = find_stale_hash(state, name, containers)
    if stale is None:
        return None
    known = state.drifts.get(name)
    return known.differences if known is not None and known.hash == stale else ()


def find_stale_hash(state: State, name: ServiceName, containers: Sequence[Container]) -> str | None:
    """The hash of the first container that differs from the files' one."""
    wanted = state.hashes.get(name)
    if not wanted:
        return None
    return next(
        (
            container.config_hash
            for container in containers
            if container.state in _ALIVE and container.config_hash not in ("", wanted)
        ),
        None,
    )


def find_unexplained(state: State, before: State) -> Iterator[tuple[ServiceName, str]]:
    """The services that have become stale, or are compared with other files now, with the hash of
    what runs."""
    old = {service.name: service for service in before.services}
    for service in state.services:
        stale = find_stale_hash(state, service.name, service.containers)
        if stale is None:
            continue
        was = old.get(service.name)
        known = was is not None and find_stale_hash(before, service.name, was.containers) == stale
        if not known or before.hashes.get(service.name) != state.hashes.get(service.name):
            yield service.name, stale


def is_recreated(state: State) -> bool:
    """Whether the last operation has recreated all that was stale, so that all runs as the files
    say."""
    operation, project = state.operation, state.project
    if operation is None or project is None or not state.hashes:
        return False
    if operation.kind.value != "recreate" or not operation.finished or operation.problem:
        return False
    mine = [service for service in state.services if service.name in project.services]
    return all(service.drift is None and service.containers for service in mine)


def render_drift(service: ServiceState) -> str:
    """`stale: image, environment.MODE`; empty for one that runs as the files say."""
    if service.drift is None:
        return ""
    keys = [difference.partition(": ")[0] for difference in service.drift]
    more = f" and {len(keys) - SHOWN_KEYS} more" if len(keys) > SHOWN_KEYS else ""
    return f"stale: {', '.join(keys[:SHOWN_KEYS]) or 'its configuration changed'}{more}"
