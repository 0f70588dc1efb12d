"""What is done at once, next, or not at all: pauses, builds asked for, and cancelled ones."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from devenv.cli.watch_lanes import NEWER_SAVE, Lanes
from devenv.cli.watch_tell import Teller
from devenv.compose.names import ServiceName
from devenv.compose.watch.batch import ServiceWork
from devenv.compose.watch.values import PlannedChange, WatchAction
from devenv.state.watch import Outcome, Part
from devenv.state.watch_events import ActivityEnded, WatchEvent, WorkQueued

APP, TWIN, OTHER = ServiceName("app"), ServiceName("twin"), ServiceName("other")
REBUILD, SYNC = WatchAction.REBUILD, WatchAction.SYNC


def work(service: ServiceName, action: WatchAction, *paths: str) -> ServiceWork:
    changes = tuple(PlannedChange(path, service, action, "because") for path in paths)
    return ServiceWork(service, action, changes)


class FakeWorker:
    """Builds that last until they are let go; app and twin share one."""

    def __init__(self) -> None:
        lanes = {APP: APP, TWIN: APP, OTHER: OTHER}
        self.model = SimpleNamespace(find_lane=lanes.__getitem__)
        self.building: dict[ServiceName, tuple[ServiceName, ...]] = {}
        self.why_cancelled: dict[ServiceName, str] = {}
        self.done: list[tuple[str, list[str]]] = []
        self.good = True
        self.unbuilt: list[ServiceName] = []
        self.go = asyncio.Event()
        self.started = asyncio.Event()

    async def rebuild(self, works: Sequence[ServiceWork], noticed: Mapping[Part, float]) -> bool:
        lane = self.model.find_lane(works[0].service)
        paths = sorted({change.path for one in works for change in one.changes})
        self.building[lane] = tuple(one.service for one in works)
        self.started.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.done.append((f"cancelled: {self.why_cancelled.get(lane, 'the end')}", paths))
            raise
        finally:
            del self.building[lane]
        self.done.append(("built" if self.good else "failed", paths))
        return self.good

    async def wait_for_engine(self) -> bool:
        return False

    async def mark_unbuilt(self, name: ServiceName) -> None:
        self.unbuilt.append(name)

    async def do(self, one: ServiceWork, noticed: Mapping[Part, float]) -> bool:
        self.done.append((one.action.value, [change.path for change in one.changes]))
        return True


class FakeGate:
    def __init__(self) -> None:
        self.is_paused = False
        self.held: list[str] = []

    async def hold(self, paths: Any, *, is_owed: bool) -> None:
        self.held += paths


class FakeKeeper:
    def __init__(self) -> None:
        self.missed: set[str] = set()

    def miss(self, paths: Any) -> None:
        self.missed.update(paths)

    def settle(self, paths: Any) -> None:
        self.missed.difference_update(paths)


class Fixture:
    def __init__(self) -> None:
        self.worker, self.gate, self.keeper = FakeWorker(), FakeGate(), FakeKeeper()
        self.told: list[WatchEvent] = []
        teller = Teller(self.told.append, Path("/p"))
        self.lanes = Lanes(self.worker, teller, self.gate, self.keeper)  # type: ignore[arg-type]

    async def building(self) -> None:
        async with asyncio.timeout(20):
            await self.worker.started.wait()
        self.worker.started.clear()

    async def until(self, count: int) -> list[tuple[str, list[str]]]:
        async with asyncio.timeout(20):
            while len(self.worker.done) < count:  # noqa: ASYNC110, the worker is a fake
                await asyncio.sleep(0)
        return self.worker.done

    @property
    def queued(self) -> Mapping[ServiceName, WatchAction]:
        return [one for one in self.told if isinstance(one, WorkQueued)][-1].queued


@contextlib.asynccontextmanager
async def watching() -> AsyncIterator[Fixture]:
    fixture = Fixture()
    async with asyncio.TaskGroup() as tasks:
        fixture.lanes.tasks = tasks
        yield fixture
        fixture.worker.go.set()


async def test_a_failed_build_loses_no_copy_and_the_next_one_brings_all() -> None:
    async with watching() as fixture:
        fixture.worker.good = False
        fixture.worker.go.set()
        copy = PlannedChange("/p/copied", TWIN, SYNC, "because", "/app/copied")
        fixture.lanes.begin(work(APP, REBUILD, "/p/needed"))
        fixture.lanes.begin(ServiceWork(TWIN, SYNC, (copy,)))
        assert await fixture.until(2) == [
            ("failed", ["/p/copied", "/p/needed"]),
            ("sync", ["/p/copied"]),
        ]
        await asyncio.sleep(0)
        fixture.worker.good = True
        fixture.lanes.begin(work(APP, REBUILD, "/p/other"))
        assert (await fixture.until(3))[-1] == ("built", ["/p/other"])
        await asyncio.sleep(0)
        assert fixture.keeper.missed == set()


async def test_a_newer_save_makes_a_build_stale_and_nothing_of_it_is_lost() -> None:
    async with watching() as fixture:
        fixture.lanes.begin(work(APP, REBUILD, "/p/one"))
        await fixture.building()
        fixture.lanes.begin(work(TWIN, REBUILD, "/p/two"))
        await fixture.building()
        fixture.worker.go.set()
        assert await fixture.until(2) == [
            (f"cancelled: {NEWER_SAVE}", ["/p/one"]),
            ("built", ["/p/one", "/p/two"]),
        ]


async def test_cancelled_by_hand_the_build_and_the_next_one_are_given_up() -> None:
    async with watching() as fixture:
        fixture.lanes.begin(work(APP, REBUILD, "/p/one"))
        await fixture.building()
        fixture.lanes.begin(work(TWIN, SYNC, "/p/two"))
        assert fixture.queued == {TWIN: SYNC}
        fixture.lanes.cancel_builds([TWIN])
        assert await fixture.until(2) == [
            ("cancelled: by hand", ["/p/one"]),
            ("sync", ["/p/two"]),
        ]
        assert fixture.queued == {}
        fixture.lanes.begin(work(APP, REBUILD, "/p/three"))  # it can be asked for again
        await fixture.building()


async def test_what_can_be_copied_is_not_lost_with_a_build_that_is_cancelled() -> None:
    async with watching() as fixture:
        source = PlannedChange("/p/a.py", APP, SYNC, "because", target="/app/a.py")
        manifest = PlannedChange("/p/deps", APP, REBUILD, "because")
        fixture.lanes.begin(ServiceWork(APP, REBUILD, (source, manifest)))
        await fixture.building()
        fixture.lanes.cancel_builds([APP])
        assert await fixture.until(2) == [
            ("cancelled: by hand", ["/p/a.py", "/p/deps"]),
            ("sync", ["/p/a.py"]),
        ]
        assert fixture.keeper.missed == {"/p/a.py", "/p/deps"}
        fixture.lanes.begin(work(APP, REBUILD, "/p/other"))
        fixture.worker.go.set()
        await fixture.until(3)
        async with asyncio.timeout(20):
            while fixture.keeper.missed:  # noqa: ASYNC110, the keeper is a fake
                await asyncio.sleep(0)


async def test_a_build_that_has_not_begun_can_be_cancelled() -> None:
    async with watching() as fixture:
        fixture.lanes.begin(work(OTHER, REBUILD, "/p/one"))
        assert fixture.queued == {OTHER: REBUILD}
        fixture.lanes.cancel_builds([])
        assert fixture.queued == {}
        ended = [one.activity for one in fixture.told if isinstance(one, ActivityEnded)]
        assert [(one.outcome, one.text) for one in ended] == [
            (Outcome.CANCELLED, "by hand, before it began")
        ]
    assert fixture.worker.done == []


async def test_paused_only_what_is_asked_for_is_built() -> None:
    async with watching() as fixture:
        fixture.gate.is_paused = True
        fixture.lanes.begin(work(APP, REBUILD, "/p/one"))
        fixture.lanes.build_now([OTHER])
        await fixture.building()
        fixture.lanes.build_now([OTHER])  # it is under way
        fixture.worker.go.set()
        assert await fixture.until(1) == [("built", [])]
    assert (fixture.gate.held, fixture.worker.done) == (["/p/one"], [("built", [])])


async def test_the_end_of_the_watch_ends_a_build_that_has_something_pending() -> None:
    fixture = Fixture()

    async def watch() -> None:
        async with asyncio.TaskGroup() as tasks:
            fixture.lanes.tasks = tasks
            fixture.lanes.begin(work(APP, REBUILD, "/p/one"))
            await asyncio.Event().wait()

    task = asyncio.create_task(watch())
    await fixture.building()
    fixture.lanes.begin(work(APP, SYNC, "/p/two"))
    task.cancel()
    async with asyncio.timeout(20):
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert fixture.worker.done == [("cancelled: the end", ["/p/one"])]
