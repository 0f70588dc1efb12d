"""Does what the plan of the watch asks for one service: a sync, a restart, a rebuild.

A failed build leaves the running container as it is. Each is told as one activity, with where its
time went.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from devenv.cli.watch_compose import ComposeRunner
from devenv.cli.watch_model import WatchModel
from devenv.cli.watch_recreate import Recreation, Recreator
from devenv.cli.watch_stops import StopMeter
from devenv.cli.watch_tell import Doing, Teller
from devenv.compose.build_progress import BuildReader, StepMark
from devenv.compose.images import names_to_give
from devenv.compose.names import ServiceName
from devenv.compose.watch.batch import ServiceWork
from devenv.compose.watch.values import WatchAction
from devenv.engine.api import ApiError
from devenv.engine.containers_now import observe_once
from devenv.engine.health_wait import measure_health
from devenv.engine.image_tags import tag_image
from devenv.engine.stop_times import StopTimes
from devenv.engine.sync import After, Change, Hook, Outcome, Syncer, SyncResult
from devenv.errors import DevenvError, EngineUnavailable
from devenv.host.watch_memory import StaleImage
from devenv.state.containers import Container
from devenv.state.model import Problem
from devenv.state.start_seen import BuildStepRun
from devenv.state.text import sanitize
from devenv.state.watch import WHOLE, Part
from devenv.state.watch_events import ImagesStale

ENGINE_SECONDS = 1.0
"""How often an engine that went away is looked for."""
HEALTH_SECONDS = 120.0
"""How long a recreated container's health is waited for, to say what it took."""
Output = Callable[[int, str], None]
"""Called with an activity's number and one harmless line of its build's output."""


