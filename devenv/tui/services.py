"""The list of services at the left, and the cause of what is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from devenv.compose.names import ServiceName
from devenv.state.drift import render_drift
from devenv.state.hooks import find_failed
from devenv.state.model import EngineStatus, Problem, ServiceState, ServiceStatus, State
from devenv.state.text import sanitize
from devenv.tui.text import (
    render_address,
    render_bytes,
    render_duration,
    render_problem,
    render_status,
)
from devenv.values import replace

if TYPE_CHECKING:
    from devenv.state.watch import Watch

_NAME_WIDTHS = (8, 16)
_STATUS_WIDTH = 13
_UPTIME_WIDTH = 5
_USAGE_WIDTH = 14
MAX_DIFFERENCES = 6
"""How many keys of a stale service are shown below the panes."""


class ServiceList(OptionList):
    """One entry per service; the one under the cursor drives the tabs, no cursor means all.

    Columns are lost in this order where it is narrow: CPU and memory, uptime, addresses; name and
    state stay.
    """

    class Chosen(Message):
        """Another service, or none, drives the tabs now."""

        def __init__(self, service: ServiceName | None) -> None:
            super().__init__()
            self.service = service

    BORDER_TITLE = "Services"

    def __init__(self) -> None:
        super().__init__(id="services", markup=False)
        self._names: list[ServiceName] | None = None
        self._shown: list[Text] = []
        self._chosen: ServiceName | None = None
        self._filling = False

    def show(self, state: State, now: float) -> None:
        """Update the entries that differ."""
        names = [service.name for service in state.services]
        rows = self._render_rows(state, now)
        if names != self._names:
            self._fill(names, rows)
        else:
            for index, row in enumerate(rows):
                if row != self._shown[index]:
                    self.replace_option_prompt_at_index(index, row)
        self._shown = rows
        stale = state.engine is EngineStatus.LOST and bool(names)
        words = "as last seen" if stale else ""
        if words != (self.border_subtitle or ""):  # setting it draws the whole list
            self.border_subtitle = words

    def _fill(self, names: list[ServiceName], rows: list[Text]) -> None:
        self._filling = True
        self.clear_options()
        self.add_options([Option(row, disabled=not names) for row in rows])
        self._names = names
        if self._chosen in names:
            self.highlighted = names.index(self._chosen)
        self._filling = False
        if self._chosen not in names:
            self._choose(None)

    def _render_rows(self, state: State, now: float) -> list[Text]:
        # One column of padding at each side, and one for a scroll bar.
        width = max(24, self.size.width - 4)
        if not state.services:
            return [_render_empty(state)]
        longest = max(len(sanitize(service.name)) for service in state.services)
        statuses = max(_STATUS_WIDTH, *(render_status(s).cell_len for s in state.services))
        name_width = min(max(longest, _NAME_WIDTHS[0]), _NAME_WIDTHS[1], width - statuses - 1)
        known = state.project.services if state.project is not None else None
        failed = _render_failures(state.watch)
        return [
            _render_row(
                service,
                now,
                width,
                name_width,
                outside=service.status is ServiceStatus.UNSELECTED
                or (known is not None and service.name not in known),
                failed=failed.get(service.name, ""),
            )
            for service in state.services
        ]

    def watch_highlighted(self, highlighted: int | None) -> None:
        super().watch_highlighted(highlighted)
        if not self._filling and self._names is not None:
            found = highlighted is not None and highlighted < len(self._names)
            self._choose(self._names[highlighted] if found and highlighted is not None else None)

    def choose_all(self) -> None:
        """Back to all services."""
        self.highlighted = None

    def _choose(self, service: ServiceName | None) -> None:
        if service != self._chosen:
            self._chosen = service
            self.post_message(self.Chosen(service))


def _render_empty(state: State) -> Text:
    if state.model_problem is not None:
        text = "Services appear here once the Compose files load again."
    elif state.project is None:
        text = "Services appear here once the Compose files are read."
    else:
        text = "The profile selects no service. p shows the profiles."
    return Text(text, style="dim")


def _render_row(
    service: ServiceState,
    now: float,
    width: int,
    name_width: int,
    *,
    outside: bool,
    failed: str = "",
) -> Text:
    """Name, state, then uptime, CPU and memory where there is room; addresses and detail below.

    `failed` is what the watch could not bring to it.
    """
    name = Text(sanitize(service.name).replace("\n", " "), style="bold")
    name.truncate(name_width, overflow="ellipsis", pad=True)
    text = Text(no_wrap=True, overflow="ellipsis", style="dim" if outside else "")
    text.append_text(name).append(" ")
    status = render_status(service)
    status.pad_right(max(0, _STATUS_WIDTH - status.cell_len))
    text.append_text(status)
    room = width - text.cell_len
    if room >= _UPTIME_WIDTH:
        started = service.started_at
        uptime = render_duration(now - started) if started is not None else ""
        text.append(f"{uptime:>{_UPTIME_WIDTH}}", "dim")
    if room >= _UPTIME_WIDTH + _USAGE_WIDTH and service.usage is not None:
        # In whole percents and MiB: what is idle stays as it is, and is not drawn every second.
        memory = render_bytes(max(1 << 20, service.usage.memory_bytes))
        text.append(f"{service.usage.cpu_percent:6.0f}% {memory:>6}")
    addresses = " ".join(dict.fromkeys(render_address(port) for port in service.ports))
    detail = sanitize(service.detail).replace("\n", " ")
    drift = sanitize(render_drift(service))
    below = Text("  ", style="dim")
    said = " · ".join(part for part in (detail, failed, drift) if part)
    if said and addresses and len(said) + len(addresses) + 5 > width:
        addresses = ""
    for words, style in (
        (sanitize(addresses), ""),
        (detail, ""),
        (failed, "not dim red"),
        (drift, "not dim yellow"),
    ):
        if words:
            below.append(" · " if below.cell_len > 2 else "").append(words, style)
    if below.cell_len > 2:
        below.truncate(width, overflow="ellipsis")
        text.append("\n").append_text(below)
    return text


def _render_failures(watch: Watch | None) -> dict[ServiceName, str]:
    """What could not be brought to a service by the watch, until it is."""
    if watch is None or not watch.is_on:
        return {}
    return {
        name: f"✗ {'build' if activity.is_build else 'last change'} failed"
        for name, activity in watch.failures.items()
    }


_RELOAD = "The files are read again when one is saved, and with u."


def _near(problem: Problem, directory: str) -> Problem:
    """The problem with a place below the project directory shown from there."""
    inside = directory.rstrip("/") + "/"
    if problem.where is None or not problem.where.startswith(inside):
        return problem
    return replace(problem, where=problem.where.removeprefix(inside))


def render_banner(state: State) -> Text | None:
    """What concerns the whole environment: a lost engine, a model that does not load."""
    parts = []
    if state.engine_problem is not None:
        text = render_problem(state.engine_problem)
        parts.append(text.append("\n  Trying again; what is shown is as last seen.", "italic"))
    if state.model_problem is not None:
        text = render_problem(_near(state.model_problem, state.environment.directory))
        again = "Reading the files again …" if state.model_loading else _RELOAD
        parts.append(text.append(f"\n  {again}", "italic"))
    return Text("\n").join(parts) if parts else None


def render_cause(state: State, chosen: ServiceName | None) -> Text | None:
    """Why the chosen service is broken, or all that are; else why the last operation failed."""
    explained = [s for s in state.services if s.problem is not None]
    picked = [s for s in explained if s.name == chosen] or explained
    parts = [render_problem(s.problem, subject=s.name) for s in picked if s.problem is not None]
    failed = find_failed(state.hooks)
    if not parts and failed is not None and failed.problem is not None:
        parts.append(render_problem(_near(failed.problem, state.environment.directory)))
    elif not parts and state.operation is not None and state.operation.problem is not None:
        parts.append(render_problem(state.operation.problem))
    if not parts and (text := _render_differences(state, chosen)) is not None:
        parts.append(text)
    return Text("\n").join(parts) if parts else None


def _render_differences(state: State, chosen: ServiceName | None) -> Text | None:
    """How the chosen service differs from the files."""
    service = state.service(chosen) if chosen is not None else None
    if service is None or service.drift is None:
        return None
    words = "runs with another configuration than the files say; R recreates it"
    text = Text().append(f"! {sanitize(service.name)} {words}", "yellow")
    lines = service.drift or ("(what differs is not known: devenv did not start it)",)
    for line in lines[:MAX_DIFFERENCES]:
        text.append(f"\n  {sanitize(line)}")
    if len(lines) > MAX_DIFFERENCES:
        text.append(f"\n  and {len(lines) - MAX_DIFFERENCES} more: devenv ps --format json", "dim")
    return text
