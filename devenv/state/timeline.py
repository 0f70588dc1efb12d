"""A start as a timeline: for each service what took which time, and what it waited on.

Times are seconds from when Compose was called. A service's spans follow each other: its image is
pulled or built, its container made, it waits for a dependency, is started, and becomes healthy.
Pure; made from what `state/start.py` has seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from devenv.compose.graph import resolve_start_order
from devenv.compose.model import Condition, Service
from devenv.compose.names import ServiceName
from devenv.state.model import ServiceStatus, State
from devenv.state.start_seen import ContainerSeen, ServiceSeen, StartOutcome, StartSeen
from devenv.state.timeline_hooks import resolve_hook_times
from devenv.state.timeline_values import (
    SHORT_SECONDS,
    PathPart,
    ProbeMark,
    ServiceTimeline,
    Span,
    SpanKind,
    Step,
    Timeline,
)


def resolve_timeline(state: State, now: float) -> Timeline | None:
    """The timeline of the start that the state has seen; None where it has seen none.

    `now` is seconds since the epoch.
    """
    seen, project = state.start, state.project
    if seen is None or project is None:
        return None
    awaited = {
        edge.service
        for service in project.services.values()
        for edge in service.dependencies
        if edge.condition is Condition.COMPLETED
    }
    order = [name for wave in resolve_start_order(project.services).waves for name in wave]
    lines: dict[ServiceName, ServiceTimeline] = {}
    images = _last_image(seen)
    for name in [*order, *sorted(set(project.services) - set(order))]:
        if name in seen.wanted:
            service = project.services[name]
            shown = state.service(name)
            status = shown.status if shown is not None else ServiceStatus.STOPPED
            lines[name] = _resolve_service(
                service, seen, lines, status, images, must_complete=name in awaited
            )
    ended = seen.outcome is not StartOutcome.UNDER_WAY
    seconds = _end(lines.values(), seen) if ended else max(0.0, now - seen.started_at)
    return Timeline(
        environment=state.environment.name,
        profile=state.environment.profile,
        branch=state.environment.branch,
        started_at=seen.started_at,
        seconds=seconds,
        outcome=seen.outcome,
        services=tuple(lines.values()),
        critical_path=_critical_path(lines, seconds),
        bound_seconds=_bound(state),
        hooks=resolve_hook_times(state, seen),
    )


def _bound(state: State) -> float | None:
    bounds = state.checks.result.start_bounds if state.checks is not None else ()
    mine = (b for b in bounds if b.profile == state.environment.profile)
    return next((bound.seconds for bound in mine), None)


def _end(lines: Iterable[ServiceTimeline], seen: StartSeen) -> float:
    """When the last thing happened that belongs to the start."""
    ends = [line.ready for line in lines if line.ready is not None]
    if seen.outcome is StartOutcome.FAILED or not ends:
        ends += [span.end for line in lines for span in line.spans if span.end is not None]
        ends += [seen.ended_at - seen.started_at] if seen.ended_at is not None else []
    return max(ends, default=0.0)


def _resolve_service(
    service: Service,
    seen: StartSeen,
    before: Mapping[ServiceName, ServiceTimeline],
    status: ServiceStatus,
    images: tuple[float, ServiceName] | None,
    *,
    must_complete: bool,
) -> ServiceTimeline:
    """`before` holds the services that come earlier in the start order; `images` tells when the
    last image was there, and whose it is."""
    name, origin = service.name, seen.started_at
    mine = seen.services.get(name, ServiceSeen())
    containers = [c for c in mine.containers.values() if c.runs]
    new = [c for c in containers if c.runs[-1].started_at >= origin]
    spans, prepared = _image_spans(mine, origin)
    if containers and not new:
        return ServiceTimeline(
            name,
            tuple(spans),
            _steps(mine, origin),
            started=0.0,
            ready=0.0,
            kept=True,
            status=status.value,
        )
    created = _latest(c.created_at for c in mine.containers.values())
    if created is not None and created >= origin:
        begin = prepared
        if images is not None and images[0] - prepared >= SHORT_SECONDS:
            begin, owner = images
            spans.append(Span(SpanKind.WAIT, prepared, begin, f"{owner}'s image", owner))
        spans.append(Span(SpanKind.CREATE, begin, max(begin, created - origin)))
    started = _latest(_first_start(c, origin) for c in new)
    wait = _resolve_wait(service, before, spans[-1].end if spans else 0.0)
    if wait is not None and (started is None or wait.end is not None):
        spans.append(wait)
    if started is not None:
        begin = spans[-1].end if spans and spans[-1].end is not None else 0.0
        spans.append(Span(SpanKind.START, min(begin, started - origin), started - origin))
    ready = _add_running(spans, new, origin, status, must_complete=must_complete)
    return ServiceTimeline(
        service=name,
        spans=tuple(spans),
        steps=_steps(mine, origin),
        probes=tuple(
            ProbeMark(p.started_at - origin, p.ended_at - origin, p.exit_code, p.output)
            for container in new
            for p in container.probes
            if p.started_at >= origin
        ),
        started=started - origin if started is not None else None,
        ready=ready,
        restarts=sum(len([r for r in c.runs if r.started_at >= origin]) - 1 for c in new),
        status=status.value,
    )


def _image_spans(mine: ServiceSeen, origin: float) -> tuple[list[Span], float]:
    """Pull and build, and when the image was there."""
    spans: list[Span] = []
    if mine.pull is not None:
        end = mine.pull.ended_at
        spans.append(
            Span(
                SpanKind.PULL,
                mine.pull.started_at - origin,
                end - origin if end is not None else None,
                mine.pull.image,
            )
        )
    if mine.steps:
        begin = min(step.started_at for step in mine.steps) - origin
        ends = [step.ended_at for step in mine.steps if step.ended_at is not None]
        is_over = len(ends) == len(mine.steps)
        steps = [step for step in _steps(mine, origin) if step.seconds is not None]
        longest = max(steps, key=lambda step: step.seconds or 0.0, default=None)
        cached = any(step.cached for step in mine.steps) and not any(
            not step.cached and step.text.partition(" ")[2].startswith(("RUN", "COPY", "ADD"))
            for step in mine.steps
        )
        end = max(ends) - origin if is_over else None
        spans.append(
            Span(SpanKind.BUILD, begin, end, longest.text if longest else "", cached=cached)
        )
    return spans, max((span.end for span in spans if span.end is not None), default=0.0)


def _last_image(seen: StartSeen) -> tuple[float, ServiceName] | None:
    """When the last image was pulled or built, and whose it is: Compose makes no container before.

    None where there is none, or one is still being made.
    """
    last: tuple[float, ServiceName] | None = None
    for name, mine in seen.services.items():
        for span in _image_spans(mine, seen.started_at)[0]:
            if span.end is None:
                return None
            if last is None or span.end > last[0]:
                last = (span.end, name)
    return last


def _steps(mine: ServiceSeen, origin: float) -> tuple[Step, ...]:
    """The steps of the build, without the mark of the whole where there are others."""
    whole = [step for step in mine.steps if step.key == "image"]
    parts = [step for step in mine.steps if step.key != "image"]
    return tuple(
        Step(
            step.text,
            step.started_at - origin,
            step.ended_at - step.started_at if step.ended_at is not None else None,
            step.cached,
            step.failed,
        )
        for step in parts or whole
    )


def _first_start(container: ContainerSeen, origin: float) -> float:
    return min(run.started_at for run in container.runs if run.started_at >= origin)


def _latest(times: Iterable[float | None]) -> float | None:
    return max((time for time in times if time is not None), default=None)


def _resolve_wait(
    service: Service, before: Mapping[ServiceName, ServiceTimeline], begin: float | None
) -> Span | None:
    """The wait for the dependency that was met last; None where none took time.

    Spec: compose-spec 05-services.md#depends_on.
    """
    if begin is None:
        return None
    last: tuple[float, ServiceName, Condition] | None = None
    for edge in service.dependencies:
        other = before.get(edge.service)
        if other is None or not edge.required:
            continue
        met = other.started if edge.condition is Condition.STARTED else other.ready
        if met is None:
            text = f"{edge.service} {_CONDITION_WORDS[edge.condition]}"
            return Span(SpanKind.WAIT, begin, None, text, edge.service)
        if last is None or met > last[0]:
            last = (met, edge.service, edge.condition)
    if last is None or last[0] - begin < SHORT_SECONDS:
        return None
    met, name, condition = last
    return Span(SpanKind.WAIT, begin, met, f"{name} {_CONDITION_WORDS[condition]}", name)


_CONDITION_WORDS = {
    Condition.STARTED: "started",
    Condition.HEALTHY: "healthy",
    Condition.COMPLETED: "completed",
}


def _add_running(
    spans: list[Span],
    containers: list[ContainerSeen],
    origin: float,
    status: ServiceStatus,
    *,
    must_complete: bool,
) -> float | None:
    """Append the runs and the way to healthy; when the service was ready, or None."""
    readies: list[float | None] = []
    for container in containers:
        runs = [run for run in container.runs if run.started_at >= origin]
        for run in runs:
            if run.finished_at is not None:
                spans.append(
                    Span(
                        SpanKind.RUN,
                        run.started_at - origin,
                        run.finished_at - origin,
                        exit_code=run.exit_code,
                    )
                )
        last = runs[-1]
        begin = last.started_at - origin
        if container.healthy_at is not None and not must_complete:
            end = max(begin, container.healthy_at - origin)
            spans.append(Span(SpanKind.HEALTH, begin, end))
            readies.append(end)
        elif last.finished_at is not None:
            good = last.exit_code == 0
            readies.append(last.finished_at - origin if good else None)
        elif must_complete:
            spans.append(Span(SpanKind.RUN, begin, None))
            readies.append(None)
        elif container.probes or status is ServiceStatus.STARTING:
            is_bad = status is ServiceStatus.UNHEALTHY and container.probes
            end_bad = container.probes[-1].ended_at - origin if is_bad else None
            spans.append(Span(SpanKind.HEALTH, begin, end_bad))
            readies.append(None)
        else:
            readies.append(begin)
    known = [ready for ready in readies if ready is not None]
    return max(known) if known and len(known) == len(readies) else None


def _critical_path(
    lines: Mapping[ServiceName, ServiceTimeline], now: float
) -> tuple[PathPart, ...]:
    """From the service that was ready last back over what each one waited on."""
    moving = [line for line in lines.values() if not line.kept and line.spans]
    if not moving:
        return ()
    name: ServiceName | None = max(
        moving, key=lambda line: line.ready if line.ready is not None else now
    ).service
    parts: list[PathPart] = []
    only_image = False
    while name is not None and name in lines:
        following: ServiceName | None = None
        created = False
        for span in reversed(lines[name].spans):
            if only_image and span.kind not in _IMAGE_KINDS:
                continue
            if span.kind is SpanKind.WAIT and span.on is not None:
                following, only_image = span.on, created
                break
            created = created or span.kind is SpanKind.CREATE
            seconds = span.seconds(now)
            if seconds >= SHORT_SECONDS:
                parts.append(PathPart(name, span.kind, seconds, span.text))
        name = following
    return tuple(reversed(parts))


_IMAGE_KINDS = frozenset({SpanKind.PULL, SpanKind.BUILD})
