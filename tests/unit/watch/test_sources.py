"""Which saves are changes: content and mode decide, in real directories with real events."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

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


async def test_the_file_that_own_words_go_to_is_no_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fstat
    log = (tmp_path / "out.txt").open("w")
    monkeypatch.setattr(os, "fstat", lambda fd: real(log.fileno()) if fd == 1 else real(fd))
    async with following(SourceWatcher([str(tmp_path)])) as found:
        log.write("a word of devenv's own")
        log.close()
        (tmp_path / "mark").write_text("x")
        await until(lambda: bool(found))
        assert found == [str(tmp_path / "mark")]


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


async def test_there_and_back_in_two_batches_is_no_change(tmp_path: Path) -> None:
    a, b, gone = tmp_path / "a", tmp_path / "b", tmp_path / "gone"
    for file in (a, b, gone):
        file.write_text("one")
    watcher = SourceWatcher([str(tmp_path)])
    async with following(watcher) as found:
        a.write_text("two")
        b.write_text("two")
        gone.unlink()
        await until(lambda: len(found) >= 3)
        a.write_text("one")
        gone.write_text("one")
        await until(lambda: len(found) >= 5)
        assert watcher.settle({str(a), str(b), str(gone)}) == {str(b)}
        # Settled: what it is now is what later changes are held against.
        b.write_text("one")
        await until(lambda: len(found) >= 6)
        assert watcher.settle({str(b), "/never/told"}) == {str(b), "/never/told"}


async def test_single_files_are_watched_before_they_are_there(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    async with following(SourceWatcher([], files=[str(env)])) as found:
        (tmp_path / "other").write_text("x")
        env.write_text("A=1\n")
        await until(lambda: bool(found))
        assert found == [str(env)]


@pytest.mark.parametrize("poll", [False, True], ids=["events", "polling"])
async def test_the_clock_decides_nothing(tmp_path: Path, poll: bool) -> None:
    file = tmp_path / "a"
    file.write_text("one")
    async with following(SourceWatcher([str(tmp_path)], poll=poll)) as found:
        for number, when in enumerate((0, 4_000_000_000, 1_000_000_000)):
            found.clear()
            (tmp_path / "mark").write_text(str(number))
            await until(lambda: str(tmp_path / "mark") in found)
            found.clear()
            file.write_text(f"tw{number}")  # as long as before
            os.utime(file, (when, when))
            await until(lambda: str(file) in found)


async def test_names_that_differ_in_case_alone_and_links_of_directories(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "readme").write_text("one")
    async with following(SourceWatcher([str(tmp_path)])) as found:
        (tmp_path / "mark").write_text("x")
        await until(lambda: str(tmp_path / "mark") in found)
        found.clear()
        (tmp_path / "src" / "readme").rename(tmp_path / "src" / "README")
        lower, upper = str(tmp_path / "src" / "readme"), str(tmp_path / "src" / "README")
        # A file system that keeps case but does not tell it has one of the two.
        await until(lambda: {lower, upper} <= set(found))
        found.clear()
        (tmp_path / "link").symlink_to("src")
        await until(lambda: str(tmp_path / "link") in found)
        found.clear()
        (tmp_path / "src" / "README").write_text("two")
        await until(lambda: upper in found)
        assert not any(path.startswith(str(tmp_path / "link")) for path in found)
        found.clear()
        shutil.rmtree(tmp_path / "src")
        await until(lambda: upper in found)


async def test_a_directory_that_is_made_again_is_watched_again(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    async with following(SourceWatcher([str(tmp_path)])) as found:
        for number in range(5):
            found.clear()
            (tmp_path / "mark").write_text(str(number))
            await until(lambda: bool(found))
            shutil.rmtree(tmp_path / "d")
            (tmp_path / "d").mkdir()
            file = tmp_path / "d" / "f"
            for text in "abc":
                found.clear()
                file.write_text(f"{number}{text}")
                await until(lambda at=str(file): at in found)  # type: ignore[misc]


async def test_many_files_of_many_folders_go_at_once(tmp_path: Path) -> None:
    for folder in range(40):
        (tmp_path / "src" / str(folder)).mkdir(parents=True)
        for number in range(25):
            (tmp_path / "src" / str(folder) / str(number)).write_text("x")
    async with following(SourceWatcher([str(tmp_path)])) as found:
        (tmp_path / "mark").write_text("x")
        await until(lambda: bool(found))
        (tmp_path / "src").rename(tmp_path / "moved")
        await until(lambda: len(set(found)) == 2001)


async def test_dependencies_are_neither_walked_nor_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in range(100):
        place = tmp_path / "node_modules" / str(folder)
        place.mkdir(parents=True)
        for number in range(1000):
            os.mknod(place / str(number))
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a").write_text("x")
    walked = []
    scandir = os.scandir

    def seen(path: Any = ".") -> Any:
        walked.append(str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", seen)
    async with following(SourceWatcher([str(tmp_path)])) as found:
        (tmp_path / "mark").write_text("x")
        await until(lambda: bool(found))
        assert not any("node_modules" in path for path in walked)
        assert _kernel_watches() == 2


def _kernel_watches() -> int:
    """How many directories and files this process watches, as the kernel says."""
    count = 0
    for info in Path("/proc/self/fdinfo").iterdir():
        with contextlib.suppress(OSError):
            count += info.read_text().count("inotify wd:")
    return count


_AS_A_USER = """
import asyncio, os, sys
import anyio, watchfiles
from devenv.watch.sources import SourceWatcher
async def main():
    await anyio.to_thread.run_sync(int)  # what is imported late is in place now
    await asyncio.to_thread(int)
    if os.geteuid() == 0:
        os.seteuid(65534)  # root may read everything
    watcher = SourceWatcher([sys.argv[1]])
    watcher.start()
    print("known", watcher.count, flush=True)
    async for batch in watcher.batches():
        print("changed", [path.rsplit("/", 1)[1] for path in batch], flush=True)
asyncio.run(main())
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that everybody may enter, one of which nobody may enter, and a file."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    (place / "closed").mkdir()
    (place / "closed" / "f").write_text("1")
    (place / "open").write_text("1")
    (place / "closed").chmod(0)
    yield place
    (place / "closed").chmod(0o755)
    shutil.rmtree(place)


async def test_what_cannot_be_read_is_passed_over(place: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _AS_A_USER, str(place), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            assert await process.stdout.readline() == b"known 1\n"
            reading = asyncio.ensure_future(process.stdout.readline())
            while not reading.done():
                (place / "open").write_text(str(time.time_ns()))
                await asyncio.wait([reading], timeout=0.5)
            assert reading.result() == b"changed ['open']\n"
    finally:
        process.kill()
        await process.wait()


async def test_a_batch_that_nobody_takes_is_not_lost(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    first = SourceWatcher([str(tmp_path)])
    first.start()
    compare, entered, go = first._compare, threading.Event(), threading.Event()

    def slowly(paths: Any) -> tuple[str, ...]:
        entered.set()
        assert go.wait(10)
        return compare(paths)

    first._compare = slowly  # type: ignore[method-assign]
    (tmp_path / "a").write_text("two")
    task = asyncio.ensure_future(anext(first.batches()))
    await asyncio.to_thread(entered.wait, 10)
    task.cancel()  # as when the model is loaded anew
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(task, return_exceptions=True)
    async with following(SourceWatcher([str(tmp_path)], before=first)) as found:
        await until(lambda: str(tmp_path / "a") in found)


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
