"""A timeline as text: bars, a line on each service, the critical path."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from devenv.state.timeline_chart import GLYPHS, READY_GLYPH, layout_axis, layout_rows
from devenv.state.timeline_hooks import render_hook_time
from devenv.state.timeline_values import SpanKind, Timeline
from devenv.state.timeline_words import (
    render_bound,
    render_outcome,
    render_path,
    render_service,
)

_NARROWEST = 20


def render(timeline: Timeline, comparison: Sequence[str] = (), *, width: int = 100) -> str:
    """At most `width` columns for the bars; sentences may be longer."""
    names = max((len(line.service) for line in timeline.services), default=0)
    bars = max(_NARROWEST, width - names - 3)
    lines = [render_title(timeline), ""]
    if timeline.has_bars:
        lines.append(f"  {'':<{names}} {layout_axis(timeline.seconds, bars)}")
        for row in layout_rows(timeline, bars):
            mark = "*" if row.is_critical else " "
            cells = "".join(cell.glyph for cell in row.cells).rstrip()
            lines.append(f"{mark} {row.service:<{names}} {cells}")
        lines += ["", f"  {_legend(timeline)}", ""]
    for line in timeline.services:
        lines.append(f"  {line.service:<{names}}  {render_service(line)}")
        failing = next((p for p in reversed(line.probes) if p.exit_code), None)
        if failing is not None and line.ready is None:
            lines += [f"  {'':<{names}}    {text}" for text in failing.output.splitlines()[-3:]]
    lines += [f"  {render_hook_time(hook)}" for hook in timeline.hooks]
    if path := render_path(timeline):
        lines += ["", f"* critical path: {path}"]
    if bound := render_bound(timeline):
        lines.append(f"  {bound}")
    if comparison:
        lines += ["", *comparison]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def render_title(timeline: Timeline) -> str:
    """Which start it is, and how it ended."""
    when = datetime.fromtimestamp(timeline.started_at).strftime("%Y-%m-%d %H:%M:%S")
    where = [timeline.environment]
    if timeline.branch:
        where.append(timeline.branch)
    if timeline.profile:
        where.append(f"profile {timeline.profile}")
    return f"{' · '.join(where)} · {when} · {render_outcome(timeline)}"


def _legend(timeline: Timeline) -> str:
    used = {span.kind for line in timeline.services for span in line.spans}
    parts = [f"{GLYPHS[kind]} {kind.value}" for kind in SpanKind if kind in used]
    return "  ".join([*parts, f"{READY_GLYPH} ready"])
