"""The environments that devenv has made, in its memory: name, place, branch, profile and ports.

Losing it loses none: names follow from branch and worktree, and containers carry labels.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

from devenv.compose.names import EnvironmentName
from devenv.host.memory import Memory
from devenv.values import dataclass

PLAIN = "plain"
_COLUMNS = "name, repository, directory, branch, profile, ports, made_at, kind"


@dataclass(frozen=True, slots=True)
class KnownEnvironment:
    """An environment as it was when it was last started."""

    name: EnvironmentName
    repository: str
    """The repository's common git directory; the project directory where there is no git."""
    directory: str
    """The project directory that it was started from."""
    branch: str | None = None
    profile: str | None = None
    offset: int | None = None
    """How far its ports lie above those of the Compose files; None: they are the same."""
    published: tuple[int, ...] = ()
    """Its host ports."""
    made_at: float = 0.0
    kind: str = PLAIN
    """`plain`, or what it belongs to: `branch` or `worktree`."""
    worktree: str | None = None
    """git's name of the linked worktree that it was started from."""


def remember_environment(memory: Memory, environment: KnownEnvironment) -> bool:
    """Keep it, in place of what was known under its name; whether it was kept."""
    return memory.write(
        f"INSERT INTO environments ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (name) DO UPDATE SET repository = excluded.repository, "
        "directory = excluded.directory, branch = excluded.branch, profile = excluded.profile, "
        "ports = excluded.ports, kind = excluded.kind",
        (
            environment.name,
            environment.repository,
            environment.directory,
            environment.branch,
            environment.profile,
            json.dumps(
                {
                    "offset": environment.offset,
                    "published": environment.published,
                    "worktree": environment.worktree,
                }
            ),
            environment.made_at or time.time(),
            environment.kind,
        ),
    )


def forget_environment(memory: Memory, name: str) -> bool:
    """Whether the memory took it."""
    return memory.write("DELETE FROM environments WHERE name = ?", (name,))


def load_environment(memory: Memory, name: str) -> KnownEnvironment | None:
    """The environment of that name."""
    return next(
        iter(_read(memory.read(f"SELECT {_COLUMNS} FROM environments WHERE name = ?", (name,)))),
        None,
    )


def load_environments(memory: Memory, repository: str | None = None) -> list[KnownEnvironment]:
    """All environments, or those of one repository, the oldest first."""
    rows = memory.read(
        f"SELECT {_COLUMNS} FROM environments WHERE ? IS NULL OR repository = ? "
        "ORDER BY made_at, name",
        (repository, repository),
    )
    return _read(rows)


def find_name(memory: Memory, directory: str, branch: str | None) -> EnvironmentName | None:
    """The environment that was last started from a directory on a branch."""
    rows = memory.read(
        "SELECT name FROM environments WHERE directory = ? AND branch IS ? "
        "ORDER BY made_at DESC LIMIT 1",
        (directory, branch),
    )
    return EnvironmentName(rows[0][0]) if rows else None


def _read(rows: Iterable[tuple[object, ...]]) -> list[KnownEnvironment]:
    found = []
    for name, repository, directory, branch, profile, ports, made_at, kind in rows:
        try:
            kept = json.loads(str(ports))
            offset, published = kept.get("offset"), tuple(int(p) for p in kept["published"])
            worktree = kept.get("worktree")
        except (ValueError, TypeError, KeyError, AttributeError):
            offset, published, worktree = None, (), None
        found.append(
            KnownEnvironment(
                EnvironmentName(str(name)),
                str(repository),
                str(directory),
                None if branch is None else str(branch),
                None if profile is None else str(profile),
                offset if isinstance(offset, int) else None,
                published,
                float(str(made_at)),
                str(kind),
                worktree if isinstance(worktree, str) else None,
            )
        )
    return found
