"""The watcher on real files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from watchfiles._rust_notify import WatchfilesRustInternalError

from devenv.state.actions import Action, FilesChanged
from devenv.watch.native import watch_directories
from devenv.watch.watcher import FileWatcher


async def test_named_files_are_reported_and_others_are_not(tmp_path: Path) -> None:
    compose, other = tmp_path / "compose.yaml", tmp_path / "notes.txt"
    missing = tmp_path / "sub" / ".env"
    missing.parent.mkdir()
    compose.write_text("services: {}\n")
    seen: asyncio.Queue[Action] = asyncio.Queue()
    watcher = FileWatcher(seen.put)
    task = asyncio.create_task(watcher.run())
    watcher.set_files([str(compose), str(missing)])
    try:
        assert await _next_of(seen, compose, other) == FilesChanged((str(compose),))
        assert await _next_of(seen, missing) == FilesChanged((str(missing),))
    finally:
        task.cancel()


async def test_a_new_set_of_files_replaces_the_old_one(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "compose.yaml", tmp_path / "b" / "compose.yaml"
    for path in (first, second):
        path.parent.mkdir()
    seen: asyncio.Queue[Action] = asyncio.Queue()
    watcher = FileWatcher(seen.put)
    task = asyncio.create_task(watcher.run())
    watcher.set_files([str(first)])
    try:
        assert await _next_of(seen, first) == FilesChanged((str(first),))
        watcher.set_files([str(second)])
        assert await _next_of(seen, second, first) == FilesChanged((str(second),))
    finally:
        task.cancel()


async def test_without_a_place_for_a_watcher_files_are_looked_at_by_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What watchfiles raises at fs.inotify.max_user_instances."""

    async def refused(*paths: str, **options: object) -> AsyncIterator[set[tuple[int, str]]]:
        if paths:
            raise WatchfilesRustInternalError(
                "Error creating recommended watcher: Too many open files (os error 24)"
            )
        yield set()

    monkeypatch.setattr("watchfiles.awatch", refused)
    monkeypatch.setattr("devenv.watch.watcher.POLL_SECONDS", 0.05)
    compose = tmp_path / "compose.yaml"
    seen: asyncio.Queue[Action] = asyncio.Queue()
    watcher = FileWatcher(seen.put)
    task = asyncio.create_task(watcher.run())
    watcher.set_files([str(compose)])
    try:
        assert await _next_of(seen, compose) == FilesChanged((str(compose),))
        assert not task.done()
        sources = watch_directories(
            [str(tmp_path)], debounce_ms=50, step_ms=20, stop_event=asyncio.Event()
        )
        with pytest.raises(OSError, match="max_user_instances"):
            await anext(sources)
    finally:
        task.cancel()


@pytest.mark.parametrize(
    "error",
    [FileNotFoundError(2, "it went"), WatchfilesRustInternalError("error in underlying watcher")],
    ids=str,
)
async def test_where_the_watches_are_lost_files_are_looked_at_by_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def lost(*paths: str, **options: object) -> AsyncIterator[set[tuple[int, str]]]:
        if paths:
            raise ExceptionGroup("unhandled errors in a TaskGroup", [error])
        yield set()

    monkeypatch.setattr("watchfiles.awatch", lost)
    monkeypatch.setattr("devenv.watch.watcher.POLL_SECONDS", 0.05)
    compose = tmp_path / "compose.yaml"
    seen: asyncio.Queue[Action] = asyncio.Queue()
    watcher = FileWatcher(seen.put)
    task = asyncio.create_task(watcher.run())
    watcher.set_files([str(compose)])
    try:
        assert await _next_of(seen, compose) == FilesChanged((str(compose),))
        assert not task.done()
    finally:
        task.cancel()


async def _next_of(seen: asyncio.Queue[Action], path: Path, beside: Path | None = None) -> Action:
    """Write until the watch, which begins at some time, has noticed; then nothing is left over."""
    async with asyncio.timeout(20):
        while True:
            _write(path, beside)
            try:
                action = await asyncio.wait_for(seen.get(), 0.5)
            except TimeoutError:
                continue
            if isinstance(action, FilesChanged) and str(path) in action.paths:
                return action


def _write(path: Path, beside: Path | None) -> None:
    if beside is not None:
        beside.write_text("x")
    path.write_text("x")
