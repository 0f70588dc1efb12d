"""A timeline as rows of character cells, for the terminal UI and for text. Pure.

A cell shows what most of its time was spent on; a mark shows an instant: ready, or a failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from devenv.compose.names import ServiceName
from devenv.state.timeline_values import ServiceTimeline, Span, SpanKind, Timeline
from devenv.values import dataclass

GLYPHS: Mapping[SpanKind, str] = {
    SpanKind.PULL: "▼",
    SpanKind.BUILD: "▓",
    SpanKind.CREATE: "░",
    SpanKind.WAIT: "·",
    SpanKind.START: "▒",
    SpanKind.HEALTH: "█",
    SpanKind.RUN: "━",
}
"""Each kind has its own glyph, so that colour only repeats it."""
READY_GLYPH = "✓"
FAILED_GLYPH = "✗"
_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
_LABEL_CELLS = 8


@dataclass(frozen=True, slots=True)
class Cell:
    """One character; `kind` is None for a blank and for a mark."""

    glyph: str
    kind: SpanKind | None = None


@dataclass(frozen=True, slots=True)
class Row:
    service: ServiceName
    cells: tuple[Cell, ...]
    is_critical: bool
    """Whether it is on the critical path."""


def layout_rows(timeline: Timeline, width: int) -> tuple[Row, ...]:
    """A row of `width` cells for each service, all on one scale from 0 to the whole time."""
    critical = {part.service for part in timeline.critical_path}
    scale = max(timeline.seconds, 0.001) / max(1, width - 1)
    return tuple(
        Row(
            line.service,
            tuple(_cells(line, timeline.seconds, scale, width)),
            line.service in critical,
        )
        for line in timeline.services
    )


def _cells(line: ServiceTimeline, now: float, scale: float, width: int) -> Iterator[Cell]:
    ready = int(line.ready / scale) if line.ready is not None and not line.kept else None
    failures = {
        int((span.end or 0.0) / scale)
        for span in line.spans
        if span.kind is SpanKind.RUN and span.exit_code
    }
    for index in range(width):
        if index == ready:
            yield Cell(READY_GLYPH)
        elif index in failures:
            yield Cell(FAILED_GLYPH)
        else:
            kind = _most(line.spans, index * scale, (index + 1) * scale, now)
            yield Cell(GLYPHS[kind], kind) if kind is not None else Cell(" ")


def _most(spans: tuple[Span, ...], begin: float, end: float, now: float) -> SpanKind | None:
    """The kind with most of the time between two instants; None where there is none."""
    best: tuple[float, SpanKind] | None = None
    for span in spans:
        last = now if span.end is None else span.end
        shared = min(last, end) - max(span.begin, begin)
        if shared > 0 and (best is None or shared > best[0]):
            best = (shared, span.kind)
    return best[1] if best is not None else None


def layout_axis(seconds: float, width: int) -> str:
    """The scale above the rows: round numbers of seconds, each at its place."""
    scale = max(seconds, 0.001) / max(1, width - 1)
    cells = [" "] * width
    for time, label in axis_marks(seconds, max(1, width // _LABEL_CELLS)):
        at = round(time / scale)
        if at + len(label) <= width:
            cells[at : at + len(label)] = label
    return "".join(cells).rstrip()


def axis_marks(seconds: float, most: int) -> Iterator[tuple[float, str]]:
    """At most `most` round times from 0 to `seconds`, with their labels."""
    step = next((s for s in _STEPS if seconds / s < most), max(_STEPS[-1], seconds))
    for number in range(int(seconds / step) + 1):
        yield number * step, _label(number * step)


def _label(seconds: float) -> str:
    if seconds >= 120:
        return f"{seconds / 60:g}m"
    return f"{seconds:g}s" if seconds else "0"
