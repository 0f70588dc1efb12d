"""`devenv up` in the terminal UI."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from devenv.cli.output import print_note
from devenv.cli.runtime import Runtime
from devenv.cli.session import Session
from devenv.cli.up import apply_switch, ask_first, clone_first, resolve_options
from devenv.cli.up_options import UpOptions
from devenv.cli.up_output import print_problem
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.engine.problems import to_problem
from devenv.errors import DevenvError, ExitCode, PlanRefused
from devenv.state.actions import (
    ChecksRequested,
    EngineLost,
    ModelFailed,
    OperationRequested,
    StartRefused,
)
from devenv.state.logs import LogLine
from devenv.state.model import Environment, OperationKind, Problem, State
from devenv.state.switcher import SwitchTarget, parse_target
from devenv.state.text import sanitize

if TYPE_CHECKING:
    from devenv.state.watch_events import WatchEvent

_ENDED = "ended"
"""What the UI returns where a signal has ended it."""


def run_terminal(session: Session, arguments: argparse.Namespace) -> int:
    """The terminal UI. The first frame is drawn before Compose or the engine are asked."""
    notice: Problem | None = None
    left: set[EnvironmentName] = set()
    has_switched = False
    while True:
        ask_first(session, shows_access=False)
        try:
            clone_first(session, arguments, _ask_on_screen if has_switched else None)
        except PlanRefused as error:
            if not has_switched:
                raise
            notice = to_problem(error)
        answer = asyncio.run(_run_terminal(session, arguments, notice, left))
        notice = None
        if isinstance(answer, int):
            _release(session, left)
            return answer
        with contextlib.suppress(DevenvError):  # of files that do not load nothing was started
            if session.files.settings.isolation.shared:
                left.add(session.project.name)
        if isinstance(answer, SwitchTarget):
            session, notice = _switch(session, answer)
        else:
            session = apply_switch(session)
        has_switched = True


async def _ask_on_screen(question: str) -> bool:
    """Between two runs of the UI: who looks at it expects no question at a prompt."""
    from devenv.tui.question_app import ask_on_screen

    return await ask_on_screen(sanitize(question), "Copy the data", "No")


def _release(session: Session, left: Iterable[EnvironmentName]) -> None:
    """Stop what the environments that were left have shared, where nobody uses it any more."""
    from devenv.cli.operations import release_services

    for name in left:
        with contextlib.suppress(DevenvError):  # the next `down` does it
            release_services(session, name)


def _switch(session: Session, target: SwitchTarget) -> tuple[Session, Problem | None]:
    """The session to go on with, and what kept the switch from being done, if anything did."""
    from devenv.cli.switch_menu import apply_target

    try:
        return apply_target(session, target), None
    except DevenvError as error:
        renewed = session.renew()
        try:
            renewed.files  # noqa: B018, a property that loads
        except DevenvError:
            renewed = session  # as it was read before somebody broke it
        return renewed, to_problem(error)


async def _run_terminal(
    session: Session,
    arguments: argparse.Namespace,
    notice: Problem | None,
    left: set[EnvironmentName],
) -> int | Literal["switch"] | SwitchTarget:
    from devenv.cli.terminal import build_app

    files = session.files
    environment = Environment(
        name=EnvironmentName(files.directory.name),
        directory=str(files.directory),
        profile=files.choice.name,
        profile_reason=files.choice.reason,
        branch=files.git.effective_branch if files.git else None,
        context=session.endpoint.context_name,
        profiles=tuple((name, p.description or "") for name, p in files.profiles.items()),
    )
    runtime = Runtime(
        session,
        environment,
        UpOptions(build=not arguments.no_build),
        on_output=lambda kind, line: _keep_output(runtime, kind, line),
        with_usage=True,
        tail=1000,
    )
    shown = asyncio.Event()
    answer: str | None = None
    app = build_app(runtime, on_ready=shown.set, notice=notice)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, app.exit, _ENDED)
    async with runtime.reducing() as tasks:
        drawing = tasks.create_task(app.run_async())
        starting = tasks.create_task(_start_when_shown(runtime, tasks, shown, arguments, left))
        try:
            answer = await drawing
            app.raise_fault()
        finally:
            app.end_input()
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            await runtime.end()
    if answer == "switch":
        return "switch"
    return parse_target(answer) or _end_terminal(session, answer, runtime.store.state)


def _keep_output(runtime: Runtime, kind: str, line: str) -> None:
    if kind in ("build", "note", "hook"):
        name = ServiceName("devenv" if kind == "note" else kind)
        runtime.logs.append([LogLine(time.time_ns(), name, line, "devenv")])


async def _start_when_shown(
    runtime: Runtime,
    tasks: asyncio.TaskGroup,
    shown: asyncio.Event,
    arguments: argparse.Namespace,
    left: set[EnvironmentName],
) -> None:
    from devenv.cli.terminal import tune_collector

    await shown.wait()
    tune_collector()
    loaded = asyncio.Event()

    def take_state(state: State) -> None:
        if state.project is not None:
            loaded.set()

    async def follow_by_labels() -> None:
        """The containers that run are shown though no file loads."""
        if not runtime.is_connected:
            await runtime.connect_by_labels(tasks)
        runtime.act_by_labels()
        if not arguments.no_checks and runtime.store.state.checks is None:
            # They say more than Compose's first error.
            await runtime.store.dispatch(ChecksRequested())

    runtime.store.subscribe(take_state)
    runtime.load_model(tasks, follow_by_labels)
    runtime.offer_checks(tasks)
    runtime.offer_switches(tasks)
    runtime.offer_environments(tasks)
    runtime.offer_snapshots(tasks)
    await loaded.wait()
    session = runtime.session
    try:
        runtime.options = resolve_options(session, arguments)
        runtime.connect(tasks, session.project.name)
        runtime.watch_branch(tasks, session.project)
        await _watch_when_up(runtime)
        _release_when_up(runtime, tasks, left)
        await session.client.ping()
        if not arguments.no_checks:
            from devenv.cli.up_checks import find_reasons_against, refusal

            checks = await runtime.check(tasks)
            blocking = find_reasons_against(checks, session, runtime.options)
            if blocking:
                await runtime.store.dispatch(StartRefused(refusal(blocking)))
                return
    except DevenvError as error:
        problem = to_problem(error)
        lost = error.exit_code is ExitCode.NO_ENGINE
        await runtime.store.dispatch(EngineLost(problem) if lost else ModelFailed(problem))
        if not lost and not arguments.no_checks and runtime.store.state.checks is None:
            await runtime.check(tasks)
        return
    await runtime.store.dispatch(OperationRequested(OperationKind.UP, runtime.options.services))


async def _watch_when_up(runtime: Runtime) -> None:
    """Watch the sources once a start has ended well; what it does stands in the logs too."""
    from devenv.report.watch_lines import render_event
    from devenv.state.actions import WatchTold
    from devenv.state.watch import WatchStatus
    from devenv.state.watch_events import WatchTurned

    if why := runtime.sources.find_reason_against():
        await runtime.store.dispatch(WatchTold(WatchTurned(time.time(), WatchStatus.OFF, why)))
        return

    def tell(event: WatchEvent) -> None:
        for line in render_event(event, 0).splitlines():
            runtime.logs.append([LogLine(time.time_ns(), ServiceName("watch"), line, "devenv")])

    def take_state(state: State) -> None:
        operation = state.operation
        if operation is None or not operation.finished or operation.problem is not None:
            return
        starts = operation.kind in (OperationKind.UP, OperationKind.START, OperationKind.RESTART)
        if starts or runtime.sources.has_begun:
            runtime.sources.begin(tell)

    runtime.store.subscribe(take_state)


def _release_when_up(
    runtime: Runtime, tasks: asyncio.TaskGroup, left: set[EnvironmentName]
) -> None:
    """Once the start has ended, what the environments that were left have shared is stopped where
    this one does not use it; before that it would be stopped and started again."""

    async def release(name: EnvironmentName) -> None:
        def note(line: str) -> None:
            _keep_output(runtime, "note", line)

        with contextlib.suppress(DevenvError):  # the end of the UI tries again
            await release_left(runtime.session, name, note)
            left.discard(name)

    def take_state(state: State) -> None:
        operation = state.operation
        if operation is None or not operation.finished or operation.kind is not OperationKind.UP:
            return
        for name in left - {state.environment.name} - begun:
            begun.add(name)
            tasks.create_task(release(name))

    from devenv.cli.operations import release_left

    begun: set[EnvironmentName] = set()

    runtime.store.subscribe(take_state)


def _end_terminal(session: Session, answer: str | None, state: State) -> int:
    if answer == "stop":
        from devenv.cli.operations import run_compose_operation

        return run_compose_operation(session, "stop", ())
    with contextlib.suppress(OSError):  # the terminal may be gone
        shared = state.environment.shared  # stopped with their last user, whoever that is
        own = [c for c in state.containers.values() if c.service not in shared]
        if any(c.state == "running" for c in own):
            print_note(
                f"{state.environment.name} is left running. devenv up shows it again, "
                "devenv down stops it."
            )
    if answer == _ENDED:
        return ExitCode.INTERRUPTED
    problem = state.model_problem
    if problem is not None and not state.containers:
        print_problem(problem)
        return ExitCode.USAGE
    return ExitCode.GOOD
