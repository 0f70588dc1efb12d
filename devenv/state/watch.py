"""The watch of the sources as values: how it stands, what it did, and where the time went.

What happens comes as events of `watch_events`; `see_watch` there is the one that changes these.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from devenv.compose.names import ServiceName
from devenv.compose.watch.values import WatchAction
from devenv.state.model import Problem
from devenv.state.start_seen import BuildStepRun
from devenv.values import dataclass, field, replace

KEPT_ACTIVITIES = 100
"""How many activities are remembered; those under way are never forgotten."""
KEPT_CAUSES = 20
"""How many changes of one activity are kept with their reasons."""
KEPT_NOTES = 20


class WatchStatus(StrEnum):
    """How the watch as a whole stands."""

    WAITING = "waiting"
    """For the first start to end well."""
    ON = "on"
    PAUSED = "paused"
    OFF = "off"
    """Not wanted: `--no-watch`, `[watch] mode = "off"`."""
    TAKEN = "taken"
    """Another devenv watches the environment; `pid` is its process."""
    FAILED = "failed"


class Hold(StrEnum):
    """Why changes are only collected."""

    GIT = "git"
    PAUSE = "pause"


class Outcome(StrEnum):
    UNDER_WAY = "under way"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Part(StrEnum):
    """What the time of an activity goes to, in the order in which it passes."""

    NOTICE = "debounce"
    """From the save until the watch began with it: the wait for more of them, and the plan."""
    CONTEXT = "context"
    """From the call of the builder to its first step: reading and sending the context."""
    BUILD = "build steps"
    COPY = "copy"
    STOP = "stop"
    """From the stop signal to the container's end: what a PID 1 that ignores it takes."""
    CREATE = "create"
    """What creating and starting a container takes besides."""
    START = "start"
    """What a restart takes besides, and the copying before it."""
    HEALTH = "health"
    """From the start until the health check passed."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A changed file, what was done about it, and the line that decided."""

    path: str
    """Relative to the project directory where it lies below it."""
    action: WatchAction
    reason: str
    target: str | None = None
    """Its path in the container."""
    where: str | None = None
    """Such as `compose.yaml:8`."""
    line: str | None = None
    """What stands there."""


@dataclass(frozen=True, slots=True)
class Activity:
    """One thing that the watch did, or is doing."""

    number: int
    """Counts up while the watch runs."""
    action: WatchAction
    services: tuple[ServiceName, ...]
    """The one that it was planned for first, others that share its image after it; empty: the
    model as a whole."""
    began_at: float
    """Seconds since the epoch."""
    causes: tuple[Cause, ...] = ()
    """At most `KEPT_CAUSES`, in the order of their paths; empty: a person asked for it."""
    count: int = 0
    """How many files changed."""
    outcome: Outcome = Outcome.UNDER_WAY
    seconds: float | None = None
    """How long it took; None while it is under way, and where it took nothing."""
    text: str = ""
    """What else is to be said: why it became a rebuild, the keys that differ."""
    doing: str = ""
    """What is under way in it: `build`, `recreate`, …"""
    steps: tuple[BuildStepRun, ...] = ()
    """Of its build, in the order in which they began."""
    parts: Mapping[Part, float] = field(default_factory=dict)
    """Seconds; only what was measured."""
    problem: Problem | None = None
    """Why it failed."""

    @property
    def service(self) -> ServiceName | None:
        """The service that it was planned for; None: the model."""
        return self.services[0] if self.services else None

    @property
    def is_build(self) -> bool:
        """Whether an image is built in it."""
        return self.action is WatchAction.REBUILD

    @property
    def step(self) -> BuildStepRun | None:
        """The step that began last and has not ended, the build as a whole apart."""
        running = [one for one in self.steps if one.ended_at is None and one.key != WHOLE]
        return running[-1] if running else None


WHOLE = "image"
"""The key of the step that stands for the whole build."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something to know about the watch of a service, or of all (None); said once."""

    service: ServiceName | None
    rule: str
    """What kind it is: `stop-ignored`, `not-writable`, `no-watches`, …"""
    message: str
    fix: str | None = None
    where: str | None = None
    """Such as `app/Dockerfile:12`."""


