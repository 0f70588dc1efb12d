"""Says when one of a project's files changed. It knows files and no services."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from devenv.state.actions import Action, FilesChanged

DEBOUNCE_MS = 100
"""Changes that follow each other faster come as one batch."""


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
        while True:
            self._changed.clear()
            directories = _existing_directories(self._files)
            if not directories:
                await self._changed.wait()
                continue
            from watchfiles import awatch

            async for batch in awatch(
                *directories,
                recursive=False,
                watch_filter=None,
                debounce=DEBOUNCE_MS,
                stop_event=self._changed,
            ):
                hit = sorted({path for _, path in batch} & self._files)
                if hit:
                    await self._dispatch(FilesChanged(tuple(hit)))


def _existing_directories(files: Iterable[str]) -> list[str]:
    parents = {Path(file).parent for file in files}
    return sorted(str(parent) for parent in parents if parent.is_dir())
