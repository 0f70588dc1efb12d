"""Where devenv keeps what is its own, by the XDG base directory specification."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path


def cache_directory(environ: Mapping[str, str]) -> Path:
    """The cache directory, made with mode 0700 where that is possible."""
    home = Path(environ.get("HOME") or "/")
    directory = Path(environ.get("XDG_CACHE_HOME") or home / ".cache") / "devenv"
    with contextlib.suppress(OSError):  # users of the cache take a missing one as empty
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory
