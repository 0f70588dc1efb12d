"""What a sync is asked for, and how it went."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from devenv.engine.exec_api import ExecResult
from devenv.values import dataclass, field


@dataclass(frozen=True, slots=True)
class Change:
    """A path of the disk, and where it is in the container; both absolute."""

    source: str
    target: str


class After(StrEnum):
    """What follows a sync. Spec: compose-spec develop.md, action."""

    NOTHING = "sync"
    RESTART = "sync+restart"
    EXEC = "sync+exec"


@dataclass(frozen=True, slots=True)
class Hook:
    """The command of `sync+exec`. Spec: compose-spec develop.md, exec."""

    command: tuple[str, ...]
    user: str | None = None
    working_directory: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    privileged: bool = False


class Outcome(StrEnum):
    """How a sync ended."""

    SYNCED = "synced"
    REBUILD = "rebuild"
    GONE = "gone"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What one container got."""

    container_id: str
    outcome: Outcome
    why: str = ""
    """Why it is not SYNCED, or what there is to know about it."""
    written: tuple[str, ...] = ()
    """Targets, sorted; directories among them."""
    deleted: tuple[str, ...] = ()
    live: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    """Sockets, pipes, devices and what cannot be read."""
    content_bytes: int = 0
    seconds: float = 0.0
    """From the call to the end of what follows."""
    is_atomic: bool = True
    after: ExecResult | None = None
    """How the command of `sync+exec` ended; its failure leaves the outcome SYNCED."""