@dataclass(frozen=True, slots=True)
class Watch:
    """The watch as it is shown."""

    status: WatchStatus = WatchStatus.WAITING
    text: str = ""
    """Why it is off, or how it failed."""
    pid: int | None = None
    """The process that watches instead."""
    files: int = 0
    """How many files are watched."""
    services: tuple[ServiceName, ...] = ()
    """Those that files of this machine go into, in the model's order."""
    hold: Hold | None = None
    held: Mapping[ServiceName | None, int] = field(default_factory=dict)
    """How many changes are held for each service; None: of the model's own files."""
    held_files: int = 0
    """How many files those are."""
    queued: Mapping[ServiceName, WatchAction] = field(default_factory=dict)
    """What is done for a service next, after what is under way for it."""
    stale: frozenset[ServiceName] = frozenset()
    """Services whose image lacks what was synced into their containers."""
    activities: tuple[Activity, ...] = ()
    """Oldest first, bounded."""
    notes: tuple[Note, ...] = ()

    @property
    def is_on(self) -> bool:
        """Whether it can be asked for anything."""
        return self.status in (WatchStatus.ON, WatchStatus.PAUSED)

    @property
    def applies_models(self) -> bool:
        """Whether a model that changes is brought up by the watch."""
        return self.status is WatchStatus.ON

    @property
    def building(self) -> tuple[Activity, ...]:
        """The builds that are under way."""
        return tuple(
            one for one in self.activities if one.is_build and one.outcome is Outcome.UNDER_WAY
        )

    @property
    def failures(self) -> dict[ServiceName, Activity]:
        """What stands as failed for a service: its last activity, or a build that none that
        succeeded has followed."""
        builds: dict[ServiceName, Activity] = {}
        last: dict[ServiceName, Activity] = {}
        for one in self.activities:
            if one.outcome in (Outcome.DONE, Outcome.FAILED):
                known = builds if one.is_build else last
                known.update(dict.fromkeys(one.services, one))
        failed = {**last, **builds}
        for name, build in builds.items():
            if build.outcome is Outcome.DONE and name in last and build.number < last[name].number:
                failed[name] = last[name]
        return {name: one for name, one in failed.items() if one.outcome is Outcome.FAILED}

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way."""
        return any(one.outcome is Outcome.UNDER_WAY for one in self.activities)

    def can_cancel(self, service: ServiceName | None) -> bool:
        """Whether a build of a service, or of any (None), runs or comes next."""
        running = any(service in (None, *one.services) for one in self.building)
        rebuild = WatchAction.REBUILD
        return running or any(
            action is rebuild and service in (None, name) for name, action in self.queued.items()
        )

    def find(self, number: int) -> Activity | None:
        """The activity of that number, if it is remembered."""
        return next((one for one in reversed(self.activities) if one.number == number), None)


def keep_activity(watch: Watch, activity: Activity) -> Watch:
    """The watch with an activity added, or replaced where it is known; old ones are forgotten.

    Of a file that is live each time it is saved only the last time is kept.
    """
    known = watch.activities
    if activity.action is WatchAction.LIVE:
        known = tuple(one for one in known if not _is_same_live(one, activity))
    if any(one.number == activity.number for one in known):
        kept = tuple(activity if one.number == activity.number else one for one in known)
    else:
        kept = (*known, activity)
    surplus = len(kept) - KEPT_ACTIVITIES
    if surplus > 0:
        over = [one.number for one in kept if one.outcome is not Outcome.UNDER_WAY][:surplus]
        kept = tuple(one for one in kept if one.number not in over)
    return replace(watch, activities=kept)


def _is_same_live(one: Activity, other: Activity) -> bool:
    return (
        one.action is WatchAction.LIVE
        and one.number != other.number
        and one.services == other.services
        and [cause.path for cause in one.causes] == [cause.path for cause in other.causes]
    )
