"""A timeline as an SVG picture, readable on light and dark pages. No scripts, no fonts to load."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from html import escape

from devenv.report.timelines.text import render_title
from devenv.state.timeline_chart import axis_marks
from devenv.state.timeline_hooks import render_hook_time
from devenv.state.timeline_values import ServiceTimeline, Span, SpanKind, Timeline
from devenv.state.timeline_words import (
    render_bound,
    render_path,
    render_seconds,
    render_service,
)

COLOURS = {
    SpanKind.PULL: "#8250df",
    SpanKind.BUILD: "#bf8700",
    SpanKind.CREATE: "#8c959f",
    SpanKind.WAIT: "#d0d7de",
    SpanKind.START: "#54aeff",
    SpanKind.HEALTH: "#1a7f37",
    SpanKind.RUN: "#0969da",
}
_WIDTH = 960
_ROW = 30
_TOP = 64
_LEFT_MIN = 90
_CHARACTER = 7.3
_FONT = "font-family='ui-monospace, DejaVu Sans Mono, Menlo, monospace' font-size='12'"


def render(timeline: Timeline, comparison: Sequence[str] = (), *, width: int = 0) -> str:
    """One picture; its height follows the number of services."""
    del width
    hooks = [render_hook_time(hook) for hook in timeline.hooks]
    said = (_path_note(timeline), render_bound(timeline), *hooks, *comparison)
    notes = [text for text in said if text]
    wrapped = [part for note in notes for part in _wrap(note)]
    height = _TOP + _ROW * len(timeline.services) + 44 + 18 * len(wrapped)
    lines = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {height}' "
        f"width='{_WIDTH}' height='{height}' role='img' {_FONT}>",
        f"<title>{escape(render_title(timeline))}</title>",
        f"<rect width='{_WIDTH}' height='{height}' fill='#ffffff'/>",
        f"<text x='12' y='24' fill='#1f2328' font-weight='bold'>"
        f"{escape(render_title(timeline))}</text>",
        *_rows(timeline),
        *_legend(timeline, _TOP + _ROW * len(timeline.services) + 22),
    ]
    top = _TOP + _ROW * len(timeline.services) + 50
    lines += [
        f"<text x='12' y='{top + 18 * index}' fill='#1f2328'>{escape(text)}</text>"
        for index, text in enumerate(wrapped)
    ]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _path_note(timeline: Timeline) -> str:
    path = render_path(timeline)
    return f"critical path: {path}" if path else ""


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, int((_WIDTH - 24) / _CHARACTER), break_long_words=False)


def _rows(timeline: Timeline) -> Iterator[str]:
    longest = max((len(line.service) for line in timeline.services), default=0)
    left = max(_LEFT_MIN, 30 + longest * _CHARACTER)
    scale = (_WIDTH - left - 40) / max(timeline.seconds, 0.001)
    bottom = _TOP + _ROW * len(timeline.services)
    for seconds, label in axis_marks(timeline.seconds, 12):
        x = left + seconds * scale
        yield f"<line x1='{x:.1f}' y1='{_TOP - 8}' x2='{x:.1f}' y2='{bottom}' stroke='#eaeef2'/>"
        yield (
            f"<text x='{x:.1f}' y='{_TOP - 14}' fill='#59636e' text-anchor='middle'>{label}</text>"
        )
    critical = {part.service for part in timeline.critical_path}
    for index, line in enumerate(timeline.services):
        y = _TOP + index * _ROW
        weight = "bold" if line.service in critical else "normal"
        yield (
            f"<text x='12' y='{y + 17}' fill='#1f2328' font-weight='{weight}'>"
            f"{escape(line.service)}</text>"
        )
        yield from _bar(line, timeline.seconds, left, scale, y)


def _bar(line: ServiceTimeline, now: float, left: float, scale: float, y: float) -> Iterator[str]:
    if line.kept:
        yield f"<text x='{left + 4:.1f}' y='{y + 17}' fill='#59636e'>ran already</text>"
    for span in line.spans:
        yield _rect(span, now, left, scale, y)
    for probe in line.probes:
        colour = "#cf222e" if probe.exit_code else "#ffffff"
        x = left + probe.begin * scale
        width = max(1.5, (probe.end - probe.begin) * scale)
        yield (
            f"<rect x='{x:.1f}' y='{y + 9}' width='{width:.1f}' height='6' fill='{colour}'>"
            f"<title>probe: exit code {probe.exit_code}, "
            f"{render_seconds(probe.end - probe.begin)} {escape(probe.output)}</title></rect>"
        )
    if line.ready is not None and not line.kept:
        x = left + line.ready * scale
        yield f"<text x='{x + 4:.1f}' y='{y + 17}' fill='#1a7f37'>✓</text>"
    elif any(span.exit_code for span in line.spans):
        end = max(span.end or 0.0 for span in line.spans)
        yield f"<text x='{left + end * scale + 4:.1f}' y='{y + 17}' fill='#cf222e'>✗</text>"


def _rect(span: Span, now: float, left: float, scale: float, y: float) -> str:
    width = max(1.0, span.seconds(now) * scale)
    colour = "#cf222e" if span.exit_code else COLOURS[span.kind]
    what = f"{span.kind.value} {render_seconds(span.seconds(now))} {span.text}".strip()
    return (
        f"<rect x='{left + span.begin * scale:.1f}' y='{y + 4}' width='{width:.1f}' height='16' "
        f"rx='2' fill='{colour}'><title>{escape(what)}</title></rect>"
    )


def _legend(timeline: Timeline, y: float) -> Iterator[str]:
    used = {span.kind for line in timeline.services for span in line.spans}
    x = 12.0
    for kind in SpanKind:
        if kind in used:
            yield f"<rect x='{x:.0f}' y='{y - 10}' width='12' height='12' fill='{COLOURS[kind]}'/>"
            yield f"<text x='{x + 18:.0f}' y='{y}' fill='#59636e'>{kind.value}</text>"
            x += 36 + len(kind.value) * _CHARACTER


def describe(timeline: Timeline) -> list[tuple[str, str]]:
    """Each service with where its time went, for pages around the picture."""
    return [(line.service, render_service(line)) for line in timeline.services]
