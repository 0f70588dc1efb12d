"""The configuration that each service was started with, by Compose's hash, in devenv's memory."""

from __future__ import annotations

import time
from collections.abc import Mapping

from devenv.compose.drift import KeptService, keep_service, parse_kept
from devenv.compose.model import Project
from devenv.compose.names import ServiceName
from devenv.host.memory import Memory

KEPT_EACH = 8
"""How many configurations of one service of an environment are kept."""


def remember_models(
    memory: Memory, engine: str, project: Project, hashes: Mapping[ServiceName, str]
) -> None:
    """Keep what is about to be started; secrets as digests alone."""
    raw = project.document.get("services") or {}
    for service, digest in hashes.items():
        place = (project.name, engine, service)
        known = memory.read(
            "SELECT 1 FROM models WHERE environment = ? AND engine = ? AND service = ? "
            "AND hash = ?",
            (*place, digest),
        )
        if known or service not in raw:
            continue
        memory.write(
            "INSERT OR REPLACE INTO models "
            "(environment, engine, service, hash, document, started_at) VALUES (?, ?, ?, ?, ?, ?)",
            (*place, digest, keep_service(raw[service] or {}).to_json(), time.time()),
        )
        memory.write(
            "DELETE FROM models WHERE environment = ? AND engine = ? AND service = ? "
            "AND hash NOT IN (SELECT hash FROM models WHERE environment = ? AND engine = ? "
            "AND service = ? ORDER BY started_at DESC LIMIT ?)",
            (*place, *place, KEPT_EACH),
        )


def load_kept(
    memory: Memory, engine: str, environment: str, service: str, digest: str
) -> KeptService | None:
    """The configuration behind a hash; None where it was not started by this devenv."""
    rows = memory.read(
        "SELECT document FROM models WHERE environment = ? AND engine = ? AND service = ? "
        "AND hash = ?",
        (environment, engine, service, digest),
    )
    return parse_kept(str(rows[0][0])) if rows else None
