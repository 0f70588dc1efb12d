"""What a repository has, as far as a start depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from devenv.values import dataclass, field


class Stack(StrEnum):
    """A language for which there is a start."""

    NODE = "node"
    PYTHON = "python"
    GO = "go"
    RUBY = "ruby"


class Need(StrEnum):
    """A service that an app uses."""

    POSTGRES = "postgres"
    MYSQL = "mysql"
    REDIS = "redis"


@dataclass(frozen=True, slots=True)
class Survey:
    """A repository's root, looked at; names are relative to it."""

    name: str
    files: frozenset[str] = frozenset()
    """The files of the root and of one level below, without ignored directories."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Those whose content decides something: manifests, a Dockerfile, .gitignore."""
    compose_files: tuple[str, ...] = ()
    """What Compose's own discovery finds in the root."""
    overrides: tuple[str, ...] = ()
    """Other Compose files in the root, such as `compose.debug.yaml`."""
    compose_profiles: tuple[str, ...] = ()
    default_branch: str = "main"

    def has(self, *names: str) -> str | None:
        """The first of these names that is there."""
        return next((name for name in names if name in self.files), None)


@dataclass(frozen=True, slots=True)
class App:
    """How an app is built and run."""

    stack: Stack
    port: int
    dockerfile: str
    hidden: tuple[str, ...] = ()
    """Folders in the container that the bind mount must not hide."""
    sources: Mapping[str, str] | None = None
    """A first app, where there are no sources."""
    needs: frozenset[Need] = frozenset()
    missing: str | None = None
    """What the start command names where nothing says what starts the app."""


@dataclass(frozen=True, slots=True)
class ProposedFile:
    """A file that does not exist yet, or one that is added to."""

    path: str
    text: str
    """The whole text."""
    cause: str
    before: str | None = None
    """What is there now; None for a new file."""
