"""The kernel's file events, and its limits as the errors that they are."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Iterable, Iterator

Batch = set[tuple[int, str]]
"""Kind of change and path."""


class WatchLost(Exception):
    """What was watched is no longer: the watches are to be set again."""


async def watch_directories(
    directories: Iterable[str], *, debounce_ms: int, step_ms: int, stop_event: asyncio.Event
) -> AsyncIterator[Batch]:
    """Changes in these directories, not below, until `stop_event` is set.

    Raises WatchLost where a directory went before it could be watched, or the watcher ended by
    itself; and OSError where the kernel has no watches left, or no place for another watcher:
    then looking by turns is what remains.
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
    except (OSError, RuntimeError) as error:
        raise _classify(error) from None
    except ExceptionGroup as group:  # what fails within awatch comes out of a task group
        errors = list(_flatten(group))
        if not all(isinstance(error, OSError | RuntimeError) for error in errors):
            raise
        raise _classify(errors[0]) from None


def _classify(error: Exception) -> OSError | WatchLost:
    """The limits are told by what they are not: a directory that went, or may not be read."""
    if isinstance(error, FileNotFoundError | NotADirectoryError | PermissionError):
        return WatchLost(str(error))
    # watchfiles has no types of its own for these, and names every directory in the first.
    if isinstance(error, OSError) and "watch limit" in str(error):
        return OSError(errno.ENOSPC, "fs.inotify.max_user_watches is reached")
    if "os error 24" in str(error):
        return OSError(
            errno.EMFILE, "fs.inotify.max_user_instances, or the limit of open files, is reached"
        )
    if isinstance(error, OSError):
        return error
    if "os error" in str(error):
        return OSError(errno.EIO, str(error))
    return WatchLost(str(error))


def _flatten(error: Exception) -> Iterator[Exception]:
    if isinstance(error, ExceptionGroup):
        for one in error.exceptions:
            yield from _flatten(one)
    else:
        yield error
