"""Watches source trees, and says which files really differ.

Each wanted directory is watched by itself, since a recursive watch costs a kernel watch for every
directory below, `node_modules` too. Content decides: a touch, a save without a change and a
checkout there and back are no change. It knows paths and no services.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import stat
import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import ParamSpec

from devenv.values import dataclass
from devenv.watch.native import WatchLost, watch_directories

P = ParamSpec("P")
_Stamp = tuple[int, int, int, int]

SKIPPED = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        "node_modules",
        "bower_components",
        ".venv",
        "venv",
        "__pycache__",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".tox",
        ".idea",
        ".gradle",
        ".terraform",
    }
)
"""Directories that are neither walked nor watched: what tools put there is no source."""
DEBOUNCE_MS = 60
"""How long changes are collected; an editor's save is several events."""
POLL_SECONDS = 0.4
RETRY_SECONDS = 0.05
MAX_LOST = 6
"""How often in a row, with doubled pauses, watches that were lost at once are set again."""
MAX_HASHED_BYTES = 8 * 1024 * 1024
"""A larger file differs where its size or time does."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a path was when it was last looked at."""

    digest: str
    mode: int


class SourceWatcher:
    """The trees of some roots: `start` looks at them, `batches` says what changed since."""

    def __init__(
        self,
        roots: Iterable[str],
        *,
        files: Iterable[str] = (),
        poll: bool = False,
        wants: Callable[[str], bool] = lambda _: True,
        before: SourceWatcher | None = None,
    ) -> None:
        """`roots` are absolute directories; `files` are watched for besides, there or not.

        `wants` tells whether a directory below a root is to be walked and watched at all.
        What `before` knew of the same trees counts as last seen, so nothing is lost between them.
        """
        self._roots = _outermost(roots)
        self._files = frozenset(files)
        self._poll = poll
        self._wants = wants
        self._seen: dict[str, _Seen] = {}
        self._times: dict[str, float] = {}
        """When each file became what it was when it was first looked at."""
        self._before = before
        self._own = _own_outputs()
        self._lock = threading.Lock()
        """Held while what is known changes: comparing is done in a thread."""
        self._again = asyncio.Event()
        self._untaken: set[str] = set()
        """Paths that were found to differ, and then nobody was there to take them."""
        self._first: dict[str, _Seen | None] = {}
        """What each path was before the first of its changes that nobody has settled."""

    @property
    def count(self) -> int:
        """How many files are known."""
        return len(self._seen)

    def snapshot(self) -> dict[str, str]:
        """What is known of each file, as text to keep and compare."""
        with self._lock:
            known = dict(self._seen)
        return {path: f"{seen.digest} {seen.mode:o}" for path, seen in known.items()}

    def differences(self, kept: Mapping[str, str]) -> tuple[str, ...]:
        """The paths that are not as they were in a snapshot of the same trees, sorted."""
        now = self.snapshot()
        known = {path for path in kept if self._is_within(path) or path in self._files}
        return tuple(sorted(path for path in known | set(now) if kept.get(path) != now.get(path)))

    def settle(self, paths: Iterable[str]) -> set[str]:
        """Those of the paths that are not again what they were when this was last asked of them:
        a checkout there and back, told in two batches, is no change."""
        with self._lock:
            return {
                path
                for path in paths
                if path not in self._first or self._first.pop(path) != self._seen.get(path)
            }

    def changed_since(self, when: float) -> tuple[str, ...]:
        """The files that `start` found as they came to be at this time (seconds since the epoch)
        or later."""
        return tuple(sorted(path for path, at in self._times.items() if at >= when))

    def start(self) -> None:
        """Look at every file once. Takes a while for large trees: call it in a thread."""
        before = self._before
        known = before._seen if before is not None else {}
        self._seen = {p: s for p, s in known.items() if self._is_within(p) or p in self._files}
        if before is not None:
            self._untaken = set(before._untaken)
            self._first = dict(before._first)
        for directory in self._directories():
            if before is None or not before._is_within(str(directory)):
                self._look_below(directory)
        for file in self._files:
            if before is None or file not in before._files:
                self._look(file)
        self._before = None

    async def batches(self) -> AsyncIterator[tuple[str, ...]]:
        """Sorted paths that differ in content or mode, came or went; until cancelled.

        Raises OSError where the kernel's limit of watches is reached, or watches are lost again
        and again; `poll` needs none.
        """
        if self._poll:
            async for found in self._poll_batches():
                yield found
        lost = 0
        while True:
            # One of its own each time: a thread that still waits for the last one ends by it.
            self._again = asyncio.Event()
            directories = await asyncio.to_thread(self._directories)
            watched = {str(directory) for directory in directories}
            watched |= {os.path.dirname(file) for file in self._files}  # noqa: PTH120
            stream = watch_directories(
                await asyncio.to_thread(_existing, watched),
                debounce_ms=DEBOUNCE_MS,
                step_ms=20,
                stop_event=self._again,
            )
            following = asyncio.ensure_future(anext(stream, None))
            try:
                await asyncio.sleep(0)  # its first step sets the watches
                # What changed between the last look and the new watches is found by looking.
                there = await asyncio.to_thread(self._directories)
                if not watched.issuperset(str(directory) for directory in there):
                    self._again.set()
                missed = self._with_untaken(await self._finish(self._compare_all, there))
                if missed:
                    yield missed
                while (batch := await following) is not None:
                    lost = 0
                    following = asyncio.ensure_future(anext(stream, None))
                    touched = {path for _, path in batch}
                    changed = await self._finish(self._compare, touched)
                    # One that is watched and told of came or went: the kernel watches what it was.
                    if not watched.isdisjoint(touched) or any(
                        self._is_new_directory(path, watched) for path in touched
                    ):
                        self._again.set()
                    if changed:
                        yield changed
            except WatchLost as error:
                lost += 1
                if lost > MAX_LOST:
                    raise OSError(errno.EIO, f"the watches are lost: {error}") from None
                await asyncio.sleep(RETRY_SECONDS * 2 ** (lost - 1))
            finally:
                self._again.set()
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)

    async def _finish(
        self, compare: Callable[P, tuple[str, ...]], *arguments: P.args, **named: P.kwargs
    ) -> tuple[str, ...]:
        """Compare in a thread, to its end: what it found is kept even where nobody waits for it."""
        task = asyncio.ensure_future(asyncio.to_thread(compare, *arguments, **named))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._untaken.update(await task)
            raise

    def _with_untaken(self, changed: tuple[str, ...]) -> tuple[str, ...]:
        both = tuple(sorted({*changed, *self._untaken}))
        self._untaken.clear()
        return both

    async def _poll_batches(self) -> AsyncIterator[tuple[str, ...]]:
        """Look by turns; a file is read only where its time, size or inode differs."""
        stamps: dict[str, _Stamp] = {}
        while True:
            directories = await asyncio.to_thread(self._directories)
            changed = await self._finish(self._compare_all, directories, stamps)
            changed = self._with_untaken(changed)
            if changed:
                yield changed
            await asyncio.sleep(POLL_SECONDS)

    def _is_new_directory(self, path: str, watched: set[str]) -> bool:
        name = os.path.basename(path)  # noqa: PTH119
        if name in SKIPPED or path in watched or not self._is_within(path):
            return False
        if not self._wants(path):
            return False
        return os.path.isdir(path) and not os.path.islink(path)  # noqa: PTH112, PTH114

    def _is_within(self, path: str) -> bool:
        return any(path == root or path.startswith(f"{root}/") for root in self._roots)

    def _directories(self) -> list[Path]:
        """Every directory of the roots that is wanted."""
        found: list[Path] = []
        for root in self._roots:
            for directory, names, _ in os.walk(root, onerror=lambda _: None):
                names[:] = [
                    name
                    for name in names
                    if name not in SKIPPED
                    and not os.path.islink(f"{directory}/{name}")  # noqa: PTH114
                    and self._wants(f"{directory}/{name}")
                ]
                found.append(Path(directory))
        return found

    def _look_below(self, directory: Path) -> None:
        try:
            entries = list(os.scandir(directory))
        except OSError:
            return
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                self._look(entry.path)

    def _look(self, path: str) -> None:
        self._times[path] = changed_at(path)
        seen = _load(path, self._own)
        if seen is not None:
            self._seen[path] = seen

    def _compare_all(
        self, directories: list[Path], stamps: dict[str, _Stamp] | None = None
    ) -> tuple[str, ...]:
        """What differs from what is known, over all directories; new ones are looked at wholly.

        With `stamps` only files whose stamp differs are read; they are kept there.
        """
        paths = set(self._seen) | self._files
        for directory in directories:
            try:
                entries = list(os.scandir(directory))
            except OSError:
                continue
            paths.update(e.path for e in entries if not e.is_dir(follow_symlinks=False))
        if stamps is not None:
            now = {path: _stamp(path) for path in paths}
            paths = {path for path in paths if stamps.get(path) != now[path]}
            stamps.update(now)
        return self._compare(paths)

    def _compare(self, paths: Iterable[str]) -> tuple[str, ...]:
        with self._lock:
            return self._compare_now(paths)

    def _compare_now(self, paths: Iterable[str]) -> tuple[str, ...]:
        looked = {path for path in paths if self._is_within(path) or path in self._files}
        # A directory that went takes with it all that was known below.
        gone = {p for p in looked if p not in self._seen and not os.path.lexists(p)}
        if gone:
            looked.update(path for path in self._seen if _is_below(path, gone))
        changed = []
        for path in looked:
            before, now = self._seen.get(path), _load(path, self._own)
            if before == now:
                continue
            changed.append(path)
            self._first.setdefault(path, before)
            if now is None:
                del self._seen[path]
            else:
                self._seen[path] = now
        return tuple(sorted(changed))


