"""Services that live in another one's container: its network, processes, or volumes.

Compose puts the other container's id in the place of its name before it hashes such a service, so
the hash that it prints of the files is never the one on the container. Whether the configuration
differs, only Compose itself can tell.
Measured: Compose 5.6.1; Source: docker/compose pkg/compose/convergence.go. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NAMESPACES = ("network_mode", "ipc", "pid")


def find_lender(service: Mapping[str, Any]) -> str | None:
    """The service whose container this one is hashed with; None where its hash can be compared."""
    for key in _NAMESPACES:
        mode = str(service.get(key) or "")
        if mode.startswith("service:"):
            return mode.removeprefix("service:")
    names = [str(source).split(":")[0] for source in service.get("volumes_from") or ()]
    return next((name for name in names if name != "container"), None)


def comparable_hashes(document: Mapping[str, Any], hashes: Mapping[Any, str]) -> dict[Any, str]:
    """The hashes that can be held against those of containers, by service."""
    services = document.get("services") or {}
    return {
        name: value
        for name, value in hashes.items()
        if find_lender(services.get(name) or {}) is None
    }
