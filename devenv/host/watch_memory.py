"""What the watch brought into an environment, in devenv's memory: the files, and stale images."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Mapping

from devenv.host.memory import Memory
from devenv.values import dataclass, field


@dataclass(frozen=True, slots=True)
class StaleImage:
    """An image that lacks what was synced into its containers."""

    image_id: str
    """With another one the service's image is no longer stale."""
    container_ids: tuple[str, ...] = ()
    """Those that have it; another one came from the image, and lacks it."""


@dataclass(frozen=True, slots=True)
class Watched:
    """How the files were when all that they asked for was done."""

    files: Mapping[str, str] = field(default_factory=dict)
    """Absolute path -> what tells its content."""
    stale: Mapping[str, StaleImage] = field(default_factory=dict)
    """By service."""
    kept_at: float = 0.0


def load_watched(memory: Memory, environment: str, engine: str) -> Watched | None:
    """None where nothing is known; `engine` is its address."""
    rows = memory.read(
        "SELECT files, stale, kept_at FROM watched WHERE environment = ? AND engine = ?",
        (environment, engine),
    )
    try:
        files, stale, kept_at = rows[0]
        found = json.loads(stale)
        return Watched(
            json.loads(zlib.decompress(files)),
            {name: StaleImage(one[0], tuple(one[1])) for name, one in found.items()},
            float(kept_at),
        )
    except (IndexError, ValueError, TypeError, zlib.error):
        return None


def keep_watched(memory: Memory, environment: str, engine: str, watched: Watched) -> bool:
    """Keep it; whether it was kept. Paths that are no UTF-8 are left out."""
    files = {path: seen for path, seen in watched.files.items() if path.isprintable()}
    stale = {name: [one.image_id, list(one.container_ids)] for name, one in watched.stale.items()}
    return memory.write(
        "INSERT OR REPLACE INTO watched (environment, engine, files, stale, kept_at) "
        "VALUES (?, ?, ?, ?, ?)",
        (
            environment,
            engine,
            zlib.compress(json.dumps(files).encode(), 1),
            json.dumps(stale),
            time.time(),
        ),
    )
