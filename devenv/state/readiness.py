"""Whether a start has come to its end, and how."""

from __future__ import annotations

from collections.abc import Collection

from devenv.compose.names import ServiceName
from devenv.state.model import BROKEN, READY, State
from devenv.values import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a start ended. `failed` is empty where all is well."""

    ready: tuple[ServiceName, ...] = ()
    failed: tuple[ServiceName, ...] = ()

    @property
    def good(self) -> bool:
        return not self.failed


def resolve_outcome(state: State, wanted: Collection[ServiceName]) -> Outcome | None:
    """The outcome of a start of `wanted`, or None while it is under way.

    `docker compose up --wait` fails on a one-shot that ends with 0; here that is ready. A
    service with replicas 0 is ready too.
    """
    operation = state.operation
    if operation is None or not operation.finished or state.project is None:
        return None
    services = [service for service in state.services if service.name in wanted]
    failed = tuple(service.name for service in services if service.status in BROKEN)
    if failed:
        return Outcome(failed=failed)
    if operation.problem is not None:
        return Outcome(
            failed=tuple(service.name for service in services if service.status not in READY)
        )
    waiting = [
        service.name
        for service in services
        if service.status not in READY and state.project.services[service.name].replicas > 0
    ]
    return None if waiting else Outcome(ready=tuple(service.name for service in services))
