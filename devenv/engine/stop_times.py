"""How long containers take to stop, and with which exit code: read off the engine's events.

A stop is a `kill` with the stop signal, after the grace period a `kill` with SIGKILL, then `die`.
Times are the engine's own, so a clock that differs from this machine's changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from devenv.compose.names import EnvironmentName, ServiceName
from devenv.engine.api import ApiError, EngineClient
from devenv.engine.containers import LABEL_PROJECT, LABEL_SERVICE
from devenv.errors import EngineUnavailable
from devenv.values import dataclass

KILLED = 137
"""The exit code of what SIGKILL ended."""
KEPT_STOPS = 50
SETTLE_SECONDS = 2.0
"""How long an event may take to come after what caused it has returned."""
_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class StopSeen:
    """One container's stop."""

    number: int
    """Counts up in the order of the ends."""
    service: ServiceName
    seconds: float
    """From the first signal to the end."""
    exit_code: int
    signal: int
    """The first one that it got; 9 where it was killed at once."""

    def ignored(self, grace_seconds: float) -> bool:
        """Whether it had to be killed after the whole grace period."""
        late = self.seconds >= grace_seconds * 0.9
        return self.exit_code == KILLED and self.signal != 9 and grace_seconds > 0 and late


class StopTimes:
    """Follows an environment's events and keeps its last stops."""

    def __init__(self, client: EngineClient, name: EnvironmentName) -> None:
        self._client = client
        self._name = name
        self._open: dict[str, tuple[int, int]] = {}
        """Container -> time and number of the first signal."""
        self._seen: list[StopSeen] = []
        self._changed = asyncio.Event()
        self._count = 0

    async def run(self) -> None:
        """Follow until cancelled; an engine that goes away is waited for."""
        filters = {"type": ["container"], "label": [f"{LABEL_PROJECT}={self._name}"]}
        while True:
            with contextlib.suppress(ApiError, EngineUnavailable):
                events = self._client.events(filters)
                async with contextlib.aclosing(events):
                    async for event in events:
                        self.take(event)
            self._open.clear()
            await asyncio.sleep(_RETRY_SECONDS)

    def take(self, event: Mapping[str, Any]) -> None:
        """Note one event."""
        actor = event.get("Actor") or {}
        attributes = actor.get("Attributes") or {}
        container, at = str(actor.get("ID")), int(event.get("timeNano") or 0)
        match event.get("Action"):
            case "kill":
                self._open.setdefault(container, (at, _number(attributes.get("signal"))))
            case "die" if container in self._open:
                began, signal = self._open.pop(container)
                code, service = _number(attributes.get("exitCode")), attributes.get(LABEL_SERVICE)
                self._count += 1
                seen = StopSeen(
                    self._count, ServiceName(str(service)), (at - began) / 1e9, code, signal
                )
                self._seen = [*self._seen, seen][-KEPT_STOPS:]
            case "start" | "destroy":
                self._open.pop(container, None)
            case _:
                return
        self._changed.set()

    @property
    def mark(self) -> int:
        """The number of the last stop so far."""
        return self._count

    async def find_since(self, mark: int) -> tuple[StopSeen, ...]:
        """The stops after a mark, once those that have begun are over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                while self._open:
                    self._changed.clear()
                    await self._changed.wait()
        return tuple(stop for stop in self._seen if stop.number > mark)


def _number(text: object) -> int:
    """A signal's or exit code's number; -1 where it is none."""
    try:
        return int(str(text))
    except ValueError:
        return -1
