"""Reads the files that `devenv check` looks at, once each, whatever state they are in.

A file that is missing, unreadable, huge or not text is a state here and never an error: which
of them matters is a rule's question.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from devenv.checks.facts import FileKind, FileState
from devenv.compose.inputs import find_references
from devenv.compose.layers import Layer, Layers, parse_nodes, resolve_path
from devenv.host.files import MAX_BYTES

_MAX_COMPOSE_FILES = 200
"""More through `include` and `extends` is a loop, or nothing that a person wrote."""


class FileReader:
    """Files by absolute path, each looked at once."""

    def __init__(self) -> None:
        self.states: dict[str, FileState] = {}

    def read(self, path: str) -> FileState:
        """The state of a path, with its text or its names."""
        state = self.states.get(path)
        if state is None:
            state = self.states[path] = load_state(path)
        return state

    def probe(self, paths: Iterable[str]) -> None:
        """Find out what several paths are, without reading their texts."""
        for path in paths:
            if path not in self.states:
                self.states[path] = load_kind(path)

    def look(self, paths: Iterable[str]) -> None:
        """Gather the states of several paths."""
        for path in paths:
            self.read(path)


def load_kind(path: str) -> FileState:
    """What is at a path, without its text or its names."""
    try:
        status = os.stat(path)  # noqa: PTH116, a path here may be too odd for Path
    except (FileNotFoundError, NotADirectoryError):
        return FileState(FileKind.MISSING)
    except (OSError, ValueError):
        return FileState(FileKind.UNREADABLE)
    kind = FileKind.OTHER
    if stat.S_ISDIR(status.st_mode):
        kind = FileKind.DIRECTORY
    elif stat.S_ISREG(status.st_mode):
        kind = FileKind.FILE
    return FileState(kind, mode=status.st_mode & 0o7777)


def load_state(path: str) -> FileState:
    """What is at a path now; symbolic links are followed."""
    try:
        status = os.stat(path)  # noqa: PTH116, a path here may be too odd for Path
        if stat.S_ISDIR(status.st_mode):
            names = tuple(sorted(os.listdir(path)))  # noqa: PTH208, the same
            return FileState(FileKind.DIRECTORY, entries=names, mode=status.st_mode & 0o7777)
        if not stat.S_ISREG(status.st_mode):
            return FileState(FileKind.OTHER, mode=status.st_mode & 0o7777)
        if status.st_size > MAX_BYTES:
            return FileState(FileKind.TOO_LARGE, mode=status.st_mode & 0o7777)
        content = Path(path).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return FileState(FileKind.MISSING)
    except (OSError, ValueError):  # permission, a loop of links, a NUL in the name
        return FileState(FileKind.UNREADABLE)
    return _from_content(content, status.st_mode & 0o7777)


def _from_content(content: bytes, mode: int) -> FileState:
    has_bom = content.startswith(b"\xef\xbb\xbf")
    if has_bom:
        content = content[3:]
    invalid = None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as problem:
        invalid = content.count(b"\n", 0, problem.start) + 1
        text = content.decode("utf-8", errors="replace")
    return FileState(FileKind.FILE, text, has_bom, invalid, mode=mode)


def load_layers(directory: str, compose_files: Iterable[str], reader: FileReader) -> Layers:
    """The Compose texts in merge order: before each file those that it includes.

    Files that are only extended from are in `by_path` alone. Names with variables in them and
    remote ones are left out.
    """
    by_path: dict[str, Layer] = {}
    ordered: list[Layer] = []
    for path in compose_files:
        _add(path, directory, reader, by_path, ordered)
    return Layers(tuple(ordered), by_path, directory)


def _add(
    path: str,
    directory: str,
    reader: FileReader,
    by_path: dict[str, Layer],
    ordered: list[Layer],
) -> None:
    """Depth first, without recursion: an included file stands before the one that includes it."""
    pending: list[tuple[str, bool, bool]] = [(path, False, False)]
    while pending:
        current, extended, done = pending.pop()
        if done:
            layer = by_path[current]
            if layer not in ordered:
                ordered.append(layer)
            continue
        if current in by_path or len(by_path) >= _MAX_COMPOSE_FILES:
            continue
        text = reader.read(current).text or ""
        by_path[current] = Layer(current, text, parse_nodes(text), extended)
        if not extended:
            pending.append((current, False, True))
        for written, is_include in reversed(find_references(text).compose_files):
            if "$" not in written and "://" not in written:
                following = resolve_path(current, directory, written)
                pending.append((following, extended or not is_include, False))
