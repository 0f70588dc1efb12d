"""What the engine says about itself, and which buildx the client has."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from devenv.checks.doctor import EngineFactsFound
from devenv.engine.api import EngineClient
from devenv.engine.compose import plugin_directories


async def load_engine(client: EngineClient) -> EngineFactsFound:
    """The engine's facts. Raises EngineUnavailable."""
    version = await client.ping()
    before = time.time()
    info = await client.get_json("/info")
    now = (before + time.time()) / 2
    info = info if isinstance(info, dict) else {}
    proxies = tuple(key for key in ("HttpProxy", "HttpsProxy") if info.get(key))
    memory = info.get("MemTotal")
    return EngineFactsFound(
        version=version.version,
        address=client.endpoint.url,
        is_local=client.endpoint.is_local,
        root_directory=str(info.get("DockerRootDir") or ""),
        operating_system=str(info.get("OperatingSystem") or ""),
        memory_bytes=memory if isinstance(memory, int) and memory > 0 else None,
        clock_skew_seconds=_skew(str(info.get("SystemTime") or ""), now),
        proxies=proxies,
        has_mirrors=bool((info.get("RegistryConfig") or {}).get("Mirrors")),
        warnings=tuple(str(one) for one in info.get("Warnings") or ()),
    )


def _skew(text: str, now: float) -> float | None:
    """Seconds that an RFC 3339 time is ahead of `now`; its nanoseconds are cut."""
    head, dot, rest = text.partition(".")
    zone = rest.lstrip("0123456789") if dot else ""
    try:
        return datetime.fromisoformat(head + zone if dot else head).timestamp() - now
    except ValueError:
        return None


def find_buildx(environ: Mapping[str, str]) -> str | None:
    """The version of the buildx plugin, or None."""
    for directory in plugin_directories(environ):
        path = Path(directory) / "docker-buildx"
        if not os.access(path, os.X_OK):
            continue
        try:
            said = subprocess.run(
                [str(path), "version"],
                capture_output=True,
                text=True,
                timeout=10,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        words = said.stdout.split()
        if said.returncode == 0 and len(words) > 1:
            return words[1].removeprefix("v")
    return None
