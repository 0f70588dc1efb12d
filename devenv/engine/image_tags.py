"""Other names for an image that was just built."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from devenv.engine.api import EngineClient


async def tag_image(client: EngineClient, image: str, names: Iterable[str]) -> None:
    """Give an image further names, its own left out. Raises ApiError, EngineUnavailable."""
    for name in names:
        if name == image or "@" in name:
            continue
        repository, colon, tag = name.rpartition(":")
        if not colon or "/" in tag:
            repository, tag = name, "latest"
        query = {"repo": repository, "tag": tag}
        await client.request("POST", f"/images/{quote(image, safe='')}/tag", query)
