"""What became slower: a start against the median of earlier ones. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from devenv.compose.names import ServiceName
from devenv.state.start_seen import StartOutcome
from devenv.state.timeline_values import SpanKind, Timeline
from devenv.values import dataclass

NOTICEABLE_SECONDS = 0.2
NOTICEABLE_SHARE = 0.1
"""A difference below either of these is noise."""
COMPARED = (
    SpanKind.PULL,
    SpanKind.BUILD,
    SpanKind.CREATE,
    SpanKind.START,
    SpanKind.HEALTH,
    SpanKind.RUN,
)
"""Waits are left out: what a service waits for shows at the one that it waits for."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One kind of time of one service, now and usually, in seconds."""

    service: ServiceName
    kind: SpanKind
    seconds: float
    usual_seconds: float
    text: str = ""

    @property
    def delta(self) -> float:
        """How much longer it took than usual."""
        return self.seconds - self.usual_seconds

    @property
    def is_noticeable(self) -> bool:
        """Whether the difference is more than noise."""
        return abs(self.delta) >= max(
            NOTICEABLE_SECONDS, NOTICEABLE_SHARE * max(self.usual_seconds, self.seconds)
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    seconds: float
    usual_seconds: float
    starts: int
    """How many earlier starts the medians are of."""
    differences: tuple[Difference, ...] = ()
    """The noticeable ones, what became slowest first."""


def compare_timelines(timeline: Timeline, earlier: Sequence[Timeline]) -> Comparison | None:
    """A start against those that ended well before it; None where there was none."""
    good = [one for one in earlier if one.outcome is StartOutcome.READY]
    if not good:
        return None
    now = _kinds(timeline)
    usual = usual_kinds(good)
    found = [
        Difference(*key, now.get(key, 0.0), usual.get(key, 0.0))
        for key in sorted(now.keys() | usual.keys())
        if key[1] in COMPARED and key[0] in {line.service for line in timeline.services}
    ]
    noticeable = sorted((d for d in found if d.is_noticeable), key=lambda d: -d.delta)
    return Comparison(
        timeline.seconds, median(one.seconds for one in good), len(good), tuple(noticeable)
    )


def usual_kinds(timelines: Sequence[Timeline]) -> dict[tuple[ServiceName, SpanKind], float]:
    """The median seconds of each kind of time, over the starts in which the service was started.

    A kind that a start has not got counts as 0 there: a build that is mostly cached is short.
    """
    each: dict[tuple[ServiceName, SpanKind], list[float]] = {}
    ran: dict[ServiceName, int] = {}
    for timeline in timelines:
        for line in timeline.services:
            if not line.kept:
                ran[line.service] = ran.get(line.service, 0) + 1
        for key, seconds in _kinds(timeline).items():
            each.setdefault(key, []).append(seconds)
    return {
        key: median([*values, *([0.0] * (ran.get(key[0], 0) - len(values)))])
        for key, values in each.items()
    }


def _kinds(timeline: Timeline) -> dict[tuple[ServiceName, SpanKind], float]:
    found: dict[tuple[ServiceName, SpanKind], float] = {}
    for line in timeline.services:
        for span in line.spans:
            key = (line.service, span.kind)
            found[key] = found.get(key, 0.0) + span.seconds(timeline.seconds)
    return found