def _is_below(path: str, directories: set[str]) -> bool:
    at = path.rfind("/")
    while at > 0:
        if path[:at] in directories:
            return True
        at = path.rfind("/", 0, at)
    return False


def changed_at(path: str) -> float:
    """When a file became what it is, in seconds since the epoch; 0 for one that is not there."""
    try:
        status = os.lstat(path)
    except OSError:
        return 0.0
    return max(status.st_ctime, status.st_mtime)


def _stamp(path: str) -> _Stamp:
    """Times, size and inode; zeros for what is not there."""
    try:
        status = os.lstat(path)
    except OSError:
        return (0, 0, 0, 0)
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


def _existing(paths: Iterable[str]) -> list[str]:
    return sorted(
        path
        for path in paths
        if os.path.isdir(path) and os.access(path, os.R_OK)  # noqa: PTH112
    )


def _own_outputs() -> frozenset[tuple[int, int]]:
    """Device and inode of the files that this process's stdout and stderr go to, if any.

    One that lies among the sources would change with every word said of its last change.
    """
    found = set()
    for descriptor in (1, 2):
        with contextlib.suppress(OSError):
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode):
                found.add((status.st_dev, status.st_ino))
    return frozenset(found)


def _load(path: str, own: Collection[tuple[int, int]] = ()) -> _Seen | None:
    """A file's or link's content and mode; None for what is not there, for directories, and for
    this process's `own` outputs."""
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            return _Seen(f"link {os.readlink(path)}", 0)  # noqa: PTH115
        if not stat.S_ISREG(status.st_mode) or (status.st_dev, status.st_ino) in own:
            return None
        mode = stat.S_IMODE(status.st_mode)
        if status.st_size > MAX_HASHED_BYTES:
            return _Seen(f"{status.st_size} {status.st_mtime_ns}", mode)
        with open(path, "rb") as file:  # noqa: PTH123
            return _Seen(hashlib.blake2b(file.read(), digest_size=16).hexdigest(), mode)
    except OSError:
        return None


def _outermost(roots: Iterable[str]) -> tuple[str, ...]:
    """The roots without those that lie below another."""
    found: list[str] = []
    for root in sorted({os.path.normpath(root) for root in roots}):
        if not any(root == one or root.startswith(f"{one}/") for one in found):
            found.append(root)
    return tuple(found)
