"""Writes each start into the history, once it is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from devenv.cli.session import Session
from devenv.state.actions import StartClosed
from devenv.state.effects import RecordStart
from devenv.state.store import Store

if TYPE_CHECKING:
    from devenv.state.effects import Effect

HOLD_SECONDS = 1.5
"""How long after its end a start is looked at: a service may die as soon as it was up."""


class StartRecorder:
    """Carries out `RecordStart`. `wait_for_hooks` returns when no hook runs any more."""

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        store: Store,
        session: Callable[[], Session],
        wait_for_hooks: Callable[[], Awaitable[None]],
        warn: Callable[[str], None],
    ) -> None:
        self._tasks = tasks
        self._store = store
        self._session = session
        self._wait_for_hooks = wait_for_hooks
        self._warn = warn
        self._recording: asyncio.Task[None] | None = None

    def run(self, effect: Effect) -> bool:
        """Whether the effect was one for this part, which has taken it then."""
        if not isinstance(effect, RecordStart):
            return False
        self._recording = self._tasks.create_task(self._record(effect.started_at))
        return True

    def end(self) -> None:
        """Record at once what was to be looked at a little longer."""
        if self._recording is not None and not self._recording.done():
            self._recording.cancel()
            self._keep()

    async def _record(self, started_at: float) -> None:
        await asyncio.sleep(HOLD_SECONDS)
        await self._wait_for_hooks()
        start = self._store.state.start
        if start is not None and start.started_at == started_at:  # else another one has begun
            self._keep()
            await self._store.dispatch(StartClosed(started_at))

    def _keep(self) -> None:
        """Write the start into the history; one in which nothing was started is not kept."""
        from devenv.host.history import record_start
        from devenv.host.memory import open_memory
        from devenv.host.paths import state_directory
        from devenv.state.timeline import resolve_timeline

        timeline = resolve_timeline(self._store.state, time.time())
        if timeline is None or not timeline.is_telling:
            return
        session = self._session()
        with open_memory(state_directory(session.environ), self._warn) as memory:
            record_start(memory, str(session.files.directory), timeline)
