"""Undoes or completes what a devenv that was killed has left on an environment's volumes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from devenv.cli.copy_progress import NoProgress
from devenv.compose.names import EnvironmentName
from devenv.engine.api import ApiError, EngineClient
from devenv.engine.volume_restore import complete_replacement
from devenv.engine.volume_stage import Progress, remove_stages, replacements_from_detail
from devenv.engine.volume_work import (
    Mark,
    Work,
    held_from_detail,
    list_marks,
    refuse_living,
    release,
    remove_marks,
)
from devenv.engine.volumes import VolumeError, remove_volume

Tell = Callable[[str], Awaitable[None]]


async def recover_volumes(
    client: EngineClient, name: EnvironmentName, tell: Tell, progress: Progress | None = None
) -> None:
    """To be called with the environment's lock held. `tell` gets a sentence for what was done.

    Replacements first: services start on whole data only. Raises VolumeError where something
    cannot be completed or undone now; the marks stay for the next time.
    """
    marks = await list_marks(client, name)
    if not marks:
        return
    refuse_living(marks)
    await remove_marks(client, [mark for mark in marks if mark.work is Work.VESSEL])
    for mark in _of(marks, Work.REPLACE):
        replacements = replacements_from_detail(mark.detail)
        keys = ", ".join(one.key for one, _ in replacements)
        await tell(f"completing the restore of {keys}, which had been cut off")
        for one, root in replacements:
            await complete_replacement(client, name, one, root, progress or NoProgress())
        await remove_marks(client, [mark])
    for mark in _of(marks, Work.HOLD):
        held = held_from_detail(mark.detail)
        failed = await release(client, held)
        services = dict.fromkeys(one.service for one in held if one.service not in failed)
        if services:
            await tell(
                f"{', '.join(services)} of {name} goes on: a copy of its data had been cut off"
            )
        if not failed:
            await remove_marks(client, [mark])
    for mark in _of(marks, Work.STAGE):
        await remove_stages(client, name, mark.detail)
        await remove_marks(client, [mark])
    for mark in _of(marks, Work.CLONE):
        await _drop_half(client, name, [str(volume) for volume in mark.detail], tell)
        await remove_marks(client, [mark])


def _of(marks: Sequence[Mark], work: Work) -> list[Mark]:
    return [mark for mark in marks if mark.work is work]


async def _drop_half(
    client: EngineClient, name: EnvironmentName, volumes: Sequence[str], tell: Tell
) -> None:
    """Remove the volumes of a clone that was cut off, so that it is made again."""
    for volume in volumes:
        try:
            await remove_volume(client, volume)
        except ApiError as error:
            if error.status != 409:
                raise
            raise VolumeError(
                f"Volume {volume} is half of a clone that was cut off, and a container has it.",
                fix=f"docker compose --project-name {name} down, then again",
            ) from None
    await tell(f"a clone into {name} had been cut off: it is made again")
