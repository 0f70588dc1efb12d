"""Networks by the Engine API: made, given a container under an alias, and taken away."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from devenv.engine.api import ApiError, EngineClient


async def load_network(client: EngineClient, name: str) -> dict[str, Any] | None:
    """What the engine says of a network; None where there is none of that name."""
    try:
        found: dict[str, Any] = await client.get_json(f"/networks/{quote(name, safe='')}")
    except ApiError as error:
        if error.status == 404:
            return None
        raise
    return found


async def ensure_network(client: EngineClient, name: str, labels: Mapping[str, str]) -> None:
    """Make a bridge network unless there is one of that name. Raises ApiError."""
    if await load_network(client, name) is None:
        asked = {"Name": name, "CheckDuplicate": True, "Labels": dict(labels)}
        try:
            await client.request("POST", "/networks/create", None, asked)
        except ApiError as error:
            if error.status != 409:  # another devenv was faster
                raise


async def join_network(client: EngineClient, name: str, container_id: str, alias: str) -> None:
    """Put a container on a network under an alias, unless it is on it. Raises ApiError."""
    raw = await client.inspect(container_id)
    if name in ((raw.get("NetworkSettings") or {}).get("Networks") or {}):
        return
    asked = {"Container": container_id, "EndpointConfig": {"Aliases": [alias]}}
    path = f"/networks/{quote(name, safe='')}/connect"
    await client.request("POST", path, None, asked)


async def remove_network(client: EngineClient, name: str) -> None:
    """Take a network away, and what is still on it off it; nothing where there is none."""
    found = await load_network(client, name)
    if found is None:
        return
    path = f"/networks/{quote(name, safe='')}"
    for container_id in found.get("Containers") or {}:
        with contextlib.suppress(ApiError):  # it has gone meanwhile
            asked = {"Container": container_id, "Force": True}
            await client.request("POST", f"{path}/disconnect", None, asked)
    with contextlib.suppress(ApiError):
        await client.request("DELETE", path)
