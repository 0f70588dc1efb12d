"""The watch within `up`: begun after the first start, its events passed on to the state.

Where another devenv watches the environment already, it waits for that one to end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import TYPE_CHECKING

from devenv.cli.session import Session
from devenv.cli.watch_lock import hold_watch
from devenv.compose.names import ServiceName
from devenv.errors import DevenvError
from devenv.host.operation_lock import Holder
from devenv.state.actions import Action, WatchTold
from devenv.state.build_logs import BuildLogs
from devenv.state.effects import BuildNow, CancelBuilds, Effect, PauseWatch
from devenv.state.watch import WatchStatus
from devenv.state.watch_events import WatchEvent, WatchTurned

if TYPE_CHECKING:
    from devenv.cli.watch_run import WatchRun

Dispatch = Callable[[Action], Awaitable[None]]


class WatchFollower:
    """Watches the sources of the environment that a session brought up."""

    def __init__(
        self,
        session: Session,
        dispatch: Dispatch,
        show: Callable[[WatchEvent], None],
        builds: BuildLogs,
        built_since: float | None = None,
        built: Collection[ServiceName] = (),
    ) -> None:
        """`show` takes each event that is to be shown as a line, `builds` what builds print,
        `built_since` is when the images of `built` (none named: all) began to be built, if they
        were."""
        self._built_since = built_since
        self._built = built
        self._session = session
        self._dispatch = dispatch
        self._show = show
        self._builds = builds
        self._events: asyncio.Queue[WatchEvent] = asyncio.Queue()
        """In step with what the watch does: a build's steps at the fastest."""
        self._watch: WatchRun | None = None

    async def follow(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            passing = tasks.create_task(self._pass_on())
            await self._follow()
            await self._events.join()
            passing.cancel()

    def run(self, effect: Effect) -> bool:
        """Do what a user wants of the watch; whether it was meant by that."""
        if not isinstance(effect, PauseWatch | BuildNow | CancelBuilds):
            return False
        if self._watch is None:
            return True  # it has just ended
        match effect:
            case PauseWatch(paused):
                (self._watch.pause if paused else self._watch.release)()
            case BuildNow(services):
                self._watch.build_now(services)
            case CancelBuilds(services):
                self._watch.cancel_builds(services)
        return True

    def keep(self) -> None:
        """Write down what was brought so far, for others to know."""
        if self._watch is not None:
            self._watch.keep()

    async def _follow(self) -> None:
        """Tells, rather than raises, why nothing is watched."""
        from devenv.cli.watch_run import WatchRun

        try:
            name = (await asyncio.to_thread(lambda: self._session.project)).name
            async with hold_watch(self._session, name, self._tell_taken):
                watch = await asyncio.to_thread(
                    partial(
                        WatchRun,
                        self._session,
                        self._tell,
                        output=self._builds.append,
                        built_since=self._built_since,
                        built=self._built,
                    )
                )
                self._watch = watch
                await watch.run()
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
