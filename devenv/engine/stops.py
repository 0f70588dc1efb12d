"""Whether a container that ended was asked to: told from the order of the engine's events.

A stop is `kill` with the container's stop signal, perhaps `kill` with SIGKILL, `die`, `stop`;
`docker kill` is `kill` and `die` alone; an end from outside the engine is `die` alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from devenv.engine.api import ApiError, EngineClient
from devenv.errors import EngineUnavailable
from devenv.state.containers import Container, ContainerId
from devenv.values import replace

HISTORY_SECONDS = 60
"""How long before its end a container's events are looked through."""
_ANSWER_SECONDS = 3.0


class Stops:
    """What the events seen so far say of each container."""

    def __init__(self) -> None:
        self._asked: set[str] = set()
        self._ended: set[str] = set()

    def take(self, container_id: str, event: Mapping[str, Any], stop_signal: int) -> None:
        """Note one event of a container, in the order of the events."""
        attributes = (event.get("Actor") or {}).get("Attributes") or {}
        match event.get("Action") or event.get("status"):
            case "stop":
                self._asked.add(container_id)
            case "kill" if str(attributes.get("signal")) == str(stop_signal):
                self._asked.add(container_id)
            case "die":
                self._ended.add(container_id)
            case "start" | "restart":
                self.forget(container_id)

    def forget(self, container_id: str) -> None:
        """Forget all about a container."""
        self._asked.discard(container_id)
        self._ended.discard(container_id)

    def was_asked(self, container_id: str) -> bool | None:
        """Whether the container was asked to stop; None where its end was not seen."""
        if container_id in self._asked:
            return True
        return False if container_id in self._ended else None


async def resolve_stops(
    client: EngineClient, stops: Stops, found: Iterable[tuple[Container, int]]
) -> tuple[Container, ...]:
    """The containers, each with its stop signal, with `stopped` as far as the engine remembers.

    Those that have ended are looked up, and `stops` learns what is found. An engine keeps its
    last 256 events, those of health checks among them: of what ended long ago it says nothing.
    """
    pairs = tuple(found)
    unclear = {
        container.id: number
        for container, number in pairs
        if container.state == "exited" and container.stopped is None and not container.oom_killed
    }
    times = [c.finished_at for c, _ in pairs if c.id in unclear and c.finished_at is not None]
    if not times:
        return tuple(container for container, _ in pairs)
    events = client.events(
        {"type": ["container"], "container": list(unclear)},
        since_ns=int((min(times) - HISTORY_SECONDS) * 1e9),
        until_ns=int((max(times) + 1) * 1e9),
    )
    # Not to know it is no reason to fail.
    with contextlib.suppress(TimeoutError, ApiError, EngineUnavailable):
        async with asyncio.timeout(_ANSWER_SECONDS), contextlib.aclosing(events):
            async for event in events:
                container_id = ContainerId((event.get("Actor") or {}).get("ID") or "")
                if container_id in unclear:
                    stops.take(container_id, event, unclear[container_id])
    return tuple(
        replace(c, stopped=stops.was_asked(c.id)) if c.id in unclear else c for c, _ in pairs
    )
