"""Where the time of the start goes, drawn while it happens."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.timer import Timer
from textual.widgets import Static

from devenv.compose.names import ServiceName
from devenv.state.logs import LogStore
from devenv.state.model import State
from devenv.state.start_seen import StartOutcome
from devenv.state.text import sanitize
from devenv.state.timeline import resolve_timeline
from devenv.state.timeline_chart import (
    FAILED_GLYPH,
    GLYPHS,
    READY_GLYPH,
    Row,
    layout_axis,
    layout_rows,
)
from devenv.state.timeline_hooks import render_hook_time
from devenv.state.timeline_values import ServiceTimeline, SpanKind, Timeline
from devenv.state.timeline_words import (
    render_bound,
    render_outcome,
    render_path,
    render_seconds,
    render_service,
)
from devenv.tui.tab import DevTab, TabAction

REDRAW_SECONDS = 0.5
"""How often the bars grow while a start is under way; at other times nothing is redrawn."""
STYLES = {
    SpanKind.PULL: "magenta",
    SpanKind.BUILD: "yellow",
    SpanKind.CREATE: "dim",
    SpanKind.WAIT: "dim",
    SpanKind.START: "cyan",
    SpanKind.HEALTH: "green",
    SpanKind.RUN: "blue",
}
_NARROWEST = 20
_HOOK_STYLES = {"failed": "bold red", "running": "yellow", "skipped": "dim"}


class Tab(DevTab):
    TITLE = "Timeline"
    KEY = "T"
    ORDER = 25
    ACTIONS: ClassVar[tuple[TabAction, ...]] = (
        TabAction("D", "toggle_probes", "Show build steps and probes", opens=False),
    )

    def __init__(self, logs: LogStore) -> None:
        super().__init__(logs)
        self._state: State | None = None
        self._chosen: ServiceName | None = None
        self._detailed = False
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static()

    def on_resize(self) -> None:
        self._draw()

    def show(self, state: State, chosen: ServiceName | None) -> None:
        if state is self._state and chosen == self._chosen:
            return
        self._state, self._chosen = state, chosen
        self._draw()
        moving = state.start is not None and state.start.outcome is StartOutcome.UNDER_WAY
        if moving and self._timer is None:
            self._timer = self.set_interval(REDRAW_SECONDS, self._draw)
        elif not moving and self._timer is not None:
            self._timer.stop()
            self._timer = None

    def toggle_probes(self) -> None:
        """Show or hide each service's build steps and health probes."""
        self._detailed = not self._detailed
        self._draw()

    def _draw(self) -> None:
        if self._state is None or not self.is_on_screen:
            return
        timeline = resolve_timeline(self._state, self.clock())
        width = max(_NARROWEST, self.size.width - 4)
        self.query_one(Static).update(
            _empty(self._state)
            if timeline is None
            else render_timeline(timeline, width, self._chosen, detailed=self._detailed)
        )


def _empty(state: State) -> Text:
    if state.project is None:
        return Text(
            "Where the time of a start goes appears here once the Compose files load.", style="dim"
        )
    return Text(
        "This devenv has not started anything yet: u starts all services, and their builds, waits "
        "and health checks are drawn here. Earlier starts: devenv timeline --list",
        style="dim",
    )


def render_timeline(
    timeline: Timeline, width: int, chosen: ServiceName | None, *, detailed: bool
) -> Text:
    """The bars at `width` cells, then what was waited for, then what the chosen service did."""
    text = Text(no_wrap=False)
    style = {StartOutcome.READY: "green", StartOutcome.FAILED: "bold red"}
    text.append(render_outcome(timeline) + "\n", style.get(timeline.outcome, "yellow"))
    names = max((len(line.service) for line in timeline.services), default=0)
    bars = max(_NARROWEST, width - names - 1)
    if timeline.has_bars:
        text.append(" " * (names + 1) + layout_axis(timeline.seconds, bars) + "\n", "dim")
        for row in layout_rows(timeline, bars):
            _append_row(text, row, names, is_chosen=row.service == chosen)
        text.append("\n")
        _append_legend(text, timeline)
    text.append("\n")
    for line in timeline.services:
        if chosen is None or line.service == chosen:
            text.append(f"{sanitize(line.service):<{names}} ", "bold")
            text.append(sanitize(render_service(line)) + "\n")
            _append_failing_probe(text, line, names)
            if detailed or chosen is not None:
                _append_details(text, line, names)
    for hook in timeline.hooks:
        text.append(sanitize(render_hook_time(hook)) + "\n", _HOOK_STYLES.get(hook.status, ""))
    if path := render_path(timeline):
        text.append("\ncritical path: ", "bold").append(sanitize(path) + "\n")
    if bound := render_bound(timeline):
        text.append(sanitize(bound) + "\n", "dim")
    return text


def _append_row(text: Text, row: Row, names: int, *, is_chosen: bool) -> None:
    style = "bold" if row.is_critical else ""
    text.append(f"{sanitize(row.service):<{names}} ", f"{style} reverse" if is_chosen else style)
    for cell in row.cells:
        if cell.kind is not None:
            text.append(cell.glyph, STYLES[cell.kind])
        elif cell.glyph == READY_GLYPH:
            text.append(cell.glyph, "bold green")
        else:
            text.append(cell.glyph, "bold red" if cell.glyph == FAILED_GLYPH else "")
    text.append("\n")


def _append_legend(text: Text, timeline: Timeline) -> None:
    used = {span.kind for line in timeline.services for span in line.spans}
    for kind in SpanKind:
        if kind in used:
            text.append(GLYPHS[kind], STYLES[kind]).append(f" {kind.value}  ", "dim")
    text.append(READY_GLYPH, "bold green").append(" ready\n", "dim")


def _append_failing_probe(text: Text, line: ServiceTimeline, names: int) -> None:
    failing = next((probe for probe in reversed(line.probes) if probe.exit_code), None)
    if failing is None or line.ready is not None:
        return
    for output in failing.output.splitlines()[-3:] or ["(the probe printed nothing)"]:
        text.append(" " * (names + 1) + "  " + sanitize(output) + "\n", "red")


def _append_details(text: Text, line: ServiceTimeline, names: int) -> None:
    indent = " " * (names + 1) + "  "
    for step in line.steps:
        seconds = "running" if step.seconds is None else render_seconds(step.seconds)
        words = "cached" if step.cached else f"failed after {seconds}" if step.failed else seconds
        text.append(f"{indent}{words:>8}  {sanitize(step.text)}\n", "dim")
    for probe in line.probes:
        result = "passed" if probe.exit_code == 0 else f"exit code {probe.exit_code}"
        text.append(
            f"{indent}probe at {render_seconds(probe.begin)}: {result} after "
            f"{render_seconds(probe.end - probe.begin)}\n",
            "dim",
        )
        for output in probe.output.splitlines()[-2:]:
            text.append(f"{indent}    {sanitize(output)}\n", "dim")
