"""One devenv at a time changes an environment's containers: a locked file in the state directory.

The kernel lets go of the lock when its holder ends, however it ends. It covers this user's devenv
on this machine; what others do at the same time only Compose and the engine can tell.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from devenv.values import dataclass

_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Holder:
    """The devenv that another one waits for."""

    pid: int
    doing: str
    """Such as `starting`."""

    def describe(self) -> str:
        """What to tell who waits."""
        return f"Another devenv (pid {self.pid}) is {self.doing} this environment; waiting"


def resolve_lock_file(directory: Path, name: str, engine: str) -> Path:
    """The file that stands for the environment `name` on an engine (its address)."""
    digest = hashlib.sha256(engine.encode()).hexdigest()[:12]
    return directory / "locks" / f"{name}-{digest}.lock"


@asynccontextmanager
async def hold_lock(
    file: Path, doing: str, on_wait: Callable[[Holder], Awaitable[None]]
) -> AsyncIterator[None]:
    """Hold the lock while the block runs, after waiting for it without limit.

    `on_wait` is called for each holder that is waited for, once it has been one for 0.1 s.
    Where the file cannot be made or locked, the block runs without a lock.
    """
    descriptor = await _take(file, on_wait)
    try:
        if descriptor is not None:
            with contextlib.suppress(OSError):  # a full disk: who waits is not told for whom
                os.pwrite(descriptor, json.dumps([os.getpid(), doing]).encode(), 0)
        yield
    finally:
        if descriptor is not None:
            _release(file, descriptor)


def _release(file: Path, descriptor: int) -> None:
    with contextlib.suppress(OSError):
        file.unlink()  # under the lock: who waits sees that it is another file now
    os.close(descriptor)


async def _take(file: Path, on_wait: Callable[[Holder], Awaitable[None]]) -> int | None:
    seen: Holder | None = None
    told: Holder | None = None
    while True:
        try:
            file.parent.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_current(file, descriptor):
                os.ftruncate(descriptor, 0)
                return descriptor
            os.close(descriptor)
            continue
        except BlockingIOError:
            holder = _read_holder(descriptor)
            os.close(descriptor)
        except OSError:
            os.close(descriptor)
            return None
        # What a killed holder wrote stands until the next one has written: believed when repeated.
        if holder is not None and holder == seen and holder != told:
            told = holder
            await on_wait(holder)
        seen = holder
        await asyncio.sleep(_POLL_SECONDS)


def _is_current(file: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(file.stat(), os.fstat(descriptor))
    except OSError:
        return False


def _read_holder(descriptor: int) -> Holder | None:
    try:
        pid, doing = json.loads(os.pread(descriptor, 200, 0))
        return Holder(int(pid), str(doing))
    except (OSError, ValueError, TypeError):
        return None
