"""How a start ends, in words: ready, failed, too late, interrupted."""

from __future__ import annotations

import asyncio
import time

from devenv.cli.output import print_note
from devenv.cli.runtime import Runtime
from devenv.cli.up_output import Printer, print_problem
from devenv.compose.names import ServiceName
from devenv.errors import ExitCode
from devenv.state.hooks import HookRun
from devenv.state.model import Problem, State
from devenv.state.readiness import Outcome

_POLL_SECONDS = 0.05
_EXPLAIN_SECONDS = 3.0


async def end_interrupted(runtime: Runtime) -> int:
    """Ctrl-C: end the Compose child, leave containers as they are, and say so."""
    if runtime.effects is not None and runtime.effects.busy:
        await runtime.effects.cancel()
        print_note("Interrupted while starting. What had started was left as it is.")
    elif runtime.hooks.busy:
        await runtime.hooks.cancel()
        print_note("Interrupted while a hook ran, which was ended. The services are left running.")
    else:
        print_note("Left running.")
    print_note("  devenv up     go on\n  devenv down   stop and remove the containers; data stays")
    return ExitCode.INTERRUPTED


async def end_failed(runtime: Runtime, printer: Printer, outcome: Outcome) -> int:
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


def end_late(state: State, wanted: frozenset[ServiceName], timeout_seconds: float) -> int:
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


def print_summary(state: State, wanted: frozenset[ServiceName], started: float) -> None:
    seconds = time.monotonic() - started
    addresses = [
        f"  {service.name}  {port.url if port.is_web else port.address}"
        for service in state.services
        if service.name in wanted
        for port in service.ports
        if port.protocol == "tcp"
    ]
    print_note(f"Ready in {seconds:.1f} s.")
    if addresses:
        print_note("\n".join(addresses))


def print_hook_failure(failed: HookRun) -> None:
    """The services are up, and a hook that follows their start has failed."""
    if failed.problem is not None:
        print_problem(failed.problem)
    print_note("The services are up; devenv up runs the hooks again and restarts nothing.")
