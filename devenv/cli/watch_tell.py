"""Turns what the watch does into events: numbers its activities, and names paths and lines."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from devenv.compose.names import ServiceName
from devenv.compose.watch.values import Place, PlannedChange, WatchAction
from devenv.engine.problems import to_problem
from devenv.errors import DevenvError
from devenv.state.model import Problem
from devenv.state.start_seen import BuildStepRun
from devenv.state.text import sanitize
from devenv.state.watch import KEPT_CAUSES, Activity, Cause, Note, Outcome, Part
from devenv.state.watch_events import (
    ActivityBegan,
    ActivityEnded,
    ActivityWent,
    WatchEvent,
    WatchNoted,
)
from devenv.values import replace

Tell = Callable[[WatchEvent], None]
"""Takes each event as it comes; must not wait."""
MAX_LINE = 200
"""How much of a deciding line is kept."""


class Doing:
    """An activity under way: each method tells what has become of it."""

    def __init__(self, tell: Tell, activity: Activity) -> None:
        self._tell = tell
        self._started = time.monotonic()
        self.activity = activity

    @property
    def elapsed(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self._started

    def begin(self) -> None:
        """Say that it has begun."""
        self._tell(ActivityBegan(time.time(), self.activity))

    def becomes(self, action: WatchAction, why: str) -> None:
        """Something else has to be done than was planned."""
        self.activity = replace(self.activity, action=action, text=why)
        self.begin()

    def restarts(self) -> None:
        """The sync of some files is followed by a restart that others ask for."""
        self._go(replace(self.activity, action=WatchAction.SYNC_RESTART))

    def does(self, what: str, services: Sequence[ServiceName] = ()) -> None:
        """Say what is under way in it now, and for which services."""
        services = tuple(services) or self.activity.services
        self._go(replace(self.activity, doing=what, services=services))

    def steps(self, step: BuildStepRun) -> None:
        """A step of the build began or ended."""
        known = self.activity.steps
        if any(one.key == step.key for one in known):
            steps = tuple(step if one.key == step.key else one for one in known)
        else:
            steps = (*known, step)
        self._go(replace(self.activity, steps=steps))

    def took(self, parts: Mapping[Part, float]) -> None:
        """What parts of it took, in seconds; also after its end."""
        self._go(replace(self.activity, parts={**self.activity.parts, **parts}))

    def end(self, text: str = "", *, is_timed: bool = True) -> None:
        """It is done."""
        seconds = self.elapsed if is_timed else None
        text = ", ".join(part for part in (self.activity.text, text) if part)
        self._end(Outcome.DONE, text=text, seconds=seconds)

    def fail(self, problem: Problem) -> None:
        """It failed; what runs is as it was."""
        seconds = self.elapsed
        self._end(Outcome.FAILED, problem=problem, seconds=seconds)

    def cancel(self, text: str) -> None:
        """It was given up before its end."""
        self._end(Outcome.CANCELLED, text=text, seconds=self.elapsed)

    def _end(
        self,
        outcome: Outcome,
        *,
        text: str = "",
        problem: Problem | None = None,
        seconds: float | None = None,
    ) -> None:
        self.activity = replace(
            self.activity, outcome=outcome, text=text, problem=problem, seconds=seconds, doing=""
        )
        self._tell(ActivityEnded(time.time(), self.activity))

    def _go(self, activity: Activity) -> None:
        self.activity = activity
        self._tell(ActivityWent(time.time(), activity))


class Teller:
    """Numbers the activities of one watch and tells them."""

    def __init__(self, tell: Tell, directory: Path) -> None:
        self.tell = tell
        self._directory = directory
        self._number = 0
        self._noted: set[tuple[ServiceName | None, str]] = set()

    def start(
        self,
        action: WatchAction,
        services: Sequence[ServiceName],
        changes: Sequence[PlannedChange] = (),
        noticed: Mapping[Part, float] | None = None,
    ) -> Doing:
        """A new activity; `begin` says so."""
        self._number += 1
        paths = {change.path for change in changes}
        causes = tuple(self._to_cause(change) for change in changes[:KEPT_CAUSES])
        return Doing(
            self.tell,
            Activity(
                number=self._number,
                action=action,
                services=tuple(services),
                began_at=time.time(),
                causes=causes,
                count=len(paths),
                parts=dict(noticed or {}),
            ),
        )

    def note(
        self,
        service: ServiceName | None,
        rule: str,
        message: str,
        *,
        fix: str | None = None,
        where: Place | None = None,
        again: bool = False,
    ) -> None:
        """Say something to know, once for each service and rule unless `again`."""
        if (service, rule) in self._noted and not again:
            return
        self._noted.add((service, rule))
        place = self.place(where) if where is not None else None
        self.tell(WatchNoted(time.time(), Note(service, rule, message, fix, place)))

    def to_problem(self, error: DevenvError) -> Problem:
        """The error as a problem, its place relative to the project."""
        problem = to_problem(error)
        if error.source is None:
            return problem
        place = Place(str(error.source.path), error.source.line)
        return replace(problem, where=self.place(place))

    def name(self, path: str) -> str:
        """A path as it is shown: relative to the project directory where it lies below it."""
        one = Path(path)
        directory = self._directory
        return str(one.relative_to(directory)) if one.is_relative_to(directory) else path

    def place(self, place: Place) -> str:
        """Such as `app/Dockerfile:12`."""
        line = f":{place.line}" if place.line is not None else ""
        return sanitize(f"{self.name(place.path)}{line}")

    def _to_cause(self, change: PlannedChange) -> Cause:
        because = change.because
        return Cause(
            path=sanitize(self.name(change.path)),
            action=change.action,
            reason=change.reason,
            target=change.target,
            where=self.place(because) if because is not None else None,
            line=load_line(because) if because is not None else None,
        )


def load_line(place: Place) -> str | None:
    """The text of a deciding line, shortened and harmless; None where it cannot be read."""
    if place.line is None:
        return None
    try:
        with Path(place.path).open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if number == place.line:
                    return sanitize(line.strip())[:MAX_LINE]
                if number > place.line:
                    break
    except OSError:
        return None
    return None
