"""Volumes replaced as a whole, so that at no moment there is neither the old nor the new.

The engine can neither rename a volume nor remove one that a container has, and the archive API
deletes nothing. So a replacement goes in these steps, each with a mark on the engine before it:

1. `stage`: the new content goes into a volume *beside*, and is read back and compared with what it
   should be. Until here the real volume is untouched, its services run, and all of it can go.
2. The services that have the volume are stopped, those alone.
3. The mark `replace` is made: from now on the content beside is the truth, and it is whole.
4. The real volume is emptied and filled from the volume beside, by `rm` and `cp` in a container
   of the project's own image, and read back. Where no container has it, it is removed and made
   anew; where the image's `cp` did not keep everything, the archive API fills it.
5. The mark goes, the services start, the volume beside goes.

Cut off before 3, the next devenv removes what is beside and starts the services: all is as before.
Cut off after 3, it repeats 4 from its beginning, as often as needed: the volume beside is only
read. `cli.volume_recovery` does both.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from devenv.compose.snapshot import Entry, diff_entries
from devenv.compose.tar_index import BrokenTar, TarScanner
from devenv.engine.api import ApiError, EngineClient
from devenv.engine.volume_copy import copy_volume, passing, pump, vessel_of
from devenv.engine.volume_find import Holding, VolumePlace
from devenv.engine.volume_work import (
    LABEL_WORK,
    LABEL_WORK_OF,
    Work,
    held_to_detail,
    hold_container,
    make_mark,
    mark_labels,
    release,
)
from devenv.engine.volumes import (
    VolumeError,
    empty_volume,
    has_shell,
    list_users,
    make_volume,
    no_shell,
    read_volume,
    remove_vessel,
    remove_volume,
    replace_within,
    write_volume,
)
from devenv.errors import ExitCode
from devenv.values import dataclass


class Progress(Protocol):
    """What is told how far a copy is."""

    def expect(self, totals: Mapping[str, int]) -> None: ...
    def begin(self, words: str, key: str) -> None: ...
    def on_bytes(self, done: int) -> None: ...
    def end(self, done: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Replacement:
    """A volume and the one beside it."""

    key: str
    volume: str
    stage: str
    images: tuple[str, ...]
    labels: Mapping[str, str]
    driver_opts: Mapping[str, str]

    def to_detail(self) -> list[Any]:
        return [
            self.key,
            self.volume,
            self.stage,
            list(self.images),
            dict(self.labels),
            dict(self.driver_opts),
        ]


def replacements_from_detail(detail: Any) -> list[Replacement]:
    """What a mark says is to be replaced. Raises VolumeError where it cannot be read."""
    try:
        return [
            Replacement(
                str(key), str(volume), str(stage), tuple(images), dict(labels), dict(options)
            )
            for key, volume, stage, images, labels, options in detail
        ]
    except (ValueError, TypeError):
        raise VolumeError("A mark of a newer devenv is on the engine.", fix="use it") from None


def plan_replacement(place: VolumePlace) -> Replacement:
    """The replacement of a volume, with a name beside it that is new."""
    stage = f"{place.name}-devenv-{secrets.token_hex(4)}"
    return Replacement(place.key, place.name, stage, place.images, place.labels, place.driver_opts)


async def check_can_replace(
    client: EngineClient, environment: str, replacements: Sequence[Replacement]
) -> None:
    """Raise VolumeError where a volume that containers have could not be emptied."""
    labels = mark_labels(Work.VESSEL, environment)
    for one in replacements:
        users = await list_users(client, one.volume)
        if users and not await has_shell(client, one.images, labels):
            raise no_shell(one.volume)


@contextlib.asynccontextmanager
async def staging(
    client: EngineClient, environment: str, replacements: Sequence[Replacement]
) -> AsyncIterator[None]:
    """The volumes beside, empty, for as long as the block runs; then they go.

    Where the block ends in the middle of the replacement, they stay: the block says so by
    `ReplacementCut`.
    """
    images = list(dict.fromkeys(image for one in replacements for image in one.images))
    stages = [one.stage for one in replacements]
    mark = await make_mark(client, images, Work.STAGE, environment, stages)
    try:
        for stage in stages:
            labels = {LABEL_WORK: Work.STAGE.value, LABEL_WORK_OF: environment}
            await make_volume(client, stage, labels)
        yield
    except ReplacementCut:
        raise
    except BaseException:
        await remove_stages(client, stages)
        await remove_vessel(client, mark)
        raise
    else:
        await remove_stages(client, stages)
        await remove_vessel(client, mark)


class ReplacementCut(VolumeError):
    """The replacement could not be ended; the next devenv completes it."""


async def remove_stages(client: EngineClient, stages: Sequence[str]) -> None:
    """Remove volumes that were made beside others."""
    for stage in stages:
        await remove_volume(client, stage)


async def fill_stage(
    client: EngineClient,
    environment: str,
    one: Replacement,
    tar: AsyncGenerator[bytes, None],
    entries: Sequence[Entry],
    progress: Progress,
) -> None:
    """Fill a volume beside, and read it back: it must hold `entries`.

    Raises VolumeError. What the snapshot says is compared with what the engine now gives.
    """
    async with vessel_of(client, environment, one.images, one.stage) as vessel_id:
        scanner = TarScanner()
        progress.begin("restoring", one.key)
        async with contextlib.aclosing(tar):
            try:
                await write_volume(client, vessel_id, passing(tar, scanner, progress.on_bytes))
            except BrokenTar as error:
                raise VolumeError(f"The snapshot's volume {one.key} is damaged: {error}.") from None
            except ApiError as error:
                raise VolumeError(
                    f"The engine could not take volume {one.key}: {error.engine_message}. "
                    "Nothing was changed.",
                    fix="is there room on the engine's disk? docker system df",
                ) from None
        progress.end(scanner.content_bytes)
        found = await _scan(client, vessel_id)
    differing = diff_entries(entries, found.entries)
    if differing:
        raise VolumeError(
            f"Volume {one.key} does not hold what the snapshot says ({len(differing)} names "
            f"differ, such as {differing[0].path!r}). Nothing was changed.",
            fix="is the engine's disk in order?",
        )


async def _scan(client: EngineClient, vessel_id: str) -> TarScanner:
    scanner = TarScanner()
    try:
        await pump(read_volume(client, vessel_id), scanner.feed, lambda: None)
        scanner.finish()
    except BrokenTar as error:
        raise VolumeError(f"A volume could not be read to its end: {error}.") from None
    return scanner


async def replace_volumes(
    client: EngineClient,
    environment: str,
    replacements: Sequence[Replacement],
    holds: Sequence[Holding],
    progress: Progress,
    contents: Mapping[str, Sequence[Entry]],
) -> None:
    """Stop the services, put what is beside in place, start the services.

    `contents`: what each volume is to hold, by its key.

    Raises ReplacementCut where that could not be ended: the marks stay, and the services are
    left stopped.
    """
    held = [one.held for one in holds]
    images = list(dict.fromkeys(image for one in replacements for image in one.images))
    hold_mark = await make_mark(client, images, Work.HOLD, environment, held_to_detail(held))
    try:
        for one in held:
            await hold_container(client, one)
        detail = [one.to_detail() for one in replacements]
        mark = await make_mark(client, images, Work.REPLACE, environment, detail)
    except BaseException:
        if not await release(client, held):
            await remove_vessel(client, hold_mark)
        raise
    try:
        await put_in_place(client, environment, replacements, progress, contents)
        await remove_vessel(client, mark)
    except BaseException as error:
        why = f": {error}" if str(error) else "."
        cut = ReplacementCut(
            f"The replacement was cut off in the middle{why} What is to be restored is whole, and "
            "kept on the engine.",
            fix="devenv up or devenv snapshot completes it",
        )
        if isinstance(error, asyncio.CancelledError):
            cut.exit_code = ExitCode.INTERRUPTED
        raise cut from error
    failed = await release(client, held)
    if failed:
        raise VolumeError(
            f"The data is restored, but {', '.join(failed)} did not start.",
            fix=f"devenv logs {failed[0]}",
        )
    await remove_vessel(client, hold_mark)


async def put_in_place(
    client: EngineClient,
    environment: str,
    replacements: Sequence[Replacement],
    progress: Progress,
    contents: Mapping[str, Sequence[Entry]] | None = None,
) -> None:
    """Fill each volume with what is beside it; it can be repeated. Raises VolumeError.

    Without `contents` the quick way cannot be checked, and is not taken.
    """
    for one in replacements:
        users = await list_users(client, one.volume)
        running = [row for row in users if row.get("State") in ("running", "paused", "restarting")]
        if running:
            name = (running[0].get("Names") or ["a container"])[0].removeprefix("/")
            raise VolumeError(
                f"{name} runs on volume {one.key}, whose data is being replaced.",
                fix=f"docker stop {name}; then again",
            )
        progress.begin("putting in place", one.key)
        if not users:
            await remove_volume(client, one.volume)
            await make_volume(client, one.volume, one.labels, one.driver_opts)
        expected = None if contents is None else contents[one.key]
        if expected is not None and await _put_within(client, environment, one, expected):
            progress.end(sum(entry.size_bytes for entry in expected))
            continue
        if users:
            labels = mark_labels(Work.VESSEL, environment)
            await empty_volume(client, one.volume, one.images, labels)
        async with (
            vessel_of(client, environment, one.images, one.stage) as source,
            vessel_of(client, environment, one.images, one.volume) as target,
        ):
            done = await copy_volume(client, source, target, progress.on_bytes)
            progress.end(done.content_bytes)


async def _put_within(
    client: EngineClient, environment: str, one: Replacement, expected: Sequence[Entry]
) -> bool:
    """Whether a container of the project could do it, and all is there."""
    labels = mark_labels(Work.VESSEL, environment)
    if not await replace_within(client, one.volume, one.stage, one.images, labels):
        return False
    async with vessel_of(client, environment, one.images, one.volume) as vessel_id:
        found = await _scan(client, vessel_id)
    return not diff_entries(expected, found.entries)
