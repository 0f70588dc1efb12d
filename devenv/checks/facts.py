"""What rules look at: one profile's files and model, and facts that all profiles share.

All of it is gathered before the first rule runs; a rule makes no call and opens no file.
Paths are absolute. What was not gathered is None and means unknown, never "there is none".
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from devenv.compose.layers import Layers
from devenv.compose.model import Healthcheck, Project
from devenv.errors import DevenvError
from devenv.values import dataclass, field


class FileKind(StrEnum):
    """What is at a path."""

    FILE = "file"
    DIRECTORY = "directory"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    TOO_LARGE = "larger than 5 MiB"
    OTHER = "neither a file nor a directory"


@dataclass(frozen=True, slots=True)
class FileState:
    """A path as it was found."""

    kind: FileKind
    text: str | None = None
    """A gathered file's text without its byte order mark; bytes that are not UTF-8 are U+FFFD."""
    has_bom: bool = False
    invalid_utf8_line: int | None = None
    """The first line with bytes that are not UTF-8."""
    entries: tuple[str, ...] = ()
    """The names in a directory, sorted; gathered for build contexts and the project directory."""
    mode: int | None = None
    """Permission bits."""


MISSING = FileState(FileKind.MISSING)


@dataclass(frozen=True, slots=True)
class GitFacts:
    """What git says about the files that rules ask about."""

    root: str
    tracked: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """A local image's configuration."""

    healthcheck: Healthcheck | None = None
    user: str = ""
    volumes: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """The engine in use, where one answered in time."""

    version: tuple[int, int, int]
    images: Mapping[str, ImageFacts] = field(default_factory=dict)
    """By the reference that was asked for; without the images that are not there."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What does not depend on the profile."""

    directory: str
    """The Compose project directory."""
    root: str
    """Where devenv.toml and profiles/ are."""
    files: Mapping[str, FileState] = field(default_factory=dict)
    """Each path that was looked at. Compose files, env files, Dockerfiles, ignore files, build
    contexts, and the sources of bind mounts are among them."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """The process environment. Never put a value of it into a finding."""
    git: GitFacts | None = None
    engine: EngineFacts | None = None
    start_seconds: Mapping[str, float] = field(default_factory=dict)
    """Service name to its usual seconds from start to healthy, from the history."""
    programs: Mapping[tuple[str, str], bool] | None = None
    """Image and program to whether it is there; None where images were not looked into."""
    moves_ports: bool = False
    """Whether `[isolation] ports = "offset"` gives other environments other host ports."""
    compose_profiles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Each devenv profile's active Compose profiles."""

    def watched(self) -> tuple[str, ...]:
        """The files that were looked at, and those that were looked for, without directories."""
        return tuple(
            path for path, state in self.files.items() if state.kind is not FileKind.DIRECTORY
        )

    def file(self, path: str) -> FileState:
        """The state of a path; a path that was not gathered counts as missing."""
        return self.files.get(path, MISSING)


@dataclass(frozen=True, slots=True)
class CheckedProfile:
    """One selection: a devenv profile, or the project without profiles."""

    name: str | None
    layers: Layers
    """The Compose texts in merge order, included and extended files among them."""
    model: Project | None = None
    """The merged model of the active services, as Compose has it; None where it did not load."""
    everything: Project | None = None
    """The model with every Compose profile active; None where that does not load."""
    failure: DevenvError | None = None
    """Why Compose refused the active selection."""
    compose_profiles: tuple[str, ...] = ()
    """The active Compose profiles, from the profile or COMPOSE_PROFILES."""
    env_files: tuple[str, ...] = ()
    """Env files for interpolation, in order, whether they exist or not; a later one wins."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The profile's `[env]`, less what the shell sets."""
    services: tuple[str, ...] = ()
    """The services that the profile limits `up` to; empty for all."""
