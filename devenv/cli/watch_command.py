"""`devenv watch` by itself: one line for each action, until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys

from devenv.cli.output import print_note
from devenv.cli.session import Session
from devenv.cli.watch_lock import hold_watch
from devenv.cli.watch_run import WatchRun
from devenv.engine.containers_now import observe_once
from devenv.errors import DevenvError, ExitCode, UsageError
from devenv.report.watch_lines import render_event
from devenv.state.watch import WatchStatus
from devenv.state.watch_events import WatchEvent, WatchTurned


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


async def _follow(session: Session) -> int:
    await session.client.ping()
    project = await asyncio.to_thread(lambda: session.project)
    if not any(c.state == "running" for c in await observe_once(session.client, project.name)):
        raise UsageError(f"Nothing of {project.name} is running.", fix="devenv up")
    width = max(5, *(len(name) for name in project.services))

    told = False

    def tell(event: WatchEvent) -> None:
        nonlocal told
        if isinstance(event, WatchTurned) and event.status is WatchStatus.ON:
            if told:
                return
            told = True
            print_note(f"watching {event.files:,} files of {project.name}; Ctrl-C ends the watch")
        elif line := render_event(event, width):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

    watch = WatchRun(session, tell)
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        async with hold_watch(session, project.name):
            await watch.run()
    except asyncio.CancelledError:
        print_note("The watch has ended; the environment is left running.")
        return ExitCode.INTERRUPTED
    except BaseExceptionGroup as group:
        known = group.subgroup(DevenvError)
        if known is not None:
            raise known.exceptions[0] from None
        raise
    return ExitCode.GOOD
