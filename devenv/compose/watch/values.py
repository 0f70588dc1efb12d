"""The values of the watch plan: actions, planned changes, and what the planner is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from devenv.compose.names import ServiceName
from devenv.values import dataclass, field


class WatchAction(StrEnum):
    """What a change asks for; the words of the contract of `watch --explain`."""

    LIVE = "live"
    SYNC = "sync"
    SYNC_RESTART = "sync+restart"
    SYNC_EXEC = "sync+exec"
    RESTART = "restart"
    REBUILD = "rebuild"
    RELOAD = "reload"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Place:
    """The line that decided; `path` absolute, `line` from 1 or None for the file as such."""

    path: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """What the change of `path` (absolute) means for one service; None: for none of them."""

    path: str
    service: ServiceName | None
    action: WatchAction
    reason: str
    target: str | None = None
    """The file's path in the container; None where the container does not see it as a file."""
    because: Place | None = None
    command: tuple[str, ...] = ()
    """What `sync+exec` runs in the container; empty otherwise."""
    stale_image: bool = False
    """A rebuild must come before the container is next recreated: the old bytes would return."""
    is_initial: bool = False
    """Of a rule with `initial_sync`: a file that differs is synced when the watch begins."""


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that a service is made of: a path or pattern as written, and who asks for it."""

    service: ServiceName | None
    path: str
    """Absolute; may end in a pattern, as written in the instruction."""
    use: str
    """`copied`, `mounted`, `Dockerfile`, `ignore file`, `model`, `watch rule`, …"""
    because: Place | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class WatchFacts:
    """What the planner is told of the world."""

    read: Callable[[str], str | None]
    """The text of a file by absolute path, None where there is none. Must answer the same for
    as long as the planner lives."""
    is_local: bool = True
    """Whether bind mounts show this machine's files."""
    is_buildkit: bool = True
    """False: the classic builder, which knows no `NAME.dockerignore`."""
    mode: str = "infer"
    """`infer`, or `compose`: only the rules of `develop.watch` count."""
    model_files: Mapping[str, str] = field(default_factory=dict)
    """Absolute path -> what it is (`Compose file`, `env file`, …) of all that makes the model."""
    model_directories: tuple[str, ...] = ()
    """Directories whose `*.toml` files are profiles."""
    is_directory: Callable[[str], bool] = field(default=lambda _path: False)
    resolve: Callable[[str], str] = field(default=lambda path: path)
    """An absolute path without the symbolic links that lead to it."""
