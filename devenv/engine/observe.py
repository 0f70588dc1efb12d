"""Follows one environment on the engine: its containers, their events, logs and usage.

The engine is the authority: an event only says which container to look at again, so a repeated
or replayed event does no harm. When the engine goes away this says so and tries again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from signal import SIGTERM
from typing import Any

from devenv.compose.names import EnvironmentName, ServiceName
from devenv.engine.api import ApiError, EngineClient
from devenv.engine.containers import LABEL_PROJECT, parse_container, parse_stop_signal
from devenv.engine.log_streams import LogStreams
from devenv.engine.problems import to_problem
from devenv.engine.stops import Stops, resolve_stops
from devenv.engine.usage_streams import UsageStreams
from devenv.errors import DevenvError, EngineUnavailable
from devenv.state import actions as do
from devenv.state.containers import Container, ContainerId, Health
from devenv.state.logs import ENGINE, LogStore

REPLAY_SECONDS = 10
"""How far back the event stream is read after connecting, to miss nothing meanwhile."""
RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 3.0)
"""Pauses between attempts to reach the engine; the last one repeats."""

Dispatch = Callable[[do.Action], Awaitable[None]]


class Observer:
    """Keeps the state in step with the engine's containers for one Compose project name."""

    def __init__(
        self,
        client: EngineClient,
        name: EnvironmentName,
        dispatch: Dispatch,
        logs: LogStore,
        *,
        clock: Callable[[], float],
        tail: int | None = 1000,
        since_ns: int | None = None,
        services: frozenset[ServiceName] | None = None,
        with_usage: bool = True,
        shared: EnvironmentName | None = None,
    ) -> None:
        """`tail` and `since_ns` limit the log lines of before; `services` whose logs are read.

        `shared` is an environment whose containers are followed like the own ones.
        """
        self._client = client
        self._names = (name,) if shared is None else (name, shared)
        self._dispatch = dispatch
        self._streams = LogStreams(
            client,
            logs,
            clock=clock,
            tail=tail,
            since_ns=since_ns,
            services=services,
            fair=with_usage,
        )
        self._clock = clock
        self._usage = UsageStreams(client, dispatch) if with_usage else None
        self._stops = Stops()
        self._stop_signals: dict[str, int] = {}
        self._unproven: set[str] = set()
        """Containers whose health is not known yet: each of their probes is looked at."""
        self._lost = False

    async def run(self) -> None:
        """Follow until cancelled; never ends by itself."""
        merging = asyncio.create_task(self._streams.run())
        try:
            attempt = 0
            while True:
                try:
                    await self._follow_connected()
                    attempt = 0
                except (EngineUnavailable, ApiError) as error:
                    self._say_lost(error)
                    await self._dispatch(do.EngineLost(to_problem(error)))
                await self._end_followers()
                await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
                attempt += 1
        finally:
            merging.cancel()
            await self._end_followers()
            await asyncio.gather(merging, return_exceptions=True)

    async def drain_logs(self) -> None:
        """Wait until the lines read so far are in the store."""
        await self._streams.drain()

    def _say_lost(self, error: DevenvError) -> None:
        if not self._lost:
            self._lost = True
            self._streams.say(ENGINE, f"{error.message} Trying again")

    async def _follow_connected(self) -> None:
        info = await self._client.ping()
        since_ns = int((self._clock() - REPLAY_SECONDS) * 1e9)
        await self._observe_all()
        if self._lost:
            self._lost = False
            self._streams.say(ENGINE, "the engine is back")
        self._streams.settle()
        await self._dispatch(do.EngineConnected(info.version))
        filters = {"type": ["container"]}
        if len(self._names) == 1:  # several labels would all have to fit
            filters["label"] = [f"{LABEL_PROJECT}={self._names[0]}"]
        events = self._client.events(filters, since_ns=since_ns)
        async with contextlib.aclosing(events):
            async for event in events:
                attributes = (event.get("Actor") or {}).get("Attributes") or {}
                if attributes.get(LABEL_PROJECT) in self._names:
                    await self._take_event(event)
        raise EngineUnavailable("The engine closed its event stream.", fix="Is it being restarted?")

    async def _observe_all(self) -> None:
        found = []
        summaries = [s for name in self._names for s in await self._client.containers(name)]
        for summary in summaries:
            container = await self._look(summary["Id"])
            if container is not None:
                found.append((container, self._stop_signals.get(container.id, SIGTERM)))
        containers = await resolve_stops(self._client, self._stops, found)
        await self._dispatch(do.ContainersObserved(containers))
        for container in containers:
            self._follow(container)

    async def _take_event(self, event: Mapping[str, Any]) -> None:
        actor = event.get("Actor") or {}
        container_id = ContainerId(actor.get("ID") or event.get("id") or "")
        what = event.get("Action") or event.get("status") or ""
        if not container_id or (
            what.startswith("exec_") and not self._is_probe(what, container_id)
        ):
            return
        signal = self._stop_signals.get(container_id, SIGTERM)
        self._stops.take(container_id, event, signal)
        code = str((actor.get("Attributes") or {}).get("exitCode") or "")
        self._streams.take_event(container_id, what, int(event.get("timeNano") or 0), code)
        container = await self._look(container_id)
        if container is None:
            await self._forget(container_id)
            return
        await self._dispatch(do.ContainerChanged(container))
        self._follow(container, by_event=True)

    def _is_probe(self, what: str, container_id: str) -> bool:
        """Whether an exec's event is one after which the health log may tell more."""
        return what == "exec_die" and container_id in self._unproven

    async def _look(self, container_id: str) -> Container | None:
        try:
            raw = await self._client.inspect(container_id)
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        self._stop_signals[container_id] = parse_stop_signal(raw)
        container = parse_container(raw, stopped=self._stops.was_asked(container_id))
        if container is not None and container.health is Health.STARTING:
            self._unproven.add(container_id)
        else:
            self._unproven.discard(container_id)
        return container

    async def _forget(self, container_id: ContainerId) -> None:
        self._stops.forget(container_id)
        self._stop_signals.pop(container_id, None)
        self._unproven.discard(container_id)
        self._streams.forget(container_id)
        if self._usage is not None:
            self._usage.forget(container_id)
        await self._dispatch(do.ContainerRemoved(container_id))

    def _follow(self, container: Container, *, by_event: bool = False) -> None:
        """Read the container's log and usage unless that is being done or it never ran."""
        if container.started_at is None:
            return
        self._streams.follow(container, by_event=by_event)
        if self._usage is not None and container.state == "running":
            self._usage.follow(container.id)

    async def _end_followers(self) -> None:
        if self._usage is not None:
            await self._usage.pause()
        await self._streams.pause()
