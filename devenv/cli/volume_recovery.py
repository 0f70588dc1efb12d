"""Undoes or completes what a devenv that was killed has left on an environment's volumes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from devenv.cli.session import Session
from devenv.compose.names import EnvironmentName
from devenv.engine.volume_work import (
    Work,
    held_from_detail,
    list_marks,
    refuse_living,
    release,
    remove_marks,
)


async def recover_volumes(
    session: Session, name: EnvironmentName, tell: Callable[[str], Awaitable[None]]
) -> None:
    """To be called with the environment's lock held. `tell` gets a sentence for what was done."""
    client = session.client
    marks = await list_marks(client, name)
    if not marks:
        return
    refuse_living(marks)
    await remove_marks(client, [mark for mark in marks if mark.work is Work.VESSEL])
    for mark in marks:
        if mark.work is not Work.HOLD:
            continue
        held = held_from_detail(mark.detail)
        failed = await release(client, held)
        services = ", ".join(
            dict.fromkeys(one.service for one in held if one.service not in failed)
        )
        if services:
            await tell(f"{services} of {name} goes on: a copy of its data had been cut off")
        if not failed:
            await remove_marks(client, [mark])
