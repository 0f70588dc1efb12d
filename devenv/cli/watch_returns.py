"""Containers that somebody else starts: whether they lack what the watch brought before."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping

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
    started: Callable[[ServiceName], Awaitable[None]],
) -> None:
    """Begin a rebuild for each container that starts from a stale image and is none of those
    that what the image lacks was brought to; until cancelled.

    An engine that goes away is waited for. `started` is called for each container that is new,
    unless its root filesystem is read-only; what it raises of the engine is passed over.
    """
    known: set[str] = set()
    name = model().project.name
    filters = {"type": ["container"], "event": ["start"], "label": [f"{LABEL_PROJECT}={name}"]}
    while True:
        with contextlib.suppress(ApiError, EngineUnavailable):
            events = client.events(filters)
            async with contextlib.aclosing(events):
                async for event in events:
                    actor = event.get("Actor") or {}
                    service = ServiceName(str((actor.get("Attributes") or {}).get(LABEL_SERVICE)))
                    container_id = str(actor.get("ID"))
                    if service not in model().project.services:
                        continue
                    found = await client.inspect(container_id)
                    image = stale().get(service)
                    is_brought = image is not None and container_id in image.container_ids
                    is_stale = image is not None and found.get("Image") == image.image_id
                    if is_stale and not is_brought:
                        begin(rebuild_stale(model(), service))
                    # Once for each: a program may write to its files whenever it starts.
                    is_fixed = bool((found.get("HostConfig") or {}).get("ReadonlyRootfs"))
                    if container_id not in known and not is_brought and not is_fixed:
                        known.add(container_id)
                        await started(service)
        await asyncio.sleep(RETRY_SECONDS)
