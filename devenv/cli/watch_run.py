"""`devenv watch`, running: from changed files over the plan to what is done about them.

One batch of changed files is one plan; what it asks for is done per service, and joined with what
comes meanwhile. A build that a newer save makes stale is cancelled. A build that failed is tried
again at the next change that asks for one. Everything that happens is told as an event.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Iterable, Sequence

from devenv.cli.session import Session
from devenv.cli.watch_elsewhere import Elsewhere
from devenv.cli.watch_gate import Gate
from devenv.cli.watch_model import WatchModel, load_watch_model
from devenv.cli.watch_reload import reload_model
from devenv.cli.watch_tell import Tell, Teller
from devenv.cli.watch_work import Output, Worker
from devenv.cli.watch_writable import note_unwritable
from devenv.compose.names import ServiceName
from devenv.compose.watch.batch import ServiceWork, join_work, plan_batch
from devenv.compose.watch.values import PlannedChange, WatchAction
from devenv.errors import DevenvError
from devenv.state.watch import Part, WatchStatus
from devenv.state.watch_events import WatchTurned, WorkQueued
from devenv.watch.sources import SourceWatcher

NEWER_SAVE = "a newer save"
MAX_NOTICE_SECONDS = 60.0
"""A file whose time lies further back was moved here, not saved."""


class WatchRun:
    """Follows the sources of an environment that runs."""

    def __init__(
        self,
        session: Session,
        tell: Tell,
        *,
        poll: bool = False,
        output: Output = lambda number, line: None,
    ) -> None:
        """Loads the model. `output` takes the lines of builds. Raises DevenvError."""
        self._poll = poll
        self._model: WatchModel = load_watch_model(session)
        self._teller = Teller(tell, self._model.directory)
        self._worker = Worker(self._model, self._teller, output)
        self._client = session.client
        self._elsewhere = Elsewhere()
        self._pending: dict[ServiceName, ServiceWork] = {}
        self._noticed: dict[ServiceName, dict[Part, float]] = {}
        self._running: dict[ServiceName, asyncio.Task[None]] = {}
        self._gate = Gate(lambda: self._model, tell)
        self._forced: set[ServiceName] = set()
        """Those that a person wants built now, paused or not."""
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Watch until cancelled. Raises DevenvError where nothing can be watched."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            tasks.create_task(self._worker.run())
            noting = note_unwritable(
                self._model.planner, self._client, self._model.project.name, self._teller
            )
            tasks.create_task(noting)
            watcher: SourceWatcher | None = None
            while True:
                model = self._model
                watcher = SourceWatcher(
                    model.find_roots(),
                    files=model.find_files(),
                    poll=self._poll,
                    wants=model.planner.wants_directory,
                    before=watcher,
                )
                await asyncio.to_thread(watcher.start)
                self._teller.tell(
                    WatchTurned(
                        time.time(),
                        WatchStatus.PAUSED if self._gate.is_paused else WatchStatus.ON,
                        files=watcher.count,
                        services=model.find_services(),
                    )
                )
                if await self._follow(watcher, tasks):
                    continue

    def pause(self) -> None:
        """Only collect from now on; what is under way goes on to its end."""
        self._gate.pause()

    def release(self) -> None:
        """Take what was collected, as one plan."""
        self._gate.release()

    def build_now(self, services: Sequence[ServiceName]) -> None:
        """Build these services' images and recreate them, also while paused."""
        for name in services:
            if self._tasks is not None and not self._find_builder(name):
                self._forced.add(name)
                self._begin(ServiceWork(name, WatchAction.REBUILD, ()), self._tasks)

    def cancel_builds(self, services: Sequence[ServiceName] = ()) -> None:
        """Give up the running build and the next one of these services, or of all.

        What runs goes on as it is; the next change that asks for a build brings all of it.
        """
        leads = {name for name in self._worker.building if not services}
        leads |= {lead for one in services if (lead := self._find_builder(one)) is not None}
        for name in {*leads, *(services or self._pending)}:
            work = self._pending.get(name)
            if work is not None and work.action is WatchAction.REBUILD:
                del self._pending[name]
                doing = self._teller.start(work.action, (name,), work.changes)
                doing.cancel("by hand, before it began")
        for name in leads:
            task = self._running.get(name)
            if task is not None:
                self._worker.why_cancelled[name] = "by hand"
                task.cancel()
        self._tell_queued()

    def _find_builder(self, name: ServiceName) -> ServiceName | None:
        """The service as whose work the image of this one is being built."""
        building = self._worker.building
        return next((lead for lead, names in building.items() if name in names), None)

    def _tell_queued(self) -> None:
        queued = {name: work.action for name, work in self._pending.items()}
        self._teller.tell(WorkQueued(time.time(), queued))

    async def _follow(self, watcher: SourceWatcher, tasks: asyncio.TaskGroup) -> bool:
        """Take batches until the model changed; whether the roots may be others now."""
        try:
            async with contextlib.aclosing(self._gate.sift(watcher.batches())) as batches:
                async for paths in batches:
                    if await self._take(paths, tasks):
                        return True
        except OSError as error:
            if self._poll:
                raise DevenvError(f"The sources cannot be watched: {error}.") from None
            self._poll = True
            self._teller.note(
                None,
                "no-watches",
                f"the kernel has no watches left ({error}); looking at the files by turns instead",
                fix="raise fs.inotify.max_user_watches",
            )
            return True
        return False

    async def _take(self, paths: Iterable[str], tasks: asyncio.TaskGroup) -> bool:
        """Plan a batch and begin its work; whether the model was loaded anew."""
        if await asyncio.to_thread(self._elsewhere.is_elsewhere, self._model, self._teller):
            return False
        planned: list[PlannedChange] = []
        for path in sorted(paths):
            planned += self._model.planner.plan(path)
        plan = plan_batch(planned)
        if plan.reload:
            model = await reload_model(
                self._model,
                plan.reload,
                self._worker.compose,
                self._teller,
                _measure_notice(plan.reload),
            )
            if model is not None:
                self._model = self._worker.model = model
            return model is not None
        for work in plan.works:
            if work.action is WatchAction.LIVE:
                doing = self._teller.start(WatchAction.LIVE, (work.service,), work.changes)
                doing.end(is_timed=False)
            else:
                self._begin(work, tasks)
        return False

    def _begin(self, work: ServiceWork, tasks: asyncio.TaskGroup) -> None:
        """Do the work, or join it with what the service has to do already."""
        name = work.service
        before = self._pending.get(name)
        self._pending[name] = join_work(before, work) if before is not None else work
        self._tell_queued()
        self._noticed[name] = _measure_notice(work.changes)
        task = self._running.get(name)
        if task is not None and not task.done():
            if name in self._worker.building and work.action is WatchAction.REBUILD:
                # Its image would be stale: what it was to do is still pending.
                self._worker.why_cancelled[name] = NEWER_SAVE
                task.cancel()
            return
        self._running[name] = tasks.create_task(self._work_off(name))

    async def _work_off(self, name: ServiceName) -> None:
        """Do what is pending for a service until nothing is."""
        while (work := self._pending.pop(name, None)) is not None:
            self._tell_queued()
            if self._gate.is_paused and name not in self._forced:
                await self._gate.hold(change.path for change in work.changes)
                return
            self._forced.discard(name)
            try:
                await self._worker.do(work, self._noticed.pop(name, {}))
            except asyncio.CancelledError:
                why = self._worker.why_cancelled.pop(name, None)
                current = asyncio.current_task()
                if why is None or current is None:
                    raise  # the watch ends
                current.uncancel()
                newer = self._pending.get(name)
                if why == NEWER_SAVE and newer is not None:
                    self._pending[name] = join_work(work, newer)
                    self._tell_queued()


def _measure_notice(changes: Iterable[PlannedChange]) -> dict[Part, float]:
    """How long ago the last of the files was saved; nothing where that cannot be told."""
    times = []
    for path in {change.path for change in changes}:
        try:
            times.append(os.lstat(path).st_mtime)
        except OSError:
            continue  # deleted
    seconds = time.time() - max(times, default=0.0)
    return {Part.NOTICE: seconds} if 0 <= seconds <= MAX_NOTICE_SECONDS else {}