class Worker:
    """Does the work of one watch. `model` is exchanged when the files change."""

    def __init__(self, model: WatchModel, teller: Teller, output: Output) -> None:
        self.model = model
        self.compose = ComposeRunner()
        self._teller = teller
        self._output = output
        self._client = model.session.client
        self._syncer = Syncer(self._client)
        self._recreator = Recreator(self.compose, self._client)
        self._stops = StopTimes(self._client, model.project.name)
        self.meter = StopMeter(self._stops, teller)
        self._health: dict[ServiceName, asyncio.Task[None]] = {}
        self.stale: dict[ServiceName, StaleImage] = {}
        """Services whose image lacks what was synced."""
        self.building: dict[ServiceName, tuple[ServiceName, ...]] = {}
        """Lane -> the services whose image is being built."""
        self.why_cancelled: dict[ServiceName, str] = {}
        """Set before the work of a lane is cancelled, by who does that."""

    async def run(self) -> None:
        """Follow what containers do, until cancelled."""
        try:
            await self._stops.run()
        finally:
            for task in self._health.values():
                task.cancel()
            await asyncio.gather(*self._health.values(), return_exceptions=True)

    async def do(self, work: ServiceWork, noticed: Mapping[Part, float]) -> bool:
        """Do it to its end; whether it went well. Cancelled, it says so and raises."""
        doing = self._teller.start(work.action, (work.service,), work.changes, noticed)
        doings = (
            self._restart(doing, work.service)
            if work.action is WatchAction.RESTART
            else self._sync(doing, work)
        )
        return await self._run(doing, doings)

    async def rebuild(self, works: Sequence[ServiceWork], noticed: Mapping[Part, float]) -> bool:
        """One build for all services that share it, whichever of them asked; as `do`."""
        asking = tuple(work.service for work in works)
        changes = [change for work in works for change in work.changes]
        doing = self._teller.start(WatchAction.REBUILD, asking, changes, noticed)
        return await self._run(doing, self._rebuild(doing, works))

    async def _run(self, doing: Doing, doings: Awaitable[bool]) -> bool:
        doing.begin()
        for name in doing.activity.services:
            if (waiting := self._health.pop(name, None)) is not None:
                waiting.cancel()
        try:
            return await doings
        except DevenvError as error:
            doing.fail(self._teller.to_problem(error))
            return False
        except OSError as error:  # a file that went, a disk that is full: this work alone fails
            doing.fail(Problem(str(error)))
            return False
        except asyncio.CancelledError:
            lane = self.model.find_lane(doing.activity.services[0])
            doing.cancel(self.why_cancelled.get(lane, "the watch ended"))
            raise

    async def _sync(self, doing: Doing, work: ServiceWork) -> bool:
        """Copy changed files into every replica; a rebuild where that cannot be done."""
        after, hook = After.NOTHING, None
        if work.action is WatchAction.SYNC_EXEC:
            after = After.EXEC
            command = next((c.command for c in work.changes if c.command), ())
            hook = Hook(command)
        elif work.restarts:
            after = After.RESTART
        ids = [c.id for c in await self._containers(work.service) if c.state == "running"]
        if not ids:
            await self._mark_stale(work.service, ())
            doing.cancel("its container does not run: its image is built when it starts")
            return True
        changes = [Change(c.path, c.target or "") for c in work.synced]
        if any(change.stale_image for change in work.changes):
            # Before it is so: whoever ends the watch in the middle must not leave it unsaid.
            await self._mark_stale(work.service, ids)
        async with contextlib.AsyncExitStack() as stack:
            if after is After.RESTART:
                measured = self.meter.measured(self.model, doing, Part.START)
                await stack.enter_async_context(measured)
            results = await self._syncer.sync(
                ids, changes, after=after, hook=hook, stop_seconds=self.model.stop_seconds
            )
        for result in results:
            if result.outcome is Outcome.REBUILD:
                doing.becomes(WatchAction.REBUILD, result.why)
                return await self._rebuild(doing, [work])
        failed = next((r for r in results if r.outcome is not Outcome.SYNCED), None)
        if failed is not None:
            if failed.outcome is Outcome.GONE:
                await self._mark_stale(work.service, ())
            doing.fail(Problem(f"sync: {failed.why}"))
            return False
        if work.restarts and work.action is WatchAction.SYNC:
            doing.restarts()
        if not work.restarts:
            doing.took({Part.COPY: doing.elapsed})
        doing.end(_describe(work, results))
        return True

    async def _restart(self, doing: Doing, name: ServiceName) -> bool:
        doing.does("restart")
        words = ("restart", "--no-deps", *self.model.stop_options, name)
        async with self.meter.measured(self.model, doing, Part.START):
            await self.compose.run(self.model, *words)
        doing.end()
        self._follow_health(doing)
        return True

    async def _rebuild(self, doing: Doing, works: Sequence[ServiceWork]) -> bool:
        """Build the image once, and recreate the services of it that run."""
        model = self.model
        asking = [work.service for work in works]
        names = model.find_sharing(asking[0])
        self._recreator.prepare(model)
        doing.does("build", [*asking, *(one for one in names if one not in asking)])
        await self._build(doing, names)
        doing.does("recreate")
        synced = [work.service for work in works if work.synced]
        async with self.meter.measured(model, doing):
            done = await self._recreator.recreate(
                model, names, own=asking, always={*self.stale, *synced}
            )
        self.use_stale({k: v for k, v in self.stale.items() if k not in names})
        doing.end(_describe_recreation(done))
        self._follow_health(doing)
        if done.kept_stale:
            self._teller.note(
                asking[0],
                "volume-kept",
                f"{', '.join(done.kept_stale)}: the anonymous volume keeps what an older image "
                "put there; Compose would have given up the service's others with it",
                fix="devenv down and up, or a named volume for the data",
            )
        await self._restart_dependents(done.replaced)
        return True

    async def _build(self, doing: Doing, names: Sequence[ServiceName]) -> None:
        """Raises BuildFailed."""
        model, name = self.model, names[0]
        reader = BuildReader({name: model.image_of(name)})
        began, began_at = time.monotonic(), time.time()
        first: list[float] = []

        def on_line(line: str) -> None:
            line = sanitize(line).rstrip()
            self._output(doing.activity.number, line)
            for mark in reader.read(line, time.time()):
                if mark.key != WHOLE and not first:
                    first.append(mark.began_at)
                doing.steps(_to_step(mark))

        self.building[name] = tuple(names)
        failed = True
        try:
            await self.compose.build(model, name, on_line)
            await tag_image(self._client, model.image_of(name), names_to_give(model.project, names))
            failed = False
        finally:
            self.building.pop(name, None)
            for mark in reader.end(time.time(), failed=failed):
                doing.steps(_to_step(mark))
            seconds = time.monotonic() - began
            context = min(seconds, max(0.0, (first[0] if first else time.time()) - began_at))
            doing.took({Part.CONTEXT: context, Part.BUILD: seconds - context})

    async def _restart_dependents(self, names: Sequence[ServiceName]) -> None:
        """Those with `restart: true`. Spec: compose-spec 05-services.md#depends_on."""
        dependents = [
            name
            for name, service in self.model.project.services.items()
            if name not in names
            and any(e.service in names and e.restart for e in service.dependencies)
        ]
        running = [
            one
            for one in dependents
            if any(c.state == "running" for c in await self._containers(one))
        ]
        if not running or not names:
            return
        doing = self._teller.start(WatchAction.RESTART, running)
        doing.begin()
        words = ("restart", "--no-deps", *self.model.stop_options, *running)
        async with self.meter.measured(self.model, doing, Part.START):
            await self.compose.run(self.model, *words)
        verb = "depends" if len(running) == 1 else "depend"
        doing.end(f"{verb} on {', '.join(names)} with restart: true")

    def _follow_health(self, doing: Doing) -> None:
        """Tell how long the new containers take to become healthy, while others are worked on."""

        async def follow() -> None:
            names = doing.activity.services
            ids = [c.id for name in names for c in await self._containers(name)]
            seconds = await measure_health(self._client, ids, limit_seconds=HEALTH_SECONDS)
            if seconds is not None:
                doing.took({Part.HEALTH: seconds})

        async def quietly() -> None:
            with contextlib.suppress(EngineUnavailable, ApiError):
                await follow()

        service = doing.activity.services[0]
        self._health[service] = asyncio.create_task(quietly())

    async def _containers(self, name: ServiceName) -> list[Container]:
        found = await observe_once(self._client, self.model.project.name)
        return [container for container in found if container.service == name]

    async def _mark_stale(self, name: ServiceName, ids: Sequence[str]) -> None:
        """What these containers got is not in their image; no ids: what none of them got."""
        known = self.stale.get(name)
        if known is not None and ids and set(ids) <= set(known.container_ids):
            return
        with contextlib.suppress(ApiError):  # it is gone, and what it got with it
            if ids:
                image = str((await self._client.inspect(ids[0])).get("Image"))
            else:
                reference = self.model.image_of(name)
                found = await self._client.images_present([reference])
                image = str((found.get(reference) or {}).get("Id"))
            self.use_stale({**self.stale, name: StaleImage(image, tuple(ids))})

    async def mark_unbuilt(self, name: ServiceName) -> None:
        """A build was given up: the image lacks what it was to bring, whoever uses it next.

        The containers that there are keep it without being asked again.
        """
        model = self.model
        with contextlib.suppress(ApiError, EngineUnavailable):
            found = {}
            for one in model.find_sharing(name):
                ids = [container.id for container in await self._containers(one)]
                if ids and one not in self.stale:
                    image = str((await self._client.inspect(ids[0])).get("Image"))
                    found[one] = StaleImage(image, tuple(ids))
            self.use_stale({**self.stale, **found})

    async def wait_for_engine(self) -> bool:
        """Whether the engine was away, and is back now."""
        was_away = False
        while True:
            try:
                await self._client.ping()
            except EngineUnavailable:
                was_away = True
                await asyncio.sleep(ENGINE_SECONDS)
            else:
                return was_away

    def use_stale(self, stale: Mapping[ServiceName, StaleImage]) -> None:
        """The stale images from now on."""
        if set(stale) != set(self.stale):
            self._teller.tell(ImagesStale(time.time(), frozenset(stale)))
        self.stale = dict(stale)


def _describe(work: ServiceWork, results: Sequence[SyncResult]) -> str:
    """What else is to be said of a sync."""
    parts = []
    if len(results) > 1:
        parts.append(f"{len(results)} containers")
    if not all(r.is_atomic for r in results):
        parts.append("written in place: the container has no mv")
    hook = next((r.after for r in results if r.after is not None), None)
    if hook is not None and work.action is WatchAction.SYNC_EXEC:
        parts.append(f"its command ended with exit code {hook.exit_code}")
    return ", ".join(parts)


def _describe_recreation(done: Recreation) -> str:
    """What else is to be said of a rebuild."""
    parts = []
    if not done.replaced:
        parts.append("the image is the same" if done.same else "nothing of it runs")
    if done.renewed:
        parts.append(f"renewed {', '.join(done.renewed)}")
    return ", ".join(parts)


def _to_step(mark: StepMark) -> BuildStepRun:
    return BuildStepRun(mark.key, mark.text, mark.began_at, mark.ended_at, mark.cached, mark.failed)
