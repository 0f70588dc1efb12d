"""What a command reads and writes, as values."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase

from devenv.values import dataclass, field, replace

DEPENDENCY_FOLDERS = frozenset(
    ("node_modules", "vendor", ".venv", "venv", "deps", "_build", "bower_components", ".yarn")
)
"""Filled by an install alone: a compiler or bundler changes nothing in them."""


def is_within(path: str, directory: str) -> bool:
    """Whether a path is the directory or below it; both normal and absolute."""
    return directory == "/" or path == directory or path.startswith(directory + "/")


@dataclass(frozen=True, slots=True)
class Area:
    """A file or directory of a stage that a command wrote. `*` is anywhere but where it ran."""

    path: str
    deep: str | None = None
    """Only directories of this name, at any depth below `path`."""

    def meets(self, path: str) -> bool:
        """Whether copying `path` can take something of the area along."""
        if self.path == "*":
            return True
        if self.deep is None:
            return is_within(path, self.path) or is_within(self.path, path)
        if is_within(self.path, path):
            return True
        return is_within(path, self.path) and (
            self.deep in path.split("/") or "." not in posixpath.basename(path)
        )


SYSTEM = Area("*")


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a command runs: the variables, and the texts of files by their path in the stage."""

    environment: Mapping[str, str] = field(default_factory=dict)
    text: Callable[[str], str | None] = field(default=lambda _path: None)


@dataclass(frozen=True, slots=True)
class Effect:
    """What one command reads and writes. Paths are absolute, in the stage."""

    everything: bool = False
    """It may read any file that the stage has."""
    names: tuple[str, ...] = ()
    """File names (patterns) that it reads in `directory`."""
    folders: tuple[str, ...] = ()
    """Directories by name whose files it reads, at any depth below `directory`."""
    directory: str = "/"
    nested: bool = False
    """The names are read at any depth below `directory` (workspaces, modules)."""
    paths: tuple[str, ...] = ()
    """Files and directories that its words name; may be patterns."""
    programs: tuple[str, ...] = ()
    """Scripts that it runs: a change of one may change anything."""
    writes: tuple[Area, ...] = ()
    installs: bool = False
    """It installs dependencies from manifests."""
    compiles: bool = False
    """It makes a program or a bundle: documents and the like do not go into it."""

    def reads(self, path: str) -> bool:
        """Whether a file at `path` of the stage can change what the command writes."""
        return self.everything or self.names_file(path)

    def names_file(self, path: str) -> bool:
        """Whether the command asks for this file in particular, not only for all there is."""
        if any(_names(one, path) for one in (*self.paths, *self.programs)):
            return True
        if not is_within(path, self.directory):
            return False
        below = path[len(self.directory) :].lstrip("/") if self.directory != "/" else path[1:]
        folder, _, name = below.rpartition("/")
        if any(part in self.folders for part in folder.split("/")):
            return True
        return (self.nested or not folder) and any(fnmatchcase(name, one) for one in self.names)

    def with_more(self, paths: tuple[str, ...], writes: tuple[Area, ...]) -> Effect:
        if not paths and not writes:
            return self
        return replace(self, paths=self.paths + paths, writes=self.writes + writes)


NOTHING = Effect()


def _names(word: str, path: str) -> bool:
    if word == path or is_within(path, word):
        return True
    if any(mark in word for mark in "*?[$"):
        pattern = word.split("$", 1)[0] + "*" if "$" in word else word
        parts = path.split("/")
        count = pattern.count("/") + 1
        return fnmatchcase("/".join(parts[:count]), pattern)
    return False
