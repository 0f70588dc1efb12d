"""When a watch only collects: while a person paused it, and while git works.

What was collected is one batch when it is released, and so one plan.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from pathlib import Path

from devenv.cli.watch_model import WatchModel
from devenv.compose.names import ServiceName
from devenv.compose.watch.values import WatchAction
from devenv.state.watch import Hold
from devenv.state.watch_events import WatchEvent, WatchHeld

GIT_POLL_SECONDS = 0.1
SETTLE_SECONDS = 0.2
"""How long after git ended its last files may still be told by the kernel."""
_NOT_HELD = (WatchAction.IGNORE, WatchAction.LIVE)
_GIT_BUSY = ("index.lock", "rebase-merge", "rebase-apply")


class Gate:
    """Lets batches of changed paths through, or holds them."""

    def __init__(self, model: Callable[[], WatchModel], tell: Callable[[WatchEvent], None]) -> None:
        self._model = model
        self._tell = tell
        self.is_paused = False
        self._held: set[str] = set()
        self._owed: set[str] = set()
        self._counted: set[str] = set()
        self._counts: dict[ServiceName | None, int] = {}
        self._files = 0
        self._opened = asyncio.Event()
        self._git: asyncio.Task[None] | None = None

    @property
    def held(self) -> frozenset[str]:
        """What is collected now."""
        return frozenset(self._held)

    def pause(self) -> None:
        """Hold what comes from now on."""
        self.is_paused = True
        self._say()

    def release(self) -> None:
        """Let through what was held, as one batch."""
        self.is_paused = False
        self._opened.set()

    async def hold(self, paths: Iterable[str], *, is_owed: bool = False) -> None:
        """Hold these paths, and say how many that makes. `is_owed`: they were planned before, so
        what they ask for is to be done even if they become again what they are now."""
        paths = set(paths)
        self._held |= paths
        if is_owed:
            self._owed |= paths
        await asyncio.to_thread(self._count)
        self._say()

    def take_owed(self) -> frozenset[str]:
        """Of what was let through, that which is to be done whatever it is now."""
        owed, self._owed = frozenset(self._owed - self._held), self._owed & self._held
        return owed

    async def sift(self, batches: AsyncIterator[Sequence[str]]) -> AsyncGenerator[set[str], None]:
        """The batches as they may be acted on. Raises what `batches` does."""
        following = asyncio.ensure_future(anext(batches, None))
        opening = asyncio.ensure_future(self._opened.wait())
        if self._held:  # left from before
            self._await_git()
        try:
            while True:
                await asyncio.wait((following, opening), return_when=asyncio.FIRST_COMPLETED)
                if following.done():
                    batch = following.result()
                    if batch is None:
                        return
                    following = asyncio.ensure_future(anext(batches, None))
                    if self.is_paused or self._held or await self._is_git_busy():
                        await self.hold(batch)
                        self._await_git()
                    else:
                        yield set(batch)
                if opening.done():
                    self._opened.clear()
                    opening = asyncio.ensure_future(self._opened.wait())
                    if self.is_paused:
                        continue
                    if await self._is_git_busy():
                        self._await_git()
                        continue
                    held = self._take()
                    self._say()
                    if held:
                        yield held
        finally:
            following.cancel()
            opening.cancel()
            if self._git is not None:
                self._git.cancel()
            ending: list[Awaitable[object]] = [following, opening]
            await asyncio.gather(*ending, return_exceptions=True)
            if not following.cancelled() and following.exception() is None:
                self._held |= set(following.result() or ())  # it came too late to be let through

    def _take(self) -> set[str]:
        held, self._held = self._held, set()
        self._counted, self._counts, self._files = set(), {}, 0
        return held

    def _await_git(self) -> None:
        """Open once git has let go of its index and no rebase is under way."""
        if self.is_paused or (self._git is not None and not self._git.done()):
            return

        async def wait() -> None:
            while await self._is_git_busy():  # noqa: ASYNC110, a file
                await asyncio.sleep(GIT_POLL_SECONDS)
            await asyncio.sleep(SETTLE_SECONDS)
            self._opened.set()

        self._git = asyncio.create_task(wait())

    async def _is_git_busy(self) -> bool:
        git = self._model().session.files.git
        if git is None:
            return False
        marks = [git.git_dir / name for name in _GIT_BUSY]
        return await asyncio.to_thread(_any_exists, marks)

    def _count(self) -> None:
        """Plan what was not counted yet; what nothing comes of does not count."""
        planner = self._model().planner
        for path in self._held - self._counted:
            planned = [c for c in planner.plan(path) if c.action not in _NOT_HELD]
            self._files += bool(planned)
            for change in planned:
                self._counts[change.service] = self._counts.get(change.service, 0) + 1
        self._counted |= self._held

    def _say(self) -> None:
        hold = Hold.PAUSE if self.is_paused else Hold.GIT if self._held else None
        self._tell(WatchHeld(time.time(), hold, dict(self._counts), self._files))


def _any_exists(marks: Iterable[Path]) -> bool:
    return any(mark.exists() for mark in marks)
