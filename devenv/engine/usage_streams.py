"""Follows what many containers use: one stats stream each, their samples told together.

The engine measures all containers once a second and then writes to each stream. Told one by one
that would be a state, and a repaint, for each container; so a second's samples are one action.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from devenv.engine.api import ApiError, EngineClient
from devenv.engine.usage import with_rates
from devenv.errors import EngineUnavailable
from devenv.state import actions as do
from devenv.state.containers import ContainerId
from devenv.state.usage import Usage

EVERY_SECONDS = 1.0
GATHER_SECONDS = 0.2
"""How long after a second's first sample the others are waited for."""

Dispatch = Callable[[do.Action], Awaitable[None]]


class UsageStreams:
    """Reads what it is told to follow; holds one sample of each container."""

    def __init__(self, client: EngineClient, dispatch: Dispatch) -> None:
        self._client = client
        self._dispatch = dispatch
        self._tasks: dict[ContainerId, asyncio.Task[None]] = {}
        self._fresh: dict[ContainerId, Usage] = {}
        self._teller: asyncio.Task[None] | None = None
        self._told_at = float("-inf")

    def follow(self, container_id: ContainerId) -> None:
        """Read a running container's samples, unless that is being done."""
        task = self._tasks.get(container_id)
        if task is None or task.done():
            self._tasks[container_id] = asyncio.create_task(self._read(container_id), name="usage")

    def forget(self, container_id: ContainerId) -> None:
        """The container does not run any more."""
        self._fresh.pop(container_id, None)
        task = self._tasks.pop(container_id, None)
        if task is not None:
            task.cancel()

    async def pause(self) -> None:
        """End all reading."""
        tasks = [*self._tasks.values(), *([self._teller] if self._teller is not None else [])]
        self._tasks.clear()
        self._fresh.clear()
        self._teller = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, container_id: ContainerId) -> None:
        before: Usage | None = None
        samples = self._client.stats(container_id)
        with contextlib.suppress(EngineUnavailable, ApiError):
            async with contextlib.aclosing(samples):
                async for sample in samples:
                    self._fresh[container_id] = with_rates(sample, before)
                    before = sample
                    if self._teller is None or self._teller.done():
                        self._teller = asyncio.create_task(self._tell(), name="usage")

    async def _tell(self) -> None:
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(max(GATHER_SECONDS, self._told_at + EVERY_SECONDS - now))
        self._told_at = asyncio.get_running_loop().time()
        usage, self._fresh = self._fresh, {}
        if usage:
            await self._dispatch(do.UsageMeasured(usage))
