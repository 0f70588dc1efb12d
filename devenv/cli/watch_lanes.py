"""What is to be done and what is being done, in one lane for each build.

All services of one build stand in one lane: whichever of them asks, the image is built once. What
comes while a lane works is joined, and done next; a build that it makes stale is cancelled.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Sequence

from devenv.cli.watch_gate import Gate
from devenv.cli.watch_keep import Keeper
from devenv.cli.watch_tell import Teller
from devenv.cli.watch_work import Worker
from devenv.compose.names import ServiceName
from devenv.compose.watch.batch import ServiceWork, join_work, take_synced
from devenv.compose.watch.values import PlannedChange, WatchAction
from devenv.state.watch import Part
from devenv.state.watch_events import WorkQueued

NEWER_SAVE = "a newer save"
MAX_NOTICE_SECONDS = 60.0
"""A file whose time lies further back was moved here, not saved."""
_Works = dict[ServiceName, ServiceWork]


class Lanes:
    """The lanes of one watch, each named by the first of its services."""

    def __init__(self, worker: Worker, teller: Teller, gate: Gate, keeper: Keeper) -> None:
        self._worker = worker
        self._keeper = keeper
        self._teller = teller
        self._gate = gate
        self.tasks: asyncio.TaskGroup | None = None
        """Where work is done, while the watch runs."""
        self._pending: dict[ServiceName, _Works] = {}
        self._noticed: dict[ServiceName, dict[Part, float]] = {}
        self._running: dict[ServiceName, asyncio.Task[None]] = {}
        self._failed: dict[ServiceName, set[str]] = {}
        """Paths that a build was to bring and did not; the next one that succeeds has them."""
        self._forced: set[ServiceName] = set()
        """Lanes that a person wants built now, paused or not."""

    def begin(self, work: ServiceWork) -> None:
        """Do the work, or join it with what its lane has to do already."""
        assert self.tasks is not None
        self._keeper.miss(change.path for change in work.changes)
        lane = self._worker.model.find_lane(work.service)
        self._join(lane, [work])
        self._noticed[lane] = measure_notice(work.changes)
        task = self._running.get(lane)
        if task is None or task.done():
            self._running[lane] = self.tasks.create_task(self._work_off(lane))
        elif lane in self._worker.building and work.action is WatchAction.REBUILD:
            # Its image would be stale: what it was to do is still pending.
            self._worker.why_cancelled[lane] = NEWER_SAVE
            task.cancel()

    def build_now(self, services: Sequence[ServiceName]) -> None:
        """Build these services, unless that is under way."""
        for name in services:
            lane = self._worker.model.find_lane(name)
            if self.tasks is not None and lane not in self._worker.building:
                self._forced.add(lane)
                self.begin(ServiceWork(name, WatchAction.REBUILD, ()))

    def cancel_builds(self, services: Sequence[ServiceName]) -> None:
        """Give up the builds of these services, or of all, those under way and the next ones."""
        model, building = self._worker.model, self._worker.building
        chosen = {model.find_lane(name) for name in services} or {*building, *self._pending}
        for lane in chosen:
            pending = self._pending.get(lane, {})
            works = [one for one in pending.values() if one.action is WatchAction.REBUILD]
            for work in works:
                del pending[work.service]
            self._give_up(lane, works)
            if works:
                changes = [change for work in works for change in work.changes]
                names = tuple(work.service for work in works)
                self._teller.start(WatchAction.REBUILD, names, changes).cancel(
                    "by hand, before it began"
                )
                if self.tasks is not None:
                    self.tasks.create_task(self._worker.mark_unbuilt(lane))
            task = self._running.get(lane)
            if lane in building and task is not None:
                self._worker.why_cancelled[lane] = "by hand"
                task.cancel()
        self._tell_queued()

    def _give_up(self, lane: ServiceName, works: Iterable[ServiceWork]) -> None:
        """The next build brings these works' files too; what can be copied is copied meanwhile."""
        works = tuple(works)
        asking = [work for work in works if work.action is WatchAction.REBUILD]
        self._failed.setdefault(lane, set()).update(_paths(asking))
        self._join(lane, [one for work in works if (one := take_synced(work)) is not None])

    def _join(self, lane: ServiceName, works: Iterable[ServiceWork]) -> None:
        pending = self._pending.setdefault(lane, {})
        for work in works:
            before = pending.get(work.service)
            pending[work.service] = join_work(before, work) if before is not None else work
        self._tell_queued()

    def _tell_queued(self) -> None:
        queued = {
            work.service: work.action for works in self._pending.values() for work in works.values()
        }
        self._teller.tell(WorkQueued(time.time(), queued))

    async def _work_off(self, lane: ServiceName) -> None:
        """Do what is pending in a lane until nothing is."""
        while works := self._pending.pop(lane, None):
            self._tell_queued()
            if self._gate.is_paused and lane not in self._forced:
                paths = _paths(works.values())
                await self._gate.hold(paths, is_owed=True)
                return
            self._forced.discard(lane)
            try:
                await self._do(lane, works, self._noticed.pop(lane, {}))
            except asyncio.CancelledError:
                why = self._worker.why_cancelled.pop(lane, None)
                current = asyncio.current_task()
                if why is None or current is None:
                    raise  # the watch ends
                current.uncancel()
                if why == NEWER_SAVE:
                    self._join_before(lane, works.values())
                else:
                    newer = self._pending.pop(lane, {})
                    self._give_up(lane, works.values())
                    self._join(lane, newer.values())
                    await self._worker.mark_unbuilt(lane)

    async def _do(self, lane: ServiceName, works: _Works, noticed: dict[Part, float]) -> None:
        """A rebuild brings all files to all services of the lane; without one each has its own."""
        asking = [work for work in works.values() if work.action is WatchAction.REBUILD]
        if asking:
            others = [work for work in works.values() if work not in asking]
            if await self._worker.rebuild([*asking, *others], noticed):
                self._keeper.settle(self._failed.pop(lane, set()))
                self._settle(lane, works.values())
                return
            if await self._worker.wait_for_engine():
                self._join_before(lane, works.values())
                return
            # What can be copied is not lost with the build.
            self._failed.setdefault(lane, set()).update(_paths(asking))
            works = {w.service: w for one in works.values() if (w := take_synced(one)) is not None}
        async with asyncio.TaskGroup() as tasks:
            doing = [tasks.create_task(self._worker.do(w, noticed)) for w in works.values()]
        good = [w for w, task in zip(works.values(), doing, strict=True) if task.result()]
        self._settle(lane, good)
        failed = [work for work in works.values() if work not in good]
        if failed and await self._worker.wait_for_engine():
            self._join_before(lane, failed)

    def _join_before(self, lane: ServiceName, works: Iterable[ServiceWork]) -> None:
        """Have works done again, before what came since."""
        newer = self._pending.pop(lane, {})
        self._join(lane, (*works, *newer.values()))

    def _settle(self, lane: ServiceName, works: Iterable[ServiceWork]) -> None:
        """What went well is brought; what failed stays to be asked for again."""
        waiting = _paths(work for works in self._pending.values() for work in works.values())
        self._keeper.settle(_paths(works) - waiting - self._failed.get(lane, set()))


def _paths(works: Iterable[ServiceWork]) -> set[str]:
    return {change.path for work in works for change in work.changes}


def measure_notice(changes: Iterable[PlannedChange]) -> dict[Part, float]:
    """How long ago the last of the files was saved; nothing where that cannot be told."""
    times = []
    for path in {change.path for change in changes}:
        try:
            times.append(os.lstat(path).st_mtime)
        except OSError:
            continue  # deleted
    seconds = time.time() - max(times, default=0.0)
    return {Part.NOTICE: seconds} if 0 <= seconds <= MAX_NOTICE_SECONDS else {}
