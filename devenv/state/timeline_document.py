"""A timeline as JSON values and back: what `devenv timeline --format json` prints, and what the
history keeps. Times are seconds from the start, with three decimals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devenv.compose.names import ServiceName
from devenv.state.start_seen import StartOutcome
from devenv.state.timeline_hooks import hook_to_json, parse_hook_time
from devenv.state.timeline_values import (
    PathPart,
    ProbeMark,
    ServiceTimeline,
    Span,
    SpanKind,
    Step,
    Timeline,
)

VERSION = 1


def timeline_to_json(timeline: Timeline) -> dict[str, Any]:
    """Shape: environment, profile, branch, started_at (seconds since the epoch), seconds, outcome,
    bound_seconds, services (each with spans, steps and probes), hooks, critical_path."""
    return {
        "version": VERSION,
        "environment": timeline.environment,
        "profile": timeline.profile,
        "branch": timeline.branch,
        "started_at": round(timeline.started_at, 3),
        "seconds": round(timeline.seconds, 3),
        "outcome": timeline.outcome.value,
        "bound_seconds": timeline.bound_seconds,
        "services": [_service_to_json(line) for line in timeline.services],
        "hooks": [hook_to_json(hook) for hook in timeline.hooks],
        "critical_path": [
            {
                "service": part.service,
                "kind": part.kind.value,
                "seconds": round(part.seconds, 3),
                "text": part.text,
            }
            for part in timeline.critical_path
        ],
    }


def _service_to_json(line: ServiceTimeline) -> dict[str, Any]:
    return {
        "service": line.service,
        "status": line.status,
        "kept": line.kept,
        "started": _round(line.started),
        "ready": _round(line.ready),
        "restarts": line.restarts,
        "spans": [
            {
                "kind": span.kind.value,
                "begin": _round(span.begin),
                "end": _round(span.end),
                "text": span.text,
                "on": span.on,
                "exit_code": span.exit_code,
                "cached": span.cached,
            }
            for span in line.spans
        ],
        "steps": [
            {
                "text": step.text,
                "begin": _round(step.begin),
                "seconds": _round(step.seconds),
                "cached": step.cached,
                "failed": step.failed,
            }
            for step in line.steps
        ],
        "probes": [
            {
                "begin": _round(probe.begin),
                "end": _round(probe.end),
                "exit_code": probe.exit_code,
                "output": probe.output,
            }
            for probe in line.probes
        ],
    }


def _round(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def parse_timeline(document: Mapping[str, Any]) -> Timeline:
    """The timeline that `timeline_to_json` gave.

    Raises KeyError, TypeError or ValueError for anything else.
    """
    if document["version"] != VERSION:
        raise ValueError(f"a timeline of version {document['version']}")
    return Timeline(
        environment=document["environment"],
        profile=document["profile"],
        branch=document["branch"],
        started_at=float(document["started_at"]),
        seconds=float(document["seconds"]),
        outcome=StartOutcome(document["outcome"]),
        services=tuple(_parse_service(line) for line in document["services"]),
        critical_path=tuple(
            PathPart(
                ServiceName(part["service"]), SpanKind(part["kind"]), part["seconds"], part["text"]
            )
            for part in document["critical_path"]
        ),
        bound_seconds=document["bound_seconds"],
        hooks=tuple(parse_hook_time(hook) for hook in document.get("hooks", ())),
    )


def _parse_service(line: Mapping[str, Any]) -> ServiceTimeline:
    return ServiceTimeline(
        service=ServiceName(line["service"]),
        spans=tuple(
            Span(
                SpanKind(span["kind"]),
                span["begin"],
                span["end"],
                span["text"],
                ServiceName(span["on"]) if span["on"] is not None else None,
                span["exit_code"],
                span["cached"],
            )
            for span in line["spans"]
        ),
        steps=tuple(Step(**step) for step in line["steps"]),
        probes=tuple(ProbeMark(**probe) for probe in line["probes"]),
        started=line["started"],
        ready=line["ready"],
        kept=line["kept"],
        restarts=line["restarts"],
        status=line["status"],
    )
