"""What is said of a timeline, in sentences that the terminal UI and the reports share. Pure."""

from __future__ import annotations

from devenv.state.start_seen import StartOutcome
from devenv.state.timeline_compare import Comparison, Difference
from devenv.state.timeline_values import PathPart, ServiceTimeline, SpanKind, Timeline

_KIND_WORDS = {
    SpanKind.PULL: "pulled",
    SpanKind.BUILD: "built",
    SpanKind.CREATE: "created",
    SpanKind.WAIT: "waited",
    SpanKind.START: "started",
    SpanKind.HEALTH: "became healthy",
    SpanKind.RUN: "ran",
}


def render_seconds(seconds: float) -> str:
    """`0.4 s`, `12.3 s`, `2 min 5 s`."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def render_outcome(timeline: Timeline) -> str:
    """How the start ended, or how long it has taken so far."""
    seconds = render_seconds(timeline.seconds)
    match timeline.outcome:
        case StartOutcome.READY:
            return f"ready in {seconds}" if timeline.started_any else "all of it ran already"
        case StartOutcome.FAILED:
            if not timeline.has_bars:
                return "failed before anything was started"
            return f"failed after {seconds}"
        case _:
            return f"under way for {seconds}"


def render_service(line: ServiceTimeline) -> str:
    """Where a service's time went: `built 2.1 s, waited 5.2 s for db healthy, …`."""
    if line.kept:
        return "ran already"
    if not line.spans:
        return "nothing yet" if line.status in ("waiting", "starting") else "not started"
    words = []
    for span in line.spans:
        if span.end is None and span.kind is SpanKind.WAIT and line.status == "stopped":
            words.append(f"not started: {span.text} never came")
            continue
        if span.end is None:
            words.append(_open_words(span.kind, span.text))
            continue
        seconds = span.end - span.begin
        if span.kind is SpanKind.WAIT:
            words.append(f"waited {render_seconds(seconds)} for {span.text}")
        elif span.kind is SpanKind.BUILD and span.cached:
            words.append(f"built from the cache in {render_seconds(seconds)}")
        elif span.kind is SpanKind.RUN:
            words.append(f"ran {render_seconds(seconds)}, exit code {span.exit_code}")
        elif seconds >= 0.05:
            words.append(f"{_KIND_WORDS[span.kind]} in {render_seconds(seconds)}")
    failing = sum(1 for probe in line.probes if probe.exit_code)
    if failing:
        words.append(f"{failing} of {len(line.probes)} probes failed")
    if line.restarts:
        words.append(f"restarted {line.restarts} {'time' if line.restarts == 1 else 'times'}")
    return ", ".join(words) or "started at once"


def _open_words(kind: SpanKind, text: str) -> str:
    match kind:
        case SpanKind.WAIT:
            return f"waits for {text}"
        case SpanKind.BUILD:
            return f"is being built: {text}" if text else "is being built"
        case SpanKind.PULL:
            return f"{text} is being pulled"
        case SpanKind.HEALTH:
            return "is not healthy yet"
        case _:
            return "is running"


def render_path(timeline: Timeline) -> str:
    """The critical path in one line; empty where nothing took time."""
    return " → ".join(_part_words(part) for part in timeline.critical_path)


def _part_words(part: PathPart) -> str:
    return f"{part.service} {part.kind.value} {render_seconds(part.seconds)}"


def render_bound(timeline: Timeline) -> str:
    """The checks' lower bound beside the real time; empty where there is none."""
    if timeline.bound_seconds is None or any(line.kept for line in timeline.services):
        return ""
    starts = [line.started for line in timeline.services if line.started is not None]
    if not starts or timeline.bound_seconds <= 0 or timeline.outcome is not StartOutcome.READY:
        return ""
    took = max(starts) - min(starts)
    return (
        f"from the first start to the last: {render_seconds(took)}; "
        f"the health checks' intervals alone make it at least "
        f"{render_seconds(timeline.bound_seconds)} (devenv graph --times)"
    )


def render_comparison(comparison: Comparison | None) -> tuple[str, ...]:
    """One line on the whole, then one for each noticeable difference."""
    if comparison is None:
        return ("There is no earlier start of the same services that ended well to compare with.",)
    starts = "1 earlier start" if comparison.starts == 1 else f"{comparison.starts} earlier starts"
    delta = comparison.seconds - comparison.usual_seconds
    word = "slower" if delta > 0 else "faster"
    lines = [
        f"{render_seconds(comparison.seconds)}; the median of {starts} is "
        f"{render_seconds(comparison.usual_seconds)} ({render_seconds(abs(delta))} {word})"
    ]
    lines += [_difference_words(one) for one in comparison.differences]
    if not comparison.differences:
        lines.append("no service differs noticeably")
    return tuple(lines)


def _difference_words(one: Difference) -> str:
    word = "slower" if one.delta > 0 else "faster"
    return (
        f"{one.service} {one.kind.value}: {render_seconds(one.seconds)}, usually "
        f"{render_seconds(one.usual_seconds)} ({render_seconds(abs(one.delta))} {word})"
    )
