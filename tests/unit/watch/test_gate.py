"""What is held while a person paused the watch or git works, and that it comes out as one batch."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from devenv.cli.watch_gate import Gate
from devenv.compose.names import ServiceName
from devenv.state.watch import Hold
from devenv.state.watch_events import WatchEvent, WatchHeld
from tests.unit.watch.model import ROOT, make_planner

APP, WORKER = ServiceName("app"), ServiceName("worker")
COMPOSE = """\
services:
  app: {build: .}
  worker: {image: x, volumes: [./src:/src]}
"""
DOCKERFILE = "FROM x\nCOPY deps .\nRUN make deps\nCOPY src /src\nCMD [nodemon]\n"


class Fixture:
    """A gate, a queue of batches before it, and what came out behind it."""

    def __init__(self, git_dir: Path) -> None:
        planner = make_planner(COMPOSE, {"Dockerfile": DOCKERFILE})
        files = SimpleNamespace(git=SimpleNamespace(git_dir=git_dir))
        model: Any = SimpleNamespace(planner=planner, session=SimpleNamespace(files=files))
        self.told: list[WatchEvent] = []
        self.gate = Gate(lambda: model, self.told.append)
        self.queue: asyncio.Queue[tuple[str, ...] | None] = asyncio.Queue()
        self.out: asyncio.Queue[set[str]] = asyncio.Queue()

    async def _batches(self) -> AsyncIterator[tuple[str, ...]]:
        while (batch := await self.queue.get()) is not None:
            if not batch:
                raise OSError(28, "no watches left")
            yield batch

    async def run(self) -> None:
        async with contextlib.aclosing(self.gate.sift(self._batches())) as batches:
            async for batch in batches:
                self.out.put_nowait(batch)

    def save(self, *paths: str) -> None:
        self.queue.put_nowait(tuple(f"{ROOT}/{path}" for path in paths))

    async def got(self) -> set[str]:
        async with asyncio.timeout(20):
            return {path.removeprefix(f"{ROOT}/") for path in await self.out.get()}

    async def held(self, files: int) -> WatchHeld:
        """The last event, once it tells of so many held files."""
        async with asyncio.timeout(20):
            while True:
                last = self.told[-1] if self.told else None
                if isinstance(last, WatchHeld) and last.files == files:
                    return last
                await asyncio.sleep(0.01)


@pytest.fixture
def fixture(tmp_path: Path) -> Iterator[Fixture]:
    yield Fixture(tmp_path)


@contextlib.asynccontextmanager
async def running(fixture: Fixture) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(fixture.run())
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_batches_pass_as_they_come(fixture: Fixture) -> None:
    async with running(fixture) as task:
        fixture.save("src/a")
        assert await fixture.got() == {"src/a"}
        fixture.save("src/b", "deps")
        assert await fixture.got() == {"src/b", "deps"}
        fixture.queue.put_nowait(None)
        await task
    assert fixture.told == []


async def test_what_a_pause_holds_comes_out_as_one(fixture: Fixture) -> None:
    async with running(fixture):
        fixture.gate.pause()
        fixture.save("src/a")
        held = await fixture.held(1)
        assert (held.hold, held.counts) == (Hold.PAUSE, {APP: 1})  # to the worker it is live
        fixture.save("deps", "nobody-reads-it")
        fixture.save("src/a")
        assert (await fixture.held(2)).counts == {APP: 2}
        assert fixture.out.empty()
        fixture.gate.release()
        assert await fixture.got() == {"src/a", "deps", "nobody-reads-it"}
        assert fixture.told[-1].hold is None  # type: ignore[union-attr]
        fixture.save("src/b")
        assert await fixture.got() == {"src/b"}


async def test_git_is_one_batch(fixture: Fixture, tmp_path: Path) -> None:
    lock = tmp_path / "index.lock"
    lock.touch()
    async with running(fixture):
        fixture.save("src/a")
        assert (await fixture.held(1)).hold is Hold.GIT
        fixture.save("src/b", "deps")
        assert (await fixture.held(3)).counts == {APP: 3}
        lock.unlink()
        assert await fixture.got() == {"src/a", "src/b", "deps"}


async def test_a_release_while_git_works_waits_for_git(fixture: Fixture, tmp_path: Path) -> None:
    rebase = tmp_path / "rebase-merge"
    rebase.mkdir()
    async with running(fixture):
        fixture.gate.pause()
        fixture.save("src/a")
        await fixture.held(1)
        fixture.gate.release()
        fixture.save("src/b")
        await fixture.held(2)
        assert fixture.out.empty()
        rebase.rmdir()
        assert await fixture.got() == {"src/a", "src/b"}


async def test_a_pause_while_git_works_goes_on_after_it(fixture: Fixture, tmp_path: Path) -> None:
    lock = tmp_path / "index.lock"
    lock.touch()
    async with running(fixture):
        fixture.save("src/a")
        await fixture.held(1)
        fixture.gate.pause()
        lock.unlink()
        fixture.save("src/b")
        assert (await fixture.held(2)).hold is Hold.PAUSE
        fixture.gate.release()
        assert await fixture.got() == {"src/a", "src/b"}


async def test_what_the_watcher_raises_comes_through(fixture: Fixture) -> None:
    async with running(fixture) as task:
        fixture.save()
        with pytest.raises(OSError, match="no watches"):
            await task


async def test_what_was_planned_before_is_owed_once_it_is_let_through(fixture: Fixture) -> None:
    gate = fixture.gate
    gate.pause()
    running = asyncio.create_task(fixture.run())
    fixture.save("src/a")
    await fixture.held(1)
    await gate.hold([f"{ROOT}/deps"], is_owed=True)
    assert gate.take_owed() == frozenset()  # it is held still
    gate.release()
    assert await fixture.got() == {"src/a", "deps"}
    assert gate.take_owed() == {f"{ROOT}/deps"}
    assert gate.take_owed() == frozenset()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
