"""`devenv up` without the terminal UI: start, and follow with a line per change."""

from __future__ import annotations

import argparse
import asyncio
import signal
import time
from typing import Literal

from devenv.cli.output import print_note
from devenv.cli.runtime import Runtime
from devenv.cli.session import Session
from devenv.cli.up import apply_switch, ask_first, clone_first, resolve_options
from devenv.cli.up_checks import find_reasons_against, print_checks
from devenv.cli.up_ends import (
    end_failed,
    end_interrupted,
    end_late,
    print_hook_failure,
    print_summary,
)
from devenv.cli.up_output import Printer, print_problem
from devenv.compose.graph import resolve_closure
from devenv.errors import ExitCode
from devenv.state.actions import OperationRequested
from devenv.state.hooks import find_failed
from devenv.state.model import EngineStatus, Environment, OperationKind, ServiceStatus, State
from devenv.state.readiness import resolve_outcome
from devenv.state.text import sanitize

_POLL_SECONDS = 0.05
_HOLD_SECONDS = 1.0
"""How long all must stay ready: a service that dies right after its start was never ready."""
_ENDED_SECONDS = 2.0
"""How long all must be down before the following ends: a restart stops them for a moment."""


def run_plain(session: Session, arguments: argparse.Namespace) -> int:
    """Start, and print one line per change; follow the logs unless detached."""
    while True:
        ask_first(session)
        clone_first(session, arguments)
        answer = asyncio.run(_run_plain(session, arguments))
        if answer != "switch":
            return answer
        session = apply_switch(session)


async def _run_plain(session: Session, arguments: argparse.Namespace) -> int | Literal["switch"]:
    info = await session.client.ping()
    options = resolve_options(session, arguments)
    project = session.project
    environment = session.environment(project)
    print_note(_banner(environment, info.version))
    printer = Printer(project, with_logs=not arguments.detach)
    runtime = Runtime(
        session,
        environment,
        options,
        on_output=printer.take_output,
        with_usage=False,
        tail=0 if arguments.detach else 200,
        arrivals=not arguments.detach,
    )
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted.set)
    started = time.monotonic()
    async with runtime.reducing() as tasks:
        await runtime.load()
        try:
            if not arguments.no_checks:
                checks = await runtime.check(tasks)
                blocking = find_reasons_against(checks, session, runtime.options)
                print_checks(checks, blocking)
                if blocking:
                    return ExitCode.FAILED
            runtime.connect(tasks, project.name)
            if not arguments.detach:
                runtime.watch_branch(tasks, project)
            runtime.store.subscribe(printer.take_state)
            await runtime.store.dispatch(OperationRequested(OperationKind.UP, options.services))
            return await _follow(runtime, printer, interrupted, arguments, started)
        finally:
            await runtime.end()


async def _follow(
    runtime: Runtime,
    printer: Printer,
    interrupted: asyncio.Event,
    arguments: argparse.Namespace,
    started: float,
) -> int | Literal["switch"]:
    """Until the start has ended (detached), or all containers have, a switch, or Ctrl-C."""
    project = runtime.session.project
    options = runtime.options
    wanted = resolve_closure(project, options.services or project.services)
    wanted -= frozenset(options.without)
    ready = False
    gone_since: float | None = None
    good_since: float | None = None
    ended_since: float | None = None
    while True:
        printer.print_logs(runtime.logs)
        state = runtime.store.state
        if interrupted.is_set():
            return await end_interrupted(runtime)
        if _wants_switch(runtime, state):
            return "switch"
        operation = state.operation
        if not ready and operation is not None and operation.finished:
            problem = operation.problem
            outcome = resolve_outcome(state, wanted)
            if outcome is not None and not outcome.good:
                return await end_failed(runtime, printer, outcome)
            if problem is not None:
                print_problem(problem)
                return problem.exit_code
            if arguments.detach and not arguments.wait and not runtime.hooks.has_after:
                print_summary(state, wanted, started)
                return ExitCode.GOOD
            good_since = (good_since or time.monotonic()) if outcome is not None else None
            if good_since is not None and time.monotonic() - good_since >= _HOLD_SECONDS:
                if runtime.hooks.busy:
                    await _pause(interrupted)
                    continue
                ready = True
                print_summary(state, wanted, started)
                failed = find_failed(state.hooks)
                if failed is not None:
                    print_hook_failure(failed)
                if arguments.detach:
                    return ExitCode.GOOD if failed is None else ExitCode.FAILED
                runtime.sources.begin(printer.take_event)
        if not ready and time.monotonic() - started > arguments.timeout:
            return end_late(state, wanted, arguments.timeout)
        if state.engine is EngineStatus.LOST and arguments.detach:
            gone_since = gone_since or time.monotonic()
            if time.monotonic() - gone_since > 10 and state.engine_problem:
                print_problem(state.engine_problem)
                return ExitCode.NO_ENGINE
        else:
            gone_since = None
        alive = any(
            c.state in ("running", "restarting", "paused", "created")
            for c in state.containers.values()
        )
        ended_since = None if alive or not ready else ended_since or time.monotonic()
        if ended_since is not None and time.monotonic() - ended_since >= _ENDED_SECONDS:
            printer.print_logs(runtime.logs)
            print_note("All containers have ended.")
            broken = [s for s in state.services if s.status is ServiceStatus.FAILED]
            return ExitCode.FAILED if broken else ExitCode.GOOD
        await _pause(interrupted)


def _wants_switch(runtime: Runtime, state: State) -> bool:
    """Whether a proposed switch is to be applied by itself: `auto_switch` in devenv.toml."""
    proposal = state.proposal
    if proposal is None or proposal.problem is not None or state.busy:
        return False
    return runtime.session.files.settings.auto_switch


async def _pause(interrupted: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_POLL_SECONDS):
            await interrupted.wait()
    except TimeoutError:
        return


def _banner(environment: Environment, engine_version: str) -> str:
    profile = f" · profile {environment.profile}" if environment.profile else ""
    branch = f" · {environment.branch}" if environment.branch else ""
    return sanitize(
        f"{environment.name}{branch}{profile} · {environment.context} engine {engine_version}"
    )
