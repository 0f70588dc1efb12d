"""What the watch tells while it runs, as events, and what each makes of the `Watch`. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from devenv.compose.names import ServiceName
from devenv.compose.watch.values import WatchAction
from devenv.state.watch import (
    KEPT_NOTES,
    Activity,
    Hold,
    Note,
    Outcome,
    Watch,
    WatchStatus,
    keep_activity,
)
from devenv.values import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class WatchTurned:
    """The watch as a whole stands otherwise now."""

    at: float
    """Seconds since the epoch, as in all events."""
    status: WatchStatus
    text: str = ""
    pid: int | None = None
    files: int = 0
    services: tuple[ServiceName, ...] = ()


@dataclass(frozen=True, slots=True)
class WatchHeld:
    """Changes are only collected, so many by now; `hold` None: no longer."""

    at: float
    hold: Hold | None
    counts: Mapping[ServiceName | None, int] = field(default_factory=dict)
    files: int = 0


@dataclass(frozen=True, slots=True)
class ActivityBegan:
    at: float
    activity: Activity


@dataclass(frozen=True, slots=True)
class ActivityWent:
    """An activity came further: a step of its build, what it does now, a part's time."""

    at: float
    activity: Activity


@dataclass(frozen=True, slots=True)
class ActivityEnded:
    at: float
    activity: Activity


@dataclass(frozen=True, slots=True)
class WatchNoted:
    at: float
    note: Note


@dataclass(frozen=True, slots=True)
class WorkQueued:
    """What comes next for each service, all of them."""

    at: float
    queued: Mapping[ServiceName, WatchAction]


@dataclass(frozen=True, slots=True)
class ImagesStale:
    """The services whose image lacks what was synced, all of them."""

    at: float
    services: frozenset[ServiceName]


WatchEvent = (
    WatchTurned
    | WatchHeld
    | ActivityBegan
    | ActivityWent
    | ActivityEnded
    | WatchNoted
    | WorkQueued
    | ImagesStale
)


def see_watch(watch: Watch | None, event: WatchEvent) -> Watch:
    """The watch after an event."""
    watch = watch or Watch()
    match event:
        case WatchTurned():
            return _turn(watch, event)
        case WatchHeld(_, hold, counts, files):
            status = watch.status
            if status in (WatchStatus.ON, WatchStatus.PAUSED):
                status = WatchStatus.PAUSED if hold is Hold.PAUSE else WatchStatus.ON
            return replace(watch, status=status, hold=hold, held=counts, held_files=files)
        case ActivityBegan(_, activity) | ActivityWent(_, activity) | ActivityEnded(_, activity):
            return keep_activity(watch, activity)
        case WatchNoted(_, note):
            others = tuple(
                one for one in watch.notes if (one.service, one.rule) != (note.service, note.rule)
            )
            return replace(watch, notes=(*others, note)[-KEPT_NOTES:])
        case WorkQueued(_, queued):
            return replace(watch, queued=queued)
        case ImagesStale(_, services):
            return replace(watch, stale=services)


def _turn(watch: Watch, event: WatchTurned) -> Watch:
    """What is under way when the watch ends has no end of its own."""
    turned = replace(
        watch,
        status=event.status,
        text=event.text,
        pid=event.pid,
        files=event.files,
        services=event.services or watch.services,
    )
    if event.status in (WatchStatus.ON, WatchStatus.PAUSED):
        return turned
    ended = tuple(
        replace(one, outcome=Outcome.CANCELLED) if one.outcome is Outcome.UNDER_WAY else one
        for one in watch.activities
    )
    return replace(turned, activities=ended, hold=None, held={}, held_files=0, queued={})
