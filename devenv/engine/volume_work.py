"""Marks on the engine for work on volumes that must not be lost with the devenv that does it.

A *mark* is a container that is created and never started; its labels say what is under way: which
containers were paused or stopped for it, and which volumes are half made. It is made before the
thing that it tells of is done, and removed after that is undone or complete. So whatever ends
devenv, the next one finds on the engine what was left, and undoes or completes it (`recover`).
The environment's lock is held meanwhile; who asks for it next knows that the last one is dead.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from devenv.compose.databases import Hold
from devenv.engine.api import ApiError, EngineClient
from devenv.engine.volumes import VolumeError, make_vessel, remove_vessel
from devenv.values import dataclass

LABEL_WORK = "dev.devenv.work"
LABEL_WORK_OF = "dev.devenv.work.environment"
LABEL_DETAIL = "dev.devenv.work.detail"
LABEL_OWNER = "dev.devenv.work.owner"


class Work(StrEnum):
    """What a mark stands for."""

    VESSEL = "vessel"
    """A means to read or write; worth nothing by itself."""
    HOLD = "hold"
    """Containers are paused or stopped: they are to go on."""
    CLONE = "clone"
    """Volumes are being filled: until the mark is gone they are half of what they should be."""
    STAGE = "stage"
    """Volumes beside the real ones are being filled: they can go."""
    REPLACE = "replace"
    """The real volumes are being replaced by those beside, which are whole: to be completed."""


@dataclass(frozen=True, slots=True)
class Held:
    """A container that goes on once the work is done."""

    container_id: str
    service: str
    how: Hold


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark that is on the engine."""

    container_id: str
    work: Work
    environment: str
    detail: Any
    """What the work needs to be undone or completed; JSON."""
    owner: str


def mark_labels(work: Work, environment: str, detail: Any = None) -> dict[str, str]:
    """The labels of a mark or a vessel."""
    return {
        LABEL_WORK: work.value,
        LABEL_WORK_OF: environment,
        LABEL_DETAIL: json.dumps(detail),
        LABEL_OWNER: f"{platform.node()}:{os.getpid()}",
    }


async def make_mark(
    client: EngineClient, images: Sequence[str], work: Work, environment: str, detail: Any
) -> str:
    """Put a mark on the engine, of the first of `images` that is there; its id."""
    for image in images:
        try:
            return await make_vessel(client, image, mark_labels(work, environment, detail))
        except ApiError as error:
            if error.status != 404:
                raise
    raise VolumeError(
        f"None of the images of {environment} is on the engine, and its volumes are reached "
        "through one of them.",
        fix="devenv up --detach makes the containers; or docker compose build, pull",
    )


async def list_marks(client: EngineClient, environment: str) -> list[Mark]:
    """All marks and vessels of an environment."""
    filters = {"label": [f"{LABEL_WORK_OF}={environment}"]}
    rows = await client.get_json("/containers/json", all=True, filters=filters)
    found = []
    for row in rows or []:
        labels: Mapping[str, str] = row.get("Labels") or {}
        try:
            work = Work(labels.get(LABEL_WORK, ""))
            detail = json.loads(labels.get(LABEL_DETAIL, "null"))
        except ValueError:
            continue  # of a newer devenv
        owner = labels.get(LABEL_OWNER, "")
        found.append(Mark(str(row["Id"]), work, environment, detail, owner))
    return found


def refuse_living(marks: Iterable[Mark]) -> None:
    """Raise VolumeError where another devenv that may still live has made one of the marks.

    The lock keeps others of this machine out; where it cannot be had, or the engine is shared by
    machines, this does.
    """
    for mark in marks:
        host, _, pid = mark.owner.rpartition(":")
        if host != platform.node() or _lives(pid):
            raise VolumeError(
                f"Another devenv ({mark.owner}) works on the volumes of {mark.environment}.",
                fix="wait for it; if it is gone: docker rm " + mark.container_id[:12],
            )


def _lives(pid: str) -> bool:
    if not pid.isdigit() or int(pid) in (0, os.getpid()):
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


async def hold_container(client: EngineClient, held: Held) -> None:
    """Pause or stop a container; a cancellation waits for the engine's answer. Raises ApiError.

    A container that forks on a busy machine may not freeze at once: it is asked again.
    """
    for _ in range(_FREEZE_TRIES):
        try:
            return await _ask_to_hold(client, held)
        except ApiError as error:
            if held.how is not Hold.PAUSE or "freeze" not in error.engine_message:
                raise
        await asyncio.sleep(_FREEZE_SECONDS)
    return await _ask_to_hold(client, held)


async def _ask_to_hold(client: EngineClient, held: Held) -> None:
    verb = "pause" if held.how is Hold.PAUSE else "stop"
    path = f"/containers/{held.container_id}/{verb}"
    asking = asyncio.create_task(client.request("POST", path, timeout_seconds=_STOP_SECONDS))
    try:
        await asyncio.shield(asking)
    except asyncio.CancelledError:
        # The engine goes on with what it was asked for: let go only after that.
        await asyncio.wait([asking])
        raise


async def release(client: EngineClient, held: Iterable[Held]) -> list[str]:
    """Let containers go on; the services of those that could not, which are none in the rule.

    One that is gone, or goes on already, is fine. The first that was held goes on last.
    """
    failed = []
    for one in reversed(list(held)):
        verb = "unpause" if one.how is Hold.PAUSE else "start"
        try:
            await client.request("POST", f"/containers/{one.container_id}/{verb}")
        except ApiError:
            if await _is_held(client, one):
                failed.append(one.service)
    return failed


_FREEZE_TRIES = 5
_FREEZE_SECONDS = 0.3
_STOP_SECONDS = 180.0
"""Longer than most grace periods; the engine kills at the end of its own."""


async def _is_held(client: EngineClient, held: Held) -> bool:
    """Whether a container is still as it was held; one that is gone is not."""
    try:
        state = (await client.inspect(held.container_id)).get("State") or {}
    except ApiError as error:
        if error.status == 404:
            return False
        raise
    return bool(state.get("Paused") if held.how is Hold.PAUSE else not state.get("Running"))


def held_to_detail(held: Iterable[Held]) -> list[list[str]]:
    return [[one.container_id, one.service, one.how.value] for one in held]


def held_from_detail(detail: Any) -> list[Held]:
    try:
        return [Held(str(c), str(s), Hold(h)) for c, s, h in detail]
    except (ValueError, TypeError):
        return []


async def remove_marks(client: EngineClient, marks: Iterable[Mark]) -> None:
    """Take marks and vessels away."""
    for mark in marks:
        await remove_vessel(client, mark.container_id)
