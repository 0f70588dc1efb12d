"""Which saves are changes: content and mode decide, in real directories with real events."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devenv.watch.sources import SourceWatcher


@asynccontextmanager
async def following(watcher: SourceWatcher) -> AsyncIterator[list[str]]:
    """The changed paths as they are found."""
    found: list[str] = []
    watcher.start()

    async def follow() -> None:
        async for batch in watcher.batches():
            found.extend(batch)

    task = asyncio.create_task(follow())
    try:
        yield found
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not check():  # noqa: ASYNC110, real events of the kernel
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("poll", [False, True], ids=["events", "polling"])
async def test_only_what_differs_is_a_change(tmp_path: Path, poll: bool) -> None:
    (tmp_path / "a").write_text("one")
    (tmp_path / "b").write_text("one")
    (tmp_path / "node_modules" / "x").mkdir(parents=True)
    async with following(SourceWatcher([str(tmp_path)], poll=poll)) as found:
        (tmp_path / "mark").write_text("watches are there")
        await until(lambda: str(tmp_path / "mark") in found)
        os.utime(tmp_path / "a")
        (tmp_path / "b").write_text("one")
        (tmp_path / "node_modules" / "x" / "f").write_text("no source")
        (tmp_path / "c").write_text("new")
        await until(lambda: str(tmp_path / "c") in found)
        assert found == [str(tmp_path / "mark"), str(tmp_path / "c")]
        (tmp_path / "b").chmod(0o755)
        await until(lambda: str(tmp_path / "b") in found)


async def test_directories_that_come_and_go(tmp_path: Path) -> None:
    async with following(SourceWatcher([str(tmp_path)])) as found:
        (tmp_path / "mark").write_text("x")
        await until(lambda: len(found) == 1)
        deep = tmp_path / "new" / "deep"
        deep.mkdir(parents=True)
        (deep / "f").write_text("1")
        await until(lambda: str(deep / "f") in found)
        found.clear()
        (deep / "f").write_text("2")
        await until(lambda: str(deep / "f") in found)
        found.clear()
        (tmp_path / "new").rename(tmp_path / "moved")
        moved = tmp_path / "moved" / "deep" / "f"
        await until(lambda: {str(deep / "f"), str(moved)} <= set(found))


async def test_an_atomic_save_and_a_link(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    (tmp_path / "link").symlink_to("a")
    async with following(SourceWatcher([str(tmp_path)])) as found:
        (tmp_path / "a.tmp").write_text("two")
        (tmp_path / "a.tmp").rename(tmp_path / "a")
        await until(lambda: str(tmp_path / "a") in found)
        (tmp_path / "new").symlink_to("a")
        (tmp_path / "new").rename(tmp_path / "link")
        (tmp_path / "z").symlink_to("b")
        await until(lambda: str(tmp_path / "z") in found)
        assert str(tmp_path / "link") not in found  # it leads where it led


async def test_nothing_is_lost_between_two_watchers(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    (tmp_path / "compose.yaml").write_text("x")
    first = SourceWatcher([str(tmp_path)])
    first.start()
    (tmp_path / "a").write_text("two")
    (tmp_path / "b").write_text("new")
    async with following(SourceWatcher([str(tmp_path)], before=first)) as found:
        await until(lambda: len(found) >= 2)
        assert found == [str(tmp_path / "a"), str(tmp_path / "b")]


async def test_single_files_are_watched_before_they_are_there(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    async with following(SourceWatcher([], files=[str(env)])) as found:
        (tmp_path / "other").write_text("x")
        env.write_text("A=1\n")
        await until(lambda: bool(found))
        assert found == [str(env)]


async def test_unwanted_directories_are_neither_walked_nor_watched(tmp_path: Path) -> None:
    for name in ("wanted", "unwanted"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "f").write_text("1")
    watcher = SourceWatcher([str(tmp_path)], wants=lambda path: not path.endswith("unwanted"))
    async with following(watcher) as found:
        assert watcher.count == 1
        (tmp_path / "unwanted" / "f").write_text("2")
        (tmp_path / "wanted" / "f").write_text("2")
        await until(lambda: bool(found))
        assert set(found) == {str(tmp_path / "wanted" / "f")}
