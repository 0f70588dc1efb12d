"""Which Compose files a directory has, by Compose's own rules. Pure: asks `exists` for paths.

Order: `compose` in devenv.toml, then COMPOSE_FILE, then the usual names in the directory and
its parents. Spec: compose-spec 03-compose-file.md, docs "COMPOSE_FILE".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

FILE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDE_NAMES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)


def find_default_files(start: Path, exists: Callable[[Path], bool]) -> tuple[Path, ...]:
    """The Compose file nearest to `start` upwards, with its override file; empty for none."""
    for directory in (start, *start.parents):
        for name in FILE_NAMES:
            if exists(directory / name):
                override = next((n for n in OVERRIDE_NAMES if exists(directory / n)), None)
                found = (directory / name,)
                return (*found, directory / override) if override else found
    return ()


def split_compose_file(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The paths in COMPOSE_FILE, split at COMPOSE_PATH_SEPARATOR (default `:`)."""
    separator = environ.get("COMPOSE_PATH_SEPARATOR") or ":"
    value = environ.get("COMPOSE_FILE") or ""
    return tuple(part for part in value.split(separator) if part)
