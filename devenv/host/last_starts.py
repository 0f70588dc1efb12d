"""With which profile, on which branch, each directory was started last, in devenv's memory."""

from __future__ import annotations

import time

from devenv.compose.names import EnvironmentName
from devenv.host.memory import Memory
from devenv.values import dataclass


@dataclass(frozen=True, slots=True)
class LastStart:
    """The last start of a directory."""

    branch: str | None
    profile: str | None
    environment: EnvironmentName


def load_last_start(memory: Memory, directory: str) -> LastStart | None:
    """None where nothing was started here yet."""
    rows = memory.read(
        "SELECT branch, profile, environment FROM last_starts WHERE directory = ?", (directory,)
    )
    if not rows:
        return None
    branch, profile, environment = rows[0]
    return LastStart(branch, profile, EnvironmentName(str(environment)))


def remember_last_start(memory: Memory, directory: str, last: LastStart) -> bool:
    """Keep it, in place of the one before; whether it was kept."""
    return memory.write(
        "INSERT OR REPLACE INTO last_starts (directory, branch, profile, environment, started_at) "
        "VALUES (?, ?, ?, ?, ?)",
        (directory, last.branch, last.profile, last.environment, time.time()),
    )
