"""What the watch brought into an environment, kept for the next watch of it.

A file counts as brought once all that it asked for was done. One whose build failed, or that was
held when the watch ended, is kept as it was before, so that the next watch finds it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping

from devenv.cli.session import Session
from devenv.cli.watch_missed import find_stale
from devenv.compose.names import ServiceName
from devenv.host import paths
from devenv.host.memory import open_existing, open_memory
from devenv.host.watch_memory import StaleImage, Watched, keep_watched, load_watched
from devenv.watch.sources import SourceWatcher

KEEP_SECONDS = 2.0
"""How long after something was done it is kept: more may follow."""


async def find_stale_services(session: Session) -> set[ServiceName]:
    """The services whose image lacks what a watch synced, this one or one before. Raises
    EngineUnavailable."""
    project = session.project
    with open_existing(paths.state_directory(session.environ)) as memory:
        kept = load_watched(memory, project.name, session.endpoint.url)
    images = {
        name: service.image or f"{project.name}-{name}"
        for name, service in project.services.items()
        if service.build is not None
    }
    return await find_stale(images, session.client, kept)


class Keeper:
    """The memory of one watch."""

    def __init__(
        self,
        session: Session,
        environment: str,
        held: Callable[[], Iterable[str]],
        stale: Callable[[], Mapping[ServiceName, StaleImage]],
    ) -> None:
        """`held` tells the paths that only wait, `stale` the stale images."""
        self._directory = paths.state_directory(session.environ)
        self._key = (environment, session.endpoint.url)
        self._held = held
        self._stale = stale
        with open_existing(self._directory) as memory:
            self.before = load_watched(memory, *self._key)
        self._settled: Mapping[str, str] = self.before.files if self.before else {}
        self._missed: set[str] = set()
        self._watcher: SourceWatcher | None = None
        self._soon: asyncio.TimerHandle | None = None

    def use(self, watcher: SourceWatcher) -> None:
        """Keep what this one knows from now on."""
        self._watcher = watcher

    def miss(self, paths: Iterable[str]) -> None:
        """These are not brought, or not yet."""
        self._missed.update(paths)

    def settle(self, paths: Iterable[str]) -> None:
        """All that these ask for is done."""
        self._missed.difference_update(paths)
        if self._soon is None:
            loop = asyncio.get_running_loop()
            self._soon = loop.call_later(KEEP_SECONDS, self._begin_to_keep)

    def keep(self) -> None:
        """Write it down now. What cannot be kept is found by no one, which costs nothing."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        if self._watcher is not None:
            self._write(self._collect())

    def _begin_to_keep(self) -> None:
        self._soon = None
        if self._watcher is not None:
            watched = self._collect()
            asyncio.get_running_loop().run_in_executor(None, self._write, watched)

    def _collect(self) -> Watched:
        assert self._watcher is not None
        files = self._watcher.snapshot()
        for path in self._missed | set(self._held()):
            if path in self._settled:
                files[path] = self._settled[path]
            else:
                files.pop(path, None)
        self._settled = files
        return Watched(files, {str(name): one for name, one in self._stale().items()})

    def _write(self, watched: Watched) -> None:
        with contextlib.suppress(OSError), open_memory(self._directory, lambda _: None) as memory:
            keep_watched(memory, *self._key, watched)
