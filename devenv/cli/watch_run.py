"""`devenv watch`, running: from changed files over the plan to what is done about them.

One batch of changed files is one plan; what it asks for is done per service, and joined with what
comes meanwhile. A build that a newer save makes stale is cancelled. A build that failed is tried
again at the next change that asks for one. Everything that happens is told as an event.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection, Iterable, Sequence

from devenv.cli.session import Session
from devenv.cli.watch_elsewhere import Elsewhere
from devenv.cli.watch_gate import Gate
from devenv.cli.watch_initial import find_initial
from devenv.cli.watch_keep import Keeper
from devenv.cli.watch_lanes import Lanes, measure_notice
from devenv.cli.watch_missed import find_missed
from devenv.cli.watch_model import WatchModel, load_watch_model
from devenv.cli.watch_reload import bring_up, reload_model
from devenv.cli.watch_returns import follow_starts
from devenv.cli.watch_tell import Tell, Teller
from devenv.cli.watch_work import Output, Worker
from devenv.cli.watch_writable import note_unwritable
from devenv.compose.names import ServiceName
from devenv.compose.watch.batch import BatchPlan, plan_batch
from devenv.compose.watch.values import WatchAction
from devenv.engine.api import ApiError
from devenv.errors import DevenvError, EngineUnavailable
from devenv.state.watch import WatchStatus
from devenv.state.watch_events import WatchTurned
from devenv.watch.sources import SourceWatcher


class WatchRun:
    """Follows the sources of an environment that runs."""

    def __init__(
        self,
        session: Session,
        tell: Tell,
        *,
        poll: bool = False,
        output: Output = lambda number, line: None,
        built_since: float | None = None,
        built: Collection[ServiceName] = (),
    ) -> None:
        """Loads the model. `output` takes the lines of builds; `built_since` is when (seconds
        since the epoch) the images of `built`, or with none named all of them, began to be built,
        where that was done just now. Raises DevenvError.
        """
        self._built_since = built_since
        self._built = built
        self._poll = poll or session.files.settings.watch.poll
        self._model: WatchModel = load_watch_model(session)
        self._teller = Teller(tell, self._model.directory)
        self._worker = Worker(self._model, self._teller, output)
        self._client = session.client
        self._elsewhere = Elsewhere()
        self._owing: set[ServiceName] = set()
        """Services that the last reload could not bring up."""
        self._late: set[str] = set()
        """Files of the model whose change is not brought to all services yet."""
        self._gate = Gate(lambda: self._model, tell)
        self._keeper = Keeper(
            session, self._model.project.name, lambda: self._gate.held, lambda: self._worker.stale
        )
        self._lanes = Lanes(self._worker, self._teller, self._gate, self._keeper)

    async def run(self) -> None:
        """Watch until cancelled. Raises DevenvError where nothing can be watched."""
        async with asyncio.TaskGroup() as tasks:
            self._lanes.tasks = tasks
            tasks.create_task(self._worker.run())
            self._worker.compose.prepare(self._model)
            noting = note_unwritable(
                self._model.planner, self._client, self._model.project.name, self._teller
            )
            tasks.create_task(noting)
            watcher: SourceWatcher | None = None

            async def sync_new(service: ServiceName) -> None:
                if watcher is not None:
                    await self._sync_initially(watcher, service)

            returns = follow_starts(
                self._client,
                lambda: self._model,
                lambda: self._worker.stale,
                self._lanes.begin,
                sync_new,
            )
            tasks.create_task(returns)
            try:
                while True:
                    model = self._model
                    before, watcher = (
                        watcher,
                        SourceWatcher(
                            model.find_roots(),
                            files=model.find_files(),
                            poll=self._poll,
                            wants=lambda path: self._model.planner.wants_directory(path),
                            before=watcher,
                        ),
                    )
                    await asyncio.to_thread(watcher.start)
                    self._keeper.use(watcher)
                    self._tell_on(watcher)
                    if before is None:
                        await self._catch_up(watcher)
                    await self._follow(watcher)
            finally:
                self._keeper.keep()

    async def _catch_up(self, watcher: SourceWatcher) -> None:
        """Take what changed while nobody watched."""
        try:
            missed = await find_missed(
                self._model,
                self._client,
                self._keeper.before,
                watcher,
                self._built_since,
                self._built,
            )
        except (ApiError, EngineUnavailable):
            return  # an engine that is gone has no containers to bring anything to
        self._worker.use_stale(missed.stale)
        if missed.reload:
            paths = {change.path for change in missed.reload}
            self._keeper.miss(paths)
            worker = self._worker
            with contextlib.suppress(ApiError, EngineUnavailable):
                if await bring_up(self._model, missed.reload, worker.compose, self._teller):
                    self._keeper.settle(paths)
        for work in missed.works:
            self._lanes.begin(work)
        with contextlib.suppress(ApiError, EngineUnavailable):  # a container that went just now
            await self._sync_initially(watcher)

    async def _sync_initially(
        self, watcher: SourceWatcher, only: ServiceName | None = None
    ) -> None:
        for work in await find_initial(self._model, self._client, watcher.snapshot(), only):
            self._lanes.begin(work)

    def _tell_on(self, watcher: SourceWatcher) -> None:
        self._teller.tell(
            WatchTurned(
                time.time(),
                WatchStatus.PAUSED if self._gate.is_paused else WatchStatus.ON,
                files=watcher.count,
                services=self._model.find_services(),
            )
        )

    def keep(self) -> None:
        """Write down what was brought so far."""
        self._keeper.keep()

    def pause(self) -> None:
        """Only collect from now on; what is under way goes on to its end."""
        self._gate.pause()

    def release(self) -> None:
        """Take what was collected, as one plan."""
        self._gate.release()

    def build_now(self, services: Sequence[ServiceName]) -> None:
        """Build these services' images and recreate them, also while paused."""
        self._lanes.build_now(services)

    def cancel_builds(self, services: Sequence[ServiceName] = ()) -> None:
        """Give up the running build and the next one of these services, or of all.

        What runs goes on as it is; the next change that asks for a build brings all of it.
        """
        self._lanes.cancel_builds(services)

    async def _follow(self, watcher: SourceWatcher) -> bool:
        """Take batches until the model changed; whether the roots may be others now."""
        try:
            async with contextlib.aclosing(self._gate.sift(watcher.batches())) as batches:
                async for found in batches:
                    owed = self._gate.take_owed()
                    paths = await asyncio.to_thread(watcher.settle, found) | (found & owed)
                    if paths and await self._take(paths):
                        return True
        except OSError as error:
            if self._poll:
                raise DevenvError(f"The sources cannot be watched: {error}.") from None
            self._poll = True
            self._teller.note(
                None,
                "no-watches",
                f"the kernel gives no watches: {error.strerror or error}; the files are looked at "
                "by turns instead, which costs more",
                fix="raise fs.inotify.max_user_watches and fs.inotify.max_user_instances",
            )
            return True
        return False

    async def _take(self, paths: Iterable[str]) -> bool:
        """Plan a batch and begin its work; whether other directories may matter now."""
        paths = set(paths)
        if await asyncio.to_thread(self._elsewhere.is_elsewhere, self._model, self._teller):
            self._keeper.miss(paths)
            return False
        model_files = set(self._model.find_files())
        is_other = any(path in self._model.reader.states for path in paths - model_files)
        if is_other:
            self._use(await asyncio.to_thread(self._model.renewed))
        plan = self._plan(paths)
        if plan.reload:
            model = await self._reload(plan)
            while model is None and await self._worker.wait_for_engine():
                model = await self._reload(plan)
            files = {change.path for change in plan.reload}
            if model is not None:
                is_other = True
                self._use(model)
                self._late |= files
                (self._keeper.miss if self._owing else self._keeper.settle)(self._late)
                if not self._owing:
                    self._late.clear()
                plan = self._plan(paths)
            else:
                self._keeper.miss(files)
        for work in plan.works:
            if work.action is WatchAction.LIVE:
                doing = self._teller.start(WatchAction.LIVE, (work.service,), work.changes)
                doing.end(is_timed=False)
            else:
                self._lanes.begin(work)
        return is_other

    async def _reload(self, plan: BatchPlan) -> WatchModel | None:
        worker, noticed = self._worker, measure_notice(plan.reload)
        return await reload_model(
            self._model,
            plan.reload,
            worker.compose,
            worker.meter,
            self._teller,
            noticed,
            self._owing,
        )

    def _plan(self, paths: Iterable[str]) -> BatchPlan:
        planner = self._model.planner
        return plan_batch(change for path in sorted(paths) for change in planner.plan(path))

    def _use(self, model: WatchModel) -> None:
        self._model = self._worker.model = model
        self._worker.compose.prepare(model)
