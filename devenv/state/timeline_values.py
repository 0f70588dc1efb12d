"""A start as a timeline: its spans, steps, probes and critical path. Values only."""

from __future__ import annotations

from enum import StrEnum

from devenv.compose.names import ServiceName
from devenv.state.start_seen import StartOutcome
from devenv.state.timeline_hooks import HookTime
from devenv.values import dataclass

SHORT_SECONDS = 0.05
"""A wait below this is none: the engine's and Compose's own steps take as long."""


class SpanKind(StrEnum):
    """What a service's time was spent on."""

    PULL = "pull"
    BUILD = "build"
    CREATE = "create"
    WAIT = "wait"
    START = "start"
    HEALTH = "health"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time; `end` is None while it lasts."""

    kind: SpanKind
    begin: float
    end: float | None
    text: str = ""
    """The image, the step that took longest, or what is waited for."""
    on: ServiceName | None = None
    """The dependency that a wait is for."""
    exit_code: int | None = None
    """How a run ended."""
    cached: bool = False
    """A build of which every step came from the cache."""

    def seconds(self, now: float) -> float:
        """How long it is, or has been by `now`."""
        return max(0.0, (now if self.end is None else self.end) - self.begin)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a build. `seconds` is None while it runs."""

    text: str
    begin: float
    seconds: float | None
    cached: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class ProbeMark:
    """A run of the health check."""

    begin: float
    end: float
    exit_code: int
    output: str = ""


@dataclass(frozen=True, slots=True)
class ServiceTimeline:
    service: ServiceName
    spans: tuple[Span, ...] = ()
    steps: tuple[Step, ...] = ()
    probes: tuple[ProbeMark, ...] = ()
    started: float | None = None
    """When the last of its containers was started for the first time."""
    ready: float | None = None
    """When it was healthy, up (without a health check), or completed where others wait for that."""
    kept: bool = False
    """It ran already, and was left as it was."""
    restarts: int = 0
    status: str = ""
    """Its state in a word, when the start ended or by now."""


@dataclass(frozen=True, slots=True)
class PathPart:
    """A stretch of the critical path."""

    service: ServiceName
    kind: SpanKind
    seconds: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """One start."""

    environment: str
    profile: str | None
    branch: str | None
    started_at: float
    """Seconds since the epoch."""
    seconds: float
    """Until the last service was ready, or the start had failed; by now while it is under way."""
    outcome: StartOutcome
    services: tuple[ServiceTimeline, ...] = ()
    """In start order."""
    critical_path: tuple[PathPart, ...] = ()
    """What made the last service late, in the order of time."""
    bound_seconds: float | None = None
    """The lower bound that the checks reckon for a cold start; None where it is not known."""
    hooks: tuple[HookTime, ...] = ()
    """Those that ran before and after it."""

    @property
    def has_bars(self) -> bool:
        """Whether anything was pulled, built or started, so that there is something to draw."""
        spans = (span for service in self.services for span in service.spans)
        return any(span.kind is not SpanKind.WAIT for span in spans)

    @property
    def started_any(self) -> bool:
        """Whether a container was started; a start that failed before that has `has_bars` alone."""
        return any(line.started is not None and not line.kept for line in self.services)

    @property
    def is_telling(self) -> bool:
        """Whether it is worth keeping: not where all ran already, or nothing was begun."""
        return self.started_any or (self.outcome is StartOutcome.FAILED and self.has_bars)
