"""Changes of state, logs and problems as lines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from devenv.cli.hook_lines import HookLines
from devenv.cli.output import paint, print_note, uses_color
from devenv.compose.model import Project
from devenv.compose.names import ServiceName
from devenv.errors import DevenvError
from devenv.state.hooks import HookRun
from devenv.state.logs import ENGINE, LogStore, Origin
from devenv.state.model import (
    GLYPHS,
    EngineStatus,
    Problem,
    ServiceState,
    ServiceStatus,
    State,
    SwitchProposal,
)
from devenv.state.text import clean_line, sanitize

if TYPE_CHECKING:
    from devenv.state.watch_events import WatchEvent

_COLOURS = {
    ServiceStatus.HEALTHY: "green",
    ServiceStatus.RUNNING: "green",
    ServiceStatus.COMPLETED: "green",
    ServiceStatus.FAILED: "red",
    ServiceStatus.UNHEALTHY: "red",
    ServiceStatus.RESTARTING: "yellow",
}


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


class Printer:
    """Prints changes of state and log lines, each once."""

    def __init__(self, project: Project, *, with_logs: bool) -> None:
        self._with_logs = with_logs
        self._seen: dict[ServiceName, tuple[str, str]] = {}
        self._engine = EngineStatus.UNKNOWN
        self._width = max((len(name) for name in project.services), default=0)
        self._noted: str = ""
        self._proposal: SwitchProposal | None = None
        self._hooks: tuple[HookRun, ...] = ()
        self._hook_lines = HookLines()

    def take_output(self, kind: str, line: str) -> None:
        """A line of build output; what Compose says of containers comes from events instead."""
        if kind == "note":
            print_note(line)
        elif kind in ("build", "hook"):
            sys.stdout.write(f"{kind:<{self._width}} | {line}\n")
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
        if state.hooks is not self._hooks:
            self._hooks = state.hooks
            self._hook_lines.show(state.hooks)
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
