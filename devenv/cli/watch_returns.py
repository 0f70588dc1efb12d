"""Containers that somebody else starts: whether they lack what the watch brought before."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping

from devenv.cli.watch_missed import rebuild_stale
from devenv.cli.watch_model import WatchModel
from devenv.compose.names import ServiceName
from devenv.compose.watch.batch import ServiceWork
from devenv.engine.api import ApiError, EngineClient
from devenv.engine.containers import LABEL_PROJECT, LABEL_SERVICE
from devenv.errors import EngineUnavailable
from devenv.host.watch_memory import StaleImage

RETRY_SECONDS = 1.0


async def follow_starts(
    client: EngineClient,
    model: Callable[[], WatchModel],
    stale: Callable[[], Mapping[ServiceName, StaleImage]],
    begin: Callable[[ServiceWork], None],
) -> None:
    """Begin a rebuild for each container that starts from a stale image and is none of those
    that what the image lacks was brought to; until cancelled.

    An engine that goes away is waited for.
    """
    name = model().project.name
    filters = {"type": ["container"], "event": ["start"], "label": [f"{LABEL_PROJECT}={name}"]}
    while True:
        with contextlib.suppress(ApiError, EngineUnavailable):
            events = client.events(filters)
            async with contextlib.aclosing(events):
                async for event in events:
                    actor = event.get("Actor") or {}
                    service = ServiceName(str((actor.get("Attributes") or {}).get(LABEL_SERVICE)))
                    image = stale().get(service)
                    if image is None or actor.get("ID") in image.container_ids:
                        continue
                    found = await client.inspect(str(actor.get("ID")))
                    if found.get("Image") == image.image_id:
                        begin(rebuild_stale(model(), service))
        await asyncio.sleep(RETRY_SECONDS)
