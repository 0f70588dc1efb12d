"""Earlier starts, in devenv's memory: kept per project directory, environment and profile."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from statistics import median

from devenv.host.memory import Memory
from devenv.state.start_seen import StartOutcome
from devenv.state.timeline_compare import usual_kinds
from devenv.state.timeline_document import parse_timeline, timeline_to_json
from devenv.state.timeline_values import SpanKind, Timeline

MAX_STARTS = 200
"""How many starts of one project are kept; the oldest go."""
USUAL_STARTS = 20
"""How many earlier starts a median is made of."""


def record_start(memory: Memory, directory: str, timeline: Timeline) -> bool:
    """Keep a start; whether it was kept."""
    kept = memory.write(
        "INSERT INTO starts (directory, environment, profile, branch, started_at, seconds, "
        "outcome, timeline) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            directory,
            timeline.environment,
            timeline.profile,
            timeline.branch,
            timeline.started_at,
            timeline.seconds,
            timeline.outcome.value,
            json.dumps(timeline_to_json(timeline), ensure_ascii=False),
        ),
    )
    memory.write(
        "DELETE FROM starts WHERE directory = ? AND id NOT IN "
        "(SELECT id FROM starts WHERE directory = ? ORDER BY started_at DESC, id DESC LIMIT ?)",
        (directory, directory, MAX_STARTS),
    )
    return kept


def load_starts(memory: Memory, directory: str, count: int = MAX_STARTS) -> list[Timeline]:
    """The last starts of a project, the newest first; what cannot be read is left out."""
    rows = memory.read(
        "SELECT timeline FROM starts WHERE directory = ? ORDER BY started_at DESC, id DESC LIMIT ?",
        (directory, count),
    )
    found = []
    for (text,) in rows:
        with contextlib.suppress(KeyError, TypeError, ValueError):
            found.append(parse_timeline(json.loads(text)))
    return found


def select_comparable(timeline: Timeline, starts: Sequence[Timeline]) -> list[Timeline]:
    """The starts before `timeline` with its profile that started the same services, newest first.

    One that found half of them running took less time for another reason.
    """
    mine = _started(timeline)
    return [
        one
        for one in starts
        if one.started_at < timeline.started_at
        and one.profile == timeline.profile
        and _started(one) == mine
    ][:USUAL_STARTS]


def _started(timeline: Timeline) -> set[str]:
    return {line.service for line in timeline.services if not line.kept}


def usual_start_seconds(starts: Sequence[Timeline]) -> dict[str, float]:
    """Service name to its usual seconds from its container's start to healthy."""
    good = [one for one in starts if one.outcome is StartOutcome.READY][:USUAL_STARTS]
    return {
        service: seconds
        for (service, kind), seconds in usual_kinds(good).items()
        if kind is SpanKind.HEALTH and seconds > 0
    }


def usual_seconds(starts: Sequence[Timeline]) -> float | None:
    """How long a start usually takes; None where none has ended well."""
    good = [one.seconds for one in starts if one.outcome is StartOutcome.READY][:USUAL_STARTS]
    return median(good) if good else None
