"""What watchfiles raises: the watches are set again, or, at the kernel's limits, no longer asked
for."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import watchfiles

from devenv.watch import sources
from devenv.watch.sources import SourceWatcher

awatch = watchfiles.awatch

LOST = [
    FileNotFoundError(errno.ENOENT, "it went"),
    NotADirectoryError(errno.ENOTDIR, "a file now"),
    PermissionError(errno.EACCES, "closed"),
    RuntimeError("Already borrowed"),
    RuntimeError("error in underlying watcher: it went"),
    ExceptionGroup(
        "unhandled errors in a TaskGroup", [RuntimeError("error in underlying watcher")]
    ),
    ExceptionGroup("outer", [ExceptionGroup("inner", [FileNotFoundError("it went")])]),
]
LIMITS = [
    OSError("OS file watch limit reached."),
    OSError(errno.ENOSPC, "No space left on device"),
    RuntimeError("Error creating recommended watcher: Too many open files (os error 24)"),
    ExceptionGroup("unhandled errors in a TaskGroup", [OSError(errno.EMFILE, "too many")]),
]


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """What the next watches raise, each once; those after them are real ones."""
    errors: list[Exception] = []

    async def watch(*paths: Any, **options: Any) -> AsyncIterator[Any]:
        if errors:
            raise errors.pop(0)
        async for batch in awatch(*paths, **options):
            yield batch

    monkeypatch.setattr(watchfiles, "awatch", watch)
    monkeypatch.setattr(sources, "RETRY_SECONDS", 0.001)
    return errors


@pytest.mark.parametrize("error", LOST, ids=str)
async def test_lost_watches_are_set_again(
    tmp_path: Path, raising: list[Exception], error: Exception
) -> None:
    (tmp_path / "a").write_text("1")
    watcher = SourceWatcher([str(tmp_path)])
    watcher.start()
    raising += [error, error]
    batches = watcher.batches()
    following = asyncio.ensure_future(anext(batches))
    async with asyncio.timeout(20):
        while raising:  # noqa: ASYNC110, until both were raised
            await asyncio.sleep(0.001)
        (tmp_path / "a").write_text("2")
        assert await following == (str(tmp_path / "a"),)
    await batches.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize("error", LIMITS, ids=str)
async def test_a_limit_is_told_at_once(
    tmp_path: Path, raising: list[Exception], error: Exception
) -> None:
    raising.append(error)
    with pytest.raises(OSError, match=r"max_user_watches|No space|max_user_instances|too many"):
        await anext(SourceWatcher([str(tmp_path)]).batches())


async def test_watches_that_are_lost_again_and_again(
    tmp_path: Path, raising: list[Exception]
) -> None:
    raising += [RuntimeError("it ended")] * (sources.MAX_LOST + 1)
    with pytest.raises(OSError, match="the watches are lost: it ended"):
        await anext(SourceWatcher([str(tmp_path)]).batches())


async def test_what_is_a_mistake_of_the_program_is_not_hidden(
    tmp_path: Path, raising: list[Exception]
) -> None:
    raising.append(ExceptionGroup("unhandled", [TypeError("a mistake")]))
    with pytest.raises(ExceptionGroup):
        await anext(SourceWatcher([str(tmp_path)]).batches())
