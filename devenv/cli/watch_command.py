"""`devenv watch` by itself: one line for each action, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator

from devenv.cli.output import print_note
from devenv.cli.session import Session
from devenv.cli.watch_run import WatchEvent, WatchRun, render_event
from devenv.engine.containers_now import observe_once
from devenv.errors import DevenvError, ExitCode, UsageError
from devenv.host import paths
from devenv.host.operation_lock import Holder, hold_lock, resolve_lock_file


def follow_sources(session: Session) -> int:
    """Watch until Ctrl-C.

    Raises UsageError where nothing runs, `[watch] mode` is off, or another devenv watches.
    """
    if session.files.settings.watch.mode == "off":
        raise UsageError(
            "The watch is turned off.",
            fix='[watch] mode = "infer" in devenv.toml',
        )
    return asyncio.run(_follow(session))


@contextlib.asynccontextmanager
async def hold_watch(session: Session, name: str) -> AsyncIterator[None]:
    """Be the one devenv that watches an environment. Raises UsageError where another one does."""

    async def refuse(holder: Holder) -> None:
        raise UsageError(
            f"Another devenv (pid {holder.pid}) watches {name} already.",
            fix="one watch is enough; end the other one first",
        )

    directory = paths.state_directory(session.environ)
    lock = resolve_lock_file(directory, f"{name}.watch", session.endpoint.url)
    async with hold_lock(lock, "watching", refuse):
        yield


async def _follow(session: Session) -> int:
    await session.client.ping()
    project = await asyncio.to_thread(lambda: session.project)
    if not any(c.state == "running" for c in await observe_once(session.client, project.name)):
        raise UsageError(f"Nothing of {project.name} is running.", fix="devenv up")
    width = max(5, *(len(name) for name in project.services))

    def tell(event: WatchEvent) -> None:
        sys.stdout.write(render_event(event, width) + "\n")
        sys.stdout.flush()

    watch = WatchRun(session, tell)
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        async with hold_watch(session, project.name):
            await watch.run(
                lambda count: print_note(
                    f"watching {count:,} files of {project.name}; Ctrl-C ends the watch"
                )
            )
    except asyncio.CancelledError:
        print_note("The watch has ended; the environment is left running.")
        return ExitCode.INTERRUPTED
    except BaseExceptionGroup as group:
        known = group.subgroup(DevenvError)
        if known is not None:
            raise known.exceptions[0] from None
        raise
    return ExitCode.GOOD
