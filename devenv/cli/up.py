"""The three ways of `devenv up`: terminal UI, plain lines, and the plan alone."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from devenv.checks.finding import Finding, Severity
from devenv.cli.output import paint, print_json, print_note, print_text, uses_color
from devenv.cli.runtime import Runtime, UpOptions
from devenv.cli.session import Session
from devenv.compose.graph import resolve_closure
from devenv.compose.model import Project
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.engine.problems import to_problem
from devenv.errors import DevenvError, ExitCode
from devenv.state.actions import (
    ChecksRequested,
    EngineLost,
    ModelFailed,
    OperationRequested,
    StartRefused,
)
from devenv.state.logs import ENGINE, LogLine, LogStore, Origin
from devenv.state.model import (
    GLYPHS,
    Checks,
    EngineStatus,
    Environment,
    OperationKind,
    Problem,
    ServiceState,
    ServiceStatus,
    State,
    SwitchProposal,
)
from devenv.state.readiness import Outcome, resolve_outcome
from devenv.state.text import clean_line, sanitize

if TYPE_CHECKING:
    from devenv.state.watch_events import WatchEvent

_ENDED = "ended"
"""What the UI returns where a signal has ended it."""
_POLL_SECONDS = 0.05
_EXPLAIN_SECONDS = 3.0
_HOLD_SECONDS = 1.0
"""How long all must stay ready: a service that dies right after its start was never ready."""
_ENDED_SECONDS = 2.0
"""How long all must be down before the following ends: a restart stops them for a moment."""
_COLOURS = {
    ServiceStatus.HEALTHY: "green",
    ServiceStatus.RUNNING: "green",
    ServiceStatus.COMPLETED: "green",
    ServiceStatus.FAILED: "red",
    ServiceStatus.UNHEALTHY: "red",
    ServiceStatus.RESTARTING: "yellow",
}


def resolve_options(session: Session, arguments: argparse.Namespace) -> UpOptions:
    """The options of `up`, its service names checked against the model."""
    named = tuple(session.resolve_service(name) for name in arguments.services)
    return UpOptions(
        services=named or session.profile_services,
        without=tuple(session.resolve_service(name) for name in arguments.without),
        build=not arguments.no_build,
        watch=not getattr(arguments, "no_watch", False),
    )


def print_plan(session: Session, arguments: argparse.Namespace) -> int:
    """Print what `up` would do. Exit code 1 where it would refuse."""
    from devenv.engine.preflight import load_hashes, load_plan
    from devenv.host.ports import find_listener
    from devenv.report.plan import plan_to_json, render_plan

    async def load() -> int:
        await session.client.ping()
        options = resolve_options(session, arguments)
        hashes = await load_hashes(
            session.compose, session.selection, session.environ, session.files.compose_files
        )
        plan = await load_plan(
            session.client,
            session.project,
            hashes,
            only=options.services,
            without=options.without,
            find_listener=find_listener if session.endpoint.is_local else None,
        )
        if arguments.format == "json":
            print_json(plan_to_json(plan))
        else:
            print_text(sanitize(render_plan(plan)))
        refused = bool(plan.volume_conflicts or plan.port_conflicts)
        if not arguments.no_checks:
            refused = _show_checks(session, options) or refused
        return ExitCode.FAILED if refused else ExitCode.GOOD

    return asyncio.run(load())


def run_plain(session: Session, arguments: argparse.Namespace) -> int:
    """Start, and print one line per change; follow the logs unless detached."""
    while True:
        answer = asyncio.run(_run_plain(session, arguments))
        if answer != "switch":
            return answer
        session = _apply_switch(session)


def _apply_switch(session: Session) -> Session:
    """Stop what the new branch or profile does not have; the session that starts the rest.

    Raises what keeps the new selection from loading.
    """
    from devenv.cli.operations import stop_services
    from devenv.cli.switching import load_running, load_switch_plan

    renewed = session.renew()
    before = load_running(session)
    plan = asyncio.run(load_switch_plan(renewed, before))
    if plan.before is not None and plan.stops:
        names = tuple(stop.service for stop in plan.stops)
        print_note(sanitize(f"stopping {', '.join(names)} of {plan.before}"))
        stop_services(session, plan.before, names)
    return renewed


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


def _show_checks(session: Session, options: UpOptions) -> bool:
    """Print what the checks say, and whether `up` would start nothing for it."""
    from devenv.cli.check_runner import load_checks

    checks = load_checks(session)
    blocking = find_reasons_against(checks, session, options)
    print_checks(checks, blocking)
    return bool(blocking)


def find_reasons_against(
    checks: Checks, session: Session, options: UpOptions
) -> tuple[Finding, ...]:
    """The findings for which this start would fail."""
    from devenv.checks.blocking import find_blocking

    wanted = resolve_closure(session.project, options.services or session.project.services)
    profile = session.files.choice.name
    return find_blocking(checks.result, profile, wanted - frozenset(options.without))


def print_checks(checks: Checks, blocking: Sequence[Finding]) -> None:
    """The findings that stop the start, in full; the others as one line."""
    from devenv.checks.finding import CheckResult
    from devenv.host.check_files import load_state
    from devenv.report.finding_paths import FindingPaths
    from devenv.report.findings.text import render
    from devenv.values import replace

    if blocking:
        places = [finding.place for finding in blocking]
        places += [one.place for finding in blocking for one in finding.related]
        texts = {place.path: load_state(place.path) for place in places}
        shown = render(
            CheckResult(tuple(blocking)),
            FindingPaths(checks.directory, texts),
            paint=lambda text, colour: paint(text, colour, sys.stderr),
        )
        print_note(shown.rstrip("\n"))
        print_problem(replace(refusal(blocking), excerpt=()))
        return
    counts = [(checks.result.count(s), s.value) for s in (Severity.ERROR, Severity.WARNING)]
    words = [f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count]
    if words:
        print_note(f"{' and '.join(words)} found by the checks: devenv check shows them.")


def refusal(blocking: Sequence[Finding]) -> Problem:
    """Why nothing is started."""
    what = "an error that makes" if len(blocking) == 1 else f"{len(blocking)} errors that make"
    return Problem(
        f"Nothing was started: the checks found {what} the start fail.",
        fix="repair it, or start all the same with --no-checks",
        excerpt=tuple(f"{finding.rule}: {finding.message}" for finding in blocking[:3]),
    )


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
            return await _end_interrupted(runtime)
        if _wants_switch(runtime, state):
            return "switch"
        operation = state.operation
        if not ready and operation is not None and operation.finished:
            problem = operation.problem
            outcome = resolve_outcome(state, wanted)
            if outcome is not None and not outcome.good:
                return await _end_failed(runtime, printer, outcome)
            if problem is not None:
                print_problem(problem)
                return problem.exit_code
            if arguments.detach and not arguments.wait:
                _print_summary(state, wanted, started)
                return ExitCode.GOOD
            good_since = (good_since or time.monotonic()) if outcome is not None else None
            if good_since is not None and time.monotonic() - good_since >= _HOLD_SECONDS:
                ready = True
                _print_summary(state, wanted, started)
                if arguments.detach:
                    return ExitCode.GOOD
                runtime.watch_sources(printer.take_event)
        if not ready and time.monotonic() - started > arguments.timeout:
            return _end_late(state, wanted, arguments.timeout)
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


async def _end_interrupted(runtime: Runtime) -> int:
    """Ctrl-C: end the Compose child, leave containers as they are, and say so."""
    if runtime.effects is not None and runtime.effects.busy:
        await runtime.effects.cancel()
        print_note("Interrupted while starting. What had started was left as it is.")
    else:
        print_note("Left running.")
    print_note("  devenv up     go on\n  devenv down   stop and remove the containers; data stays")
    return ExitCode.INTERRUPTED


async def _end_failed(runtime: Runtime, printer: Printer, outcome: Outcome) -> int:
    """Print the cause of each failed service, once it has been looked up."""
    deadline = time.monotonic() + _EXPLAIN_SECONDS
    state = runtime.store.state
    broken = [n for n in outcome.failed if (s := state.service(n)) and s.containers]
    while time.monotonic() < deadline:
        state = runtime.store.state
        if all(name in state.problems for name in broken):
            break
        await asyncio.sleep(_POLL_SECONDS)
    printer.print_logs(runtime.logs)
    problem = state.operation.problem if state.operation else None
    explained = [state.problems[name] for name in outcome.failed if name in state.problems]
    for found in explained:
        print_problem(found)
    if problem is not None:
        print_problem(problem)
    if not explained and problem is None:
        print_note(f"Failed: {', '.join(outcome.failed)}")
    return ExitCode.FAILED if explained or problem is None else problem.exit_code


def _end_late(state: State, wanted: frozenset[ServiceName], timeout_seconds: float) -> int:
    """The deadline has passed: say what is not ready."""
    from devenv.state.model import READY

    late = [s for s in state.services if s.name in wanted and s.status not in READY]
    print_problem(
        Problem(
            f"Not ready after {timeout_seconds:g} s: "
            + ", ".join(f"{s.name} ({s.detail or s.status.value})" for s in late),
            fix="devenv logs SERVICE shows why; --timeout gives it longer",
        )
    )
    return ExitCode.FAILED


def print_problem(problem: Problem) -> None:
    """A problem on stderr, as errors look."""
    error = DevenvError(problem.message, fix=problem.fix, excerpt="\n".join(problem.excerpt))
    from devenv.cli.output import print_error

    if problem.where:
        error.message = f"{problem.where}: {problem.message}"
    print_error(error)


def print_proposal(proposal: SwitchProposal) -> None:
    """What the branch that is checked out now asks for."""
    where = f"branch {proposal.branch}" if proposal.branch else "a detached HEAD"
    profile = f", profile {proposal.profile}" if proposal.profile else ""
    print_note(sanitize(f"now on {where}{profile}: environment {proposal.environment}"))
    if proposal.problem is not None:
        print_problem(proposal.problem)
        print_note("What runs is left as it is.")
        return
    for line in proposal.plan:
        print_note(sanitize(f"  {line}"))
    if proposal.paused:
        print_note(sanitize(f"paused until then: {', '.join(proposal.paused)}"))
    print_note("devenv up applies it; auto_switch = true in devenv.toml does so by itself.")


def _banner(environment: Environment, engine_version: str) -> str:
    profile = f" · profile {environment.profile}" if environment.profile else ""
    branch = f" · {environment.branch}" if environment.branch else ""
    return sanitize(
        f"{environment.name}{branch}{profile} · {environment.context} engine {engine_version}"
    )


def _print_summary(state: State, wanted: frozenset[ServiceName], started: float) -> None:
    seconds = time.monotonic() - started
    addresses = [
        f"  {service.name}  http://localhost:{port.host_port}"
        for service in state.services
        if service.name in wanted
        for port in service.ports
        if port.protocol == "tcp"
    ]
    print_note(f"Ready in {seconds:.1f} s.")
    if addresses:
        print_note("\n".join(addresses))


class Printer:
    """Prints changes of state and log lines, each once."""

    def __init__(self, project: Project, *, with_logs: bool) -> None:
        self._with_logs = with_logs
        self._seen: dict[ServiceName, tuple[str, str]] = {}
        self._engine = EngineStatus.UNKNOWN
        self._width = max((len(name) for name in project.services), default=0)
        self._noted: str = ""
        self._proposal: SwitchProposal | None = None

    def take_output(self, kind: str, line: str) -> None:
        """A line of build output; what Compose says of containers comes from events instead."""
        if kind == "note":
            print_note(line)
        elif kind == "build":
            sys.stdout.write(f"{'build':<{self._width}} | {line}\n")
            sys.stdout.flush()

    def take_event(self, event: WatchEvent) -> None:
        """What the watch of the sources did."""
        from devenv.report.watch_lines import render_event

        if line := render_event(event, self._width):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

    def take_state(self, state: State) -> None:
        """Print what differs from the last state."""
        if state.engine is not self._engine:
            if state.engine is EngineStatus.LOST and state.engine_problem:
                print_note(f"engine lost: {state.engine_problem.message} Trying again.")
            elif self._engine is EngineStatus.LOST:
                print_note("engine is back")
            self._engine = state.engine
        if state.proposal is not self._proposal:
            self._proposal = state.proposal
            if state.proposal is not None:
                print_proposal(state.proposal)
        waiting = state.operation.waiting if state.operation else ""
        if waiting and waiting != self._noted:
            print_note(waiting)
        self._noted = waiting
        if state.engine is EngineStatus.UNKNOWN or state.operation is None:
            return
        for service in state.services:
            shown = (service.status.value, service.detail)
            if service.name in state.building:
                shown = (service.status.value, "")
            if service.status is ServiceStatus.STOPPED and service.name not in self._seen:
                continue
            if self._seen.get(service.name) != shown:
                self._seen[service.name] = shown
                self._print_service(service, detail=shown[1])

    def _print_service(self, service: ServiceState, detail: str) -> None:
        word = paint(service.status.value, _COLOURS.get(service.status, "bold"), sys.stdout)
        detail = f": {sanitize(detail)}" if detail else ""
        glyph = GLYPHS[service.status]
        sys.stdout.write(f"{service.name:<{self._width}} {glyph} {word}{detail}\n")
        sys.stdout.flush()

    def print_logs(self, logs: LogStore) -> None:
        """Print the log lines that came since the last call."""
        if not self._with_logs:
            return
        colours = uses_color(sys.stdout)
        lines = [
            self._log_text(logs.origins[number], *clean_line(raw), colours=colours)
            for _, number, raw in logs.take_arrivals()
            if logs.origins[number].service != ENGINE  # said of the state already
        ]
        if lines:
            sys.stdout.write("".join(lines))
            sys.stdout.flush()

    def _log_text(
        self, origin: Origin, plain: bytes, styled: bytes | None, *, colours: bool
    ) -> str:
        text = plain.decode()
        if colours and styled is not None:
            text = styled.decode() + "\x1b[0m"
        return f"{origin.label:<{self._width}} | {text}\n"


def run_terminal(session: Session, arguments: argparse.Namespace) -> int:
    """The terminal UI. The first frame is drawn before Compose or the engine are asked."""
    while True:
        answer = asyncio.run(_run_terminal(session, arguments))
        if answer != "switch":
            return answer
        session = _apply_switch(session)


async def _run_terminal(session: Session, arguments: argparse.Namespace) -> int | Literal["switch"]:
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
    app = build_app(runtime, on_ready=shown.set)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, app.exit, _ENDED)
    async with runtime.reducing() as tasks:
        drawing = tasks.create_task(app.run_async())
        starting = tasks.create_task(_start_when_shown(runtime, tasks, shown, arguments))
        try:
            answer = await drawing
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            await runtime.end()
    if answer == "switch":
        return "switch"
    return _end_terminal(session, answer, runtime.store.state)


def _keep_output(runtime: Runtime, kind: str, line: str) -> None:
    if kind in ("build", "note"):
        name = ServiceName("build" if kind == "build" else "devenv")
        runtime.logs.append([LogLine(time.time_ns(), name, line, "devenv")])


async def _start_when_shown(
    runtime: Runtime,
    tasks: asyncio.TaskGroup,
    shown: asyncio.Event,
    arguments: argparse.Namespace,
) -> None:
    await shown.wait()
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
    await loaded.wait()
    session = runtime.session
    try:
        runtime.options = resolve_options(session, arguments)
        runtime.connect(tasks, session.project.name)
        runtime.watch_branch(tasks, session.project)
        await _watch_when_up(runtime)
        await session.client.ping()
        if not arguments.no_checks:
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

    if why := runtime.find_reason_not_to_watch():
        await runtime.store.dispatch(WatchTold(WatchTurned(time.time(), WatchStatus.OFF, why)))
        return

    def tell(event: WatchEvent) -> None:
        for line in render_event(event, 0).splitlines():
            runtime.logs.append([LogLine(time.time_ns(), ServiceName("watch"), line, "devenv")])

    def take_state(state: State) -> None:
        operation = state.operation
        if operation is None or not operation.finished or operation.problem is not None:
            return
        if operation.kind in (OperationKind.UP, OperationKind.START, OperationKind.RESTART):
            runtime.watch_sources(tell)

    runtime.store.subscribe(take_state)


def _end_terminal(session: Session, answer: str | None, state: State) -> int:
    if answer == "stop":
        from devenv.cli.operations import run_compose_operation

        return run_compose_operation(session, "stop", ())
    with contextlib.suppress(OSError):  # the terminal may be gone
        if any(c.state == "running" for c in state.containers.values()):
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
