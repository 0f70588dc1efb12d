"""Says when one of a project's files changed. It knows files and no services."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from devenv.state.actions import Action, FilesChanged
from devenv.watch.native import WatchLost, watch_directories

DEBOUNCE_MS = 100
"""Changes that follow each other faster come as one batch."""
STEP_MS = 50
POLL_SECONDS = 2.0
"""How often files are looked at where the kernel watches no more."""


CATCH_UP_SECONDS = 0.5
"""How long after watching began the files are looked at once, for what came just before."""
_Look = tuple[int, int] | None


class FileWatcher:
    """Watches the directories of a set of files, which may change while it runs.

    A file that does not exist yet is watched for through its directory. Directories are not
    watched below: the set is that of configuration files, not of sources.
    """

    def __init__(self, dispatch: Callable[[Action], Awaitable[None]]) -> None:
        self._dispatch = dispatch
        self._files: frozenset[str] = frozenset()
        self._changed = asyncio.Event()

    def set_files(self, files: Iterable[str]) -> None:
        """Watch these absolute paths from now on."""
        wanted = frozenset(files)
        if wanted != self._files:
            self._files = wanted
            self._changed.set()

    async def run(self) -> None:
        """Dispatch `FilesChanged` for each batch, until cancelled."""
        seen: dict[str, _Look] = {}
        while True:
            self._changed.clear()
            directories = _existing_directories(self._files)
            if not directories:
                await self._changed.wait()
                continue
            seen = {path: seen.get(path, look) for path, look in _look_at(self._files).items()}
            catching_up = asyncio.create_task(self._catch_up(seen))
            try:
                async for batch in watch_directories(
                    directories,
                    debounce_ms=DEBOUNCE_MS,
                    step_ms=STEP_MS,
                    stop_event=self._changed,
                ):
                    now = _look_at({path for _, path in batch} & self._files)
                    hit = sorted(path for path, look in now.items() if look != seen.get(path))
                    seen.update(now)
                    if hit:
                        await self._dispatch(FilesChanged(tuple(hit)))
            except (OSError, WatchLost):
                await self._poll(seen)
            finally:
                catching_up.cancel()

    async def _poll(self, seen: dict[str, _Look]) -> None:
        """Look by turns, until other files are to be watched: the kernel watches no more, or
        what it watched is lost."""
        while not self._changed.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._changed.wait()
            await self._dispatch_changed(seen)

    async def _catch_up(self, seen: dict[str, _Look]) -> None:
        """Dispatch what changed while another set of files was being watched."""
        await asyncio.sleep(CATCH_UP_SECONDS)
        await self._dispatch_changed(seen)

    async def _dispatch_changed(self, seen: dict[str, _Look]) -> None:
        now = _look_at(seen)
        hit = sorted(path for path, look in now.items() if look != seen[path])
        seen.update(now)
        if hit:
            await self._dispatch(FilesChanged(tuple(hit)))


def _look_at(files: Iterable[str]) -> dict[str, _Look]:
    """When each file or its mode last changed, and its size; None where there is none."""
    found: dict[str, _Look] = {}
    for file in files:
        try:
            status = Path(file).stat()
        except OSError:
            found[file] = None
        else:
            found[file] = (status.st_ctime_ns, status.st_size)
    return found


def _existing_directories(files: Iterable[str]) -> list[str]:
    parents = {Path(file).parent for file in files}
    return sorted(str(parent) for parent in parents if parent.is_dir())
