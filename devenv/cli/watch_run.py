"""`devenv watch`, running: from changed files over the plan to what is done about them.

One batch of changed files is one plan; what it asks for is done per service, and joined with what
comes meanwhile. A build that a newer save makes stale is cancelled. A build that failed is tried
again at the next change that asks for one. Everything that happens is told as an event.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Sequence

from devenv.cli.session import Session
from devenv.cli.watch_elsewhere import Elsewhere
from devenv.cli.watch_gate import Gate
from devenv.cli.watch_lanes import Lanes, measure_notice
from devenv.cli.watch_model import WatchModel, load_watch_model
from devenv.cli.watch_reload import reload_model
from devenv.cli.watch_tell import Tell, Teller
from devenv.cli.watch_work import Output, Worker
from devenv.cli.watch_writable import note_unwritable
from devenv.compose.names import ServiceName
from devenv.compose.watch.batch import plan_batch
from devenv.compose.watch.values import PlannedChange, WatchAction
from devenv.errors import DevenvError
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
    ) -> None:
        """Loads the model. `output` takes the lines of builds. Raises DevenvError."""
        self._poll = poll
        self._model: WatchModel = load_watch_model(session)
        self._teller = Teller(tell, self._model.directory)
        self._worker = Worker(self._model, self._teller, output)
        self._client = session.client
        self._elsewhere = Elsewhere()
        self._gate = Gate(lambda: self._model, tell)
        self._lanes = Lanes(self._worker, self._teller, self._gate)

    async def run(self) -> None:
        """Watch until cancelled. Raises DevenvError where nothing can be watched."""
        async with asyncio.TaskGroup() as tasks:
            self._lanes.tasks = tasks
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
                if await self._follow(watcher):
                    continue

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
                async for paths in batches:
                    if await self._take(paths):
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

    async def _take(self, paths: Iterable[str]) -> bool:
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
                self._worker.meter,
                self._teller,
                measure_notice(plan.reload),
            )
            if model is not None:
                self._model = self._worker.model = model
            return model is not None
        for work in plan.works:
            if work.action is WatchAction.LIVE:
                doing = self._teller.start(WatchAction.LIVE, (work.service,), work.changes)
                doing.end(is_timed=False)
            else:
                self._lanes.begin(work)
        return False
