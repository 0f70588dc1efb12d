"""The watch within `up`: begun after the first start, its events passed on to the state.

Where another devenv watches the environment already, it waits for that one to end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from devenv.cli.session import Session
from devenv.cli.watch_lock import hold_watch
from devenv.errors import DevenvError
from devenv.host.operation_lock import Holder
from devenv.state.actions import Action, WatchTold
from devenv.state.watch import WatchStatus
from devenv.state.watch_events import WatchEvent, WatchTurned

if TYPE_CHECKING:
    from devenv.cli.watch_run import WatchRun

Dispatch = Callable[[Action], Awaitable[None]]


class WatchFollower:
    """Watches the sources of the environment that a session brought up."""

    def __init__(
        self, session: Session, dispatch: Dispatch, show: Callable[[WatchEvent], None]
    ) -> None:
        """`show` takes each event that is to be shown as a line."""
        self._session = session
        self._dispatch = dispatch
        self._show = show
        self._events: asyncio.Queue[WatchEvent] = asyncio.Queue()
        """In step with what the watch does: a build's steps at the fastest."""
        self._watch: WatchRun | None = None

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            passing = tasks.create_task(self._pass_on())
            await self._follow()
            await self._events.join()
            passing.cancel()

    async def _follow(self) -> None:
        """Tells, rather than raises, why nothing is watched."""
        from devenv.cli.watch_run import WatchRun

        try:
            name = (await asyncio.to_thread(lambda: self._session.project)).name
            async with hold_watch(self._session, name, self._tell_taken):
                self._watch = await asyncio.to_thread(WatchRun, self._session, self._tell)
                await self._watch.run()
        except* DevenvError as group:
            words = "; ".join(str(error) for error in group.exceptions)
            self._tell(WatchTurned(time.time(), WatchStatus.FAILED, words))
        finally:
            self._watch = None

    async def _tell_taken(self, holder: Holder) -> None:
        words = f"another devenv (pid {holder.pid}) watches; this one takes over when it ends"
        self._tell(WatchTurned(time.time(), WatchStatus.TAKEN, words, pid=holder.pid))

    def _tell(self, event: WatchEvent) -> None:
        self._events.put_nowait(event)

    async def _pass_on(self) -> None:
        while True:
            event = await self._events.get()
            self._show(event)
            await self._dispatch(WatchTold(event))
            self._events.task_done()
