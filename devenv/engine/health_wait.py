"""How long new containers take to become healthy, told by the engine's own times."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from devenv.engine.api import EngineClient
from devenv.engine.containers import parse_container
from devenv.state.containers import Container, ContainerId, Health


async def measure_health(
    client: EngineClient, containers: Sequence[ContainerId], *, limit_seconds: float
) -> float | None:
    """Seconds from the start of the containers until the last of them was healthy.

    None where none has a health check, one becomes unhealthy or goes, or the limit passes.
    Raises EngineUnavailable, ApiError.
    """
    if not containers:
        return None
    filters: Mapping[str, list[str]] = {"type": ["container"], "container": [*containers]}
    with contextlib.suppress(TimeoutError):
        async with (
            asyncio.timeout(limit_seconds),
            contextlib.aclosing(client.events(filters)) as events,
        ):
            waiting = asyncio.ensure_future(anext(events, None))
            try:
                while True:
                    checked = await _load_checked(client, containers)
                    if not checked or any(c.state != "running" for c in checked):
                        return None
                    if any(c.health is Health.UNHEALTHY for c in checked):
                        return None
                    if all(c.health is Health.HEALTHY for c in checked):
                        return max(map(_until_healthy, checked))
                    if await asyncio.shield(waiting) is None:
                        return None
                    waiting = asyncio.ensure_future(anext(events, None))
            finally:
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
    return None


async def _load_checked(client: EngineClient, containers: Sequence[ContainerId]) -> list[Container]:
    """Those of the containers that have a health check, as they are now."""
    found = [parse_container(await client.inspect(one)) for one in containers]
    return [c for c in found if c is not None and c.health is not Health.NONE]


def _until_healthy(container: Container) -> float:
    started = container.started_at or 0.0
    passed = [p.ended_at for p in container.probes if p.exit_code == 0 and p.ended_at >= started]
    return min(passed, default=started) - started
