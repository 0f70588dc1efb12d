"""The kernel's file events, and its limits as the errors that they are."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Iterable

Batch = set[tuple[int, str]]
"""Kind of change and path."""


async def watch_directories(
    directories: Iterable[str], *, debounce_ms: int, step_ms: int, stop_event: asyncio.Event
) -> AsyncIterator[Batch]:
    """Changes in these directories, not below, until `stop_event` is set.

    Raises OSError where the kernel has no watches left, or no place for another watcher: then
    looking by turns is what remains.
    """
    from watchfiles import awatch

    try:
        async for batch in awatch(
            *directories,
            recursive=False,
            watch_filter=None,
            debounce=debounce_ms,
            step=step_ms,
            stop_event=stop_event,
        ):
            yield {(int(kind), path) for kind, path in batch}
    except RuntimeError as error:
        # watchfiles has no type of its own for fs.inotify.max_user_instances and open files.
        if "os error" not in str(error):
            raise
        raise OSError(errno.EMFILE, str(error)) from None
