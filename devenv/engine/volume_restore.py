"""Volumes replaced as a whole, so that at no moment there is neither the old nor the new.

A replacement goes in these steps, each with a mark on the engine before it:

1. `hold`: the services that have one of the volumes are stopped, those alone.
2. `stage`: the new content is written beside the old and read back from there, once each
   (`volume_stage`). Until here the old is untouched, and all that was done can go.
3. `replace`: from now on the new content is the truth, and it is whole. It is put in place by
   renames within the volume, which write nothing (`volume_swap`). Where no image of the project
   has a shell, and no container has the volume, that is removed, made anew, and filled from the
   volume beside.
4. The marks go, and the services start.

Cut off before 3, the next devenv removes what was prepared and starts the services: all is as
before. Cut off after it, it goes on with 3. `cli.volume_recovery` does both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from devenv.engine.api import EngineClient
from devenv.engine.volume_copy import LeaveHeld, copy_volume, vessel_of
from devenv.engine.volume_stage import Progress, Replacement, Root, Staged
from devenv.engine.volume_swap import MovedBack, Swapper
from devenv.engine.volume_work import LABEL_WORK, Work, make_mark, mark_labels
from devenv.engine.volumes import (
    VolumeError,
    list_users,
    make_volume,
    remove_vessel,
    remove_volume,
)
from devenv.errors import ExitCode


async def replace_volumes(
    client: EngineClient, environment: str, staged: Sequence[Staged], progress: Progress
) -> None:
    """Put what was made and proven in place; the services that have the volumes are stopped.

    Raises LeaveHeld where that could not be ended: the marks stay, and the services are to be
    left stopped. Raises VolumeError where nothing was changed.
    """
    for stage in staged:
        await _refuse_running(client, stage.one)
        if stage.swapper is not None:
            await stage.swapper.ready()
    images = list(dict.fromkeys(image for stage in staged for image in stage.one.images))
    detail = [stage.one.to_detail(stage.root) for stage in staged]
    mark = await make_mark(client, images, Work.REPLACE, environment, detail)
    done = 0
    try:
        for stage in staged:
            progress.begin("putting in place", stage.one.key)
            if stage.swapper is None:
                await _fill_anew(client, environment, stage.one, progress)
            else:
                await stage.swapper.swap(stage.root, stage.one.key)
            done += 1
        await remove_vessel(client, mark)
    except BaseException as error:
        if isinstance(error, MovedBack) and not done:
            await remove_vessel(client, mark)
            raise
        why = f": {error}" if str(error) else "."
        cut = LeaveHeld(
            f"The replacement was cut off in the middle{why} What is to be restored is whole, and "
            "kept on the engine.",
            fix="devenv up or devenv snapshot completes it",
        )
        if isinstance(error, asyncio.CancelledError):
            cut.exit_code = ExitCode.INTERRUPTED
        raise cut from error


async def complete_replacement(
    client: EngineClient, environment: str, one: Replacement, root: Root, progress: Progress
) -> None:
    """The same for one volume, where it was cut off; it can be repeated. Raises VolumeError."""
    await _refuse_running(client, one)
    progress.begin("putting in place", one.key)
    if one.image is None:
        await _fill_anew(client, environment, one, progress)
        return
    if await client.volume(one.volume) is None:
        return  # somebody has removed it, with both
    labels = mark_labels(Work.VESSEL, environment)
    swapper = Swapper(client, one.image, labels, one.volume, one.place)
    swapper.start()
    try:
        await swapper.swap(root, one.key)
    finally:
        await swapper.close()


async def _refuse_running(client: EngineClient, one: Replacement) -> None:
    running = [
        row
        for row in await list_users(client, one.volume)
        if row.get("State") in ("running", "paused", "restarting")
        and LABEL_WORK not in (row.get("Labels") or {})
    ]
    if running:
        name = (running[0].get("Names") or ["a container"])[0].removeprefix("/")
        raise VolumeError(
            f"{name} runs on volume {one.key}, whose data is being replaced.",
            fix=f"docker stop {name}; then again",
        )


async def _fill_anew(
    client: EngineClient, environment: str, one: Replacement, progress: Progress
) -> None:
    """Make the volume again, and copy the one beside into it."""
    await remove_volume(client, one.volume)
    await make_volume(client, one.volume, one.labels, one.driver_opts)
    async with (
        vessel_of(client, environment, one.images, one.place) as source,
        vessel_of(client, environment, one.images, one.volume) as target,
    ):
        done = await copy_volume(client, source, target, progress.on_bytes)
        progress.end(done.content_bytes)
