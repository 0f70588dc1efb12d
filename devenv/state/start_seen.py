"""A start as it was seen, step by step. Values only; the timeline is made from it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from devenv.compose.names import ServiceName
from devenv.state.containers import (
    ContainerId,
    Probe,
)
from devenv.values import dataclass, field


class StartOutcome(StrEnum):
    READY = "ready"
    FAILED = "failed"
    UNDER_WAY = "under way"


@dataclass(frozen=True, slots=True)
class BuildStepRun:
    """A step of an image build; times are seconds since the epoch."""

    key: str
    """What tells it from the build's other steps."""
    text: str
    """Such as `4/7 RUN npm ci`."""
    started_at: float
    ended_at: float | None = None
    cached: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Pull:
    """The pull of a service's image; times are seconds since the epoch."""

    image: str
    started_at: float
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """From one start of a container to its end; `finished_at` is None while it runs."""

    started_at: float
    finished_at: float | None = None
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class ContainerSeen:
    """What was seen of a container during a start."""

    created_at: float | None = None
    runs: tuple[Run, ...] = ()
    """Oldest first; of many restarts the first and the last ones."""
    probes: tuple[Probe, ...] = ()
    """Oldest first, bounded likewise."""
    healthy_at: float | None = None
    """The end of the probe that made its last run healthy."""


@dataclass(frozen=True, slots=True)
class ServiceSeen:
    """What was seen of a service during a start."""

    steps: tuple[BuildStepRun, ...] = ()
    pull: Pull | None = None
    containers: Mapping[ContainerId, ContainerSeen] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StartSeen:
    """A start as it was seen: what the timeline is made from."""

    started_at: float
    """Seconds since the epoch, when Compose was called."""
    wanted: frozenset[ServiceName]
    """The services that it should bring up, with those that they need."""
    services: Mapping[ServiceName, ServiceSeen] = field(default_factory=dict)
    outcome: StartOutcome = StartOutcome.UNDER_WAY
    ended_at: float | None = None
    """When Compose came to its end, well or not; some services may still become healthy."""
    closed: bool = False
    """It is over and recorded: what happens from now on is no part of it."""
