"""Hooks of a command that ends by itself, such as `devenv down`: run with their output printed."""

from __future__ import annotations

import asyncio
import sys

from devenv.cli.hook_failures import forget_failure
from devenv.cli.hook_lines import HookLines
from devenv.cli.hook_run import HookRunner, are_allowed, hooks_of
from devenv.cli.output import print_note
from devenv.cli.session import Session
from devenv.compose.names import EnvironmentName
from devenv.errors import DevenvError
from devenv.state.hooks import HookRun
from devenv.state.text import sanitize


async def run_before_down(session: Session, name: EnvironmentName, *, has_running: bool) -> None:
    """Run the hooks of `before_down`, where anything runs. Raises HookFailed.

    Removing always works: hooks that are not allowed, and files that do not load, are said and
    passed over.
    """
    if session.is_within_hook or not session.runs_hooks or not has_running:
        return
    try:
        hooks = hooks_of(session, "before_down")
    except DevenvError as error:
        print_note(sanitize(f"hooks are not run: {error.message}"))
        return
    if not hooks:
        return
    if not await asyncio.to_thread(are_allowed, session):
        print_note("The before_down hooks are not allowed here, so they are not run: devenv allow")
        return
    lines = HookLines()

    async def tell(_event: str, runs: tuple[HookRun, ...]) -> None:
        lines.show(runs)

    await HookRunner(session, name, tell, print_hook_line, holds=True).run("before_down")
    forget_failure(session, name)


def print_hook_line(kind: str, line: str) -> None:
    """A line of a hook's output, as a log line."""
    sys.stdout.write(f"{kind} | {line}\n")
    sys.stdout.flush()
