"""The containers of one environment as they are now, for the commands that look once."""

from __future__ import annotations

import asyncio

from devenv.compose.names import EnvironmentName
from devenv.engine.api import ApiError, EngineClient
from devenv.engine.containers import parse_container, parse_stop_signal
from devenv.engine.stops import Stops, resolve_stops
from devenv.state.containers import Container

_AT_ONCE = 8
"""How many containers are asked about at the same time."""


async def observe_once(client: EngineClient, name: EnvironmentName) -> tuple[Container, ...]:
    """The environment's containers, by service and number. Raises EngineUnavailable."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def look(container_id: str) -> tuple[Container, int] | None:
        try:
            async with gate:
                raw = await client.inspect(container_id)
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        container = parse_container(raw)
        return None if container is None else (container, parse_stop_signal(raw))

    summaries = await client.containers(name)
    found = await asyncio.gather(*(look(summary["Id"]) for summary in summaries))
    containers = await resolve_stops(client, Stops(), [each for each in found if each is not None])
    return tuple(sorted(containers, key=lambda c: (c.service, c.number)))
