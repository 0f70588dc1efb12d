"""A timeline as one HTML page that needs nothing else: the picture, and a table of the same."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from devenv.report.timelines import svg
from devenv.report.timelines.text import render_title
from devenv.state.timeline_values import ServiceTimeline, Timeline
from devenv.state.timeline_words import render_seconds

_STYLE = (
    "body{font:14px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;"
    "color:#1f2328;background:#fff}svg{max-width:100%;height:auto}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d0d7de;vertical-align:top}"
    "td.n{text-align:right;white-space:nowrap}pre{margin:0;white-space:pre-wrap}"
)


def render(timeline: Timeline, comparison: Sequence[str] = (), *, width: int = 0) -> str:
    """One page; every text of the project is escaped."""
    del width
    rows = "\n".join(
        f"<tr><th>{escape(name)}</th><td>{escape(words)}</td></tr>"
        for name, words in svg.describe(timeline)
    )
    title = escape(render_title(timeline))
    parts = [
        "<!doctype html>",
        f"<html lang='en'><head><meta charset='utf-8'><title>{title}</title>",
        f"<style>{_STYLE}</style></head><body>",
        svg.render(timeline, comparison),
        f"<table>\n{rows}\n</table>",
        *(_steps(line) for line in timeline.services if line.steps),
        *(_probes(line) for line in timeline.services if line.probes),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _steps(line: ServiceTimeline) -> str:
    rows = "\n".join(
        f"<tr><td>{escape(step.text)}</td>"
        f"<td class='n'>{_step_seconds(step.seconds, cached=step.cached)}</td></tr>"
        for step in line.steps
    )
    return f"<h2>{escape(line.service)}: build</h2>\n<table>\n{rows}\n</table>"


def _step_seconds(seconds: float | None, *, cached: bool) -> str:
    if cached:
        return "cached"
    return "not ended" if seconds is None else render_seconds(seconds)


def _probes(line: ServiceTimeline) -> str:
    rows = "\n".join(
        f"<tr><td class='n'>{render_seconds(probe.begin)}</td>"
        f"<td class='n'>{render_seconds(probe.end - probe.begin)}</td>"
        f"<td>exit code {probe.exit_code}</td><td><pre>{escape(probe.output)}</pre></td></tr>"
        for probe in line.probes
    )
    return f"<h2>{escape(line.service)}: health check</h2>\n<table>\n{rows}\n</table>"
