"""What the watch does for each service just now, or did last: one word and what belongs to it."""

from __future__ import annotations

from enum import StrEnum

from devenv.compose.names import ServiceName
from devenv.compose.watch.values import WatchAction
from devenv.state.watch import Activity, Hold, Outcome, Watch, WatchStatus
from devenv.state.watch_words import render_done, render_step, render_took
from devenv.values import dataclass, replace


class Phase(StrEnum):
    """How it stands with a service."""

    WATCHING = "watching"
    HOLDING = "holding for git"
    PAUSED = "paused"
    SYNCING = "syncing"
    BUILDING = "building"
    RECREATING = "recreating"
    RESTARTING = "restarting"
    DONE = "done"
    """Its last change has been brought in; the text says how."""
    FAILED = "failed"
    OFF = "not watched"


@dataclass(frozen=True, slots=True)
class WatchedService:
    """A service as the watch has it."""

    name: ServiceName
    phase: Phase
    text: str = ""
    """What the phase leaves out: the step, how many are held, `synced 3 files in 120 ms`."""
    activity: Activity | None = None
    """What it is about: under way, or the last one."""
    is_stale: bool = False
    """Whether recreating the container would bring old bytes back."""
    failed: Activity | None = None
    """A build that failed, after which other things were done."""


def resolve_watched(watch: Watch, now: float) -> tuple[WatchedService, ...]:
    """Each service that files go into, in the model's order; `now` in seconds since the epoch."""
    failures = watch.failures if watch.is_on else {}
    rows = []
    for name in watch.services:
        row, failed = _resolve(watch, name, now), failures.get(name)
        is_older = failed is not None and failed is not row.activity
        rows.append(replace(row, failed=failed) if is_older else row)
    return tuple(rows)


def _resolve(watch: Watch, name: ServiceName, now: float) -> WatchedService:
    about = [one for one in watch.activities if name in one.services]
    running = next((one for one in reversed(about) if one.outcome is Outcome.UNDER_WAY), None)
    last = about[-1] if about else None
    stale = name in watch.stale
    if not watch.is_on:
        return WatchedService(name, Phase.OFF, "", last, stale)
    if running is not None:
        took = render_took(now - running.began_at)
        step = render_step(running) if running.doing == "build" else ""
        text = ", ".join(part for part in (step, took, _next_words(watch, name)) if part)
        return WatchedService(name, _running_phase(running), text, running, stale)
    held = watch.held.get(name, 0)
    if watch.hold is Hold.GIT and held:
        return WatchedService(name, Phase.HOLDING, f"{held} held", last, stale)
    if watch.status is WatchStatus.PAUSED:
        return WatchedService(name, Phase.PAUSED, f"{held} held" if held else "", last, stale)
    if last is None:
        return WatchedService(name, Phase.WATCHING, _next_words(watch, name), None, stale)
    if last.outcome is Outcome.FAILED:
        problem = last.problem
        words = f"{problem.where}: " if problem is not None and problem.where else ""
        words += problem.message if problem is not None else ""
        return WatchedService(name, Phase.FAILED, words, last, stale)
    if last.outcome is Outcome.CANCELLED:
        return WatchedService(name, Phase.WATCHING, f"cancelled: {last.text}", last, stale)
    return WatchedService(name, Phase.DONE, render_done(last), last, stale)


def _running_phase(activity: Activity) -> Phase:
    if activity.doing == "recreate":
        return Phase.RECREATING
    match activity.action:
        case WatchAction.REBUILD:
            return Phase.BUILDING
        case WatchAction.RESTART:
            return Phase.RESTARTING
        case WatchAction.RELOAD:
            return Phase.RECREATING
        case _:
            return Phase.SYNCING


def _next_words(watch: Watch, name: ServiceName) -> str:
    queued = watch.queued.get(name)
    return f"then {queued.value}" if queued is not None else ""
