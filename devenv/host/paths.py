"""Where devenv keeps what is its own, by the XDG base directory specification."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

MEMORY_FILE = "memory.sqlite3"
"""What `host.memory` keeps in the state directory."""


def has_memory(directory: Path) -> bool:
    """Whether a state directory holds a memory, so that opening it is worth its time."""
    try:
        return (directory / MEMORY_FILE).is_file()
    except OSError:
        return False


def cache_directory(environ: Mapping[str, str]) -> Path:
    """The cache directory, made with mode 0700 where that is possible."""
    return _make(environ, "XDG_CACHE_HOME", ".cache")


def state_directory(environ: Mapping[str, str]) -> Path:
    """The directory of the history, made with mode 0700 where that is possible."""
    return _make(environ, "XDG_STATE_HOME", ".local/state")


def _make(environ: Mapping[str, str], variable: str, default: str) -> Path:
    base = Path(environ.get(variable) or "")
    if not base.is_absolute():  # the specification: relative paths are to be ignored
        base = Path(environ.get("HOME") or "/") / default
    directory = base / "devenv"
    with contextlib.suppress(OSError):  # users of the directory take a missing one as empty
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
        if directory.stat().st_mode & 0o077:
            directory.chmod(0o700)
    return directory
