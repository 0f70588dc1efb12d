"""Compose files that Compose itself does not look for: of another name, or further below."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

_NAME = re.compile(r"(?:[\w-]+[.-])?(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml")
_SKIPPED = frozenset(
    {
        ".git",
        ".github",
        ".venv",
        "venv",
        "node_modules",
        "vendor",
        "target",
        "dist",
        "test",
        "tests",
    }
)
_DEPTH = 3
MAX_ENTRIES = 3000


def find_other_compose_files(start: Path) -> tuple[str, ...]:
    """Paths relative to `start` of what is named like a Compose file, the nearest first.

    Hidden directories are looked into (`.devcontainer`), links are not followed.
    """
    found: list[tuple[int, str]] = []
    seen = 0
    pending = [(start, 0)]
    while pending and seen < MAX_ENTRIES:
        directory, depth = pending.pop(0)
        with contextlib.suppress(OSError), os.scandir(directory) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                seen += 1
                if entry.is_file(follow_symlinks=False) and _NAME.fullmatch(entry.name):
                    found.append((depth, os.path.relpath(entry.path, start)))
                elif (
                    depth + 1 < _DEPTH
                    and entry.name not in _SKIPPED
                    and entry.is_dir(follow_symlinks=False)
                ):
                    pending.append((Path(entry.path), depth + 1))
    return tuple(path for _, path in sorted(found))
