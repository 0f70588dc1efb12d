"""The new content of volumes, made and proven before anything of the old goes.

Where an image of the project has a shell it goes into the volume itself (`volume_swap`), else into
a volume *beside* it. It is read back from there, name by name, and compared with what it is to be.
A mark on the engine tells of it, so that the next devenv removes what was only prepared.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from devenv.compose.snapshot import Entry, diff_entries
from devenv.compose.tar_index import BrokenTar, TarScanner
from devenv.engine.api import ApiError, EngineClient
from devenv.engine.volume_copy import LeaveHeld, open_vessel, passing
from devenv.engine.volume_find import VolumePlace
from devenv.engine.volume_swap import (
    STAGE_MOUNT,
    Swapper,
    drop_place,
    find_swap_image,
    new_place,
    prepare_place,
    staged_path,
    write_staged,
)
from devenv.engine.volume_work import LABEL_WORK, LABEL_WORK_OF, Work, make_mark, mark_labels
from devenv.engine.volumes import (
    MOUNT,
    VolumeError,
    list_users,
    make_vessel,
    make_volume,
    read_volume,
    remove_vessel,
    remove_volume,
    write_volume,
)
from devenv.values import dataclass


class Progress(Protocol):
    """What is told how far a copy is."""

    def expect(self, totals: Mapping[str, int]) -> None: ...
    def begin(self, words: str, key: str) -> None: ...
    def on_bytes(self, done: int) -> None: ...
    def end(self, done: int) -> None: ...


Root = tuple[int, int, int, int]
"""Mode, owner, group and time of a volume's own directory."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """A volume, and where its new content is made."""

    key: str
    volume: str
    place: str
    """A directory within the volume; without `image` a volume beside it."""
    image: str | None
    """What moves the content into place."""
    images: tuple[str, ...]
    labels: Mapping[str, str]
    driver_opts: Mapping[str, str]
    exists: bool

    def to_detail(self, root: Root) -> list[Any]:
        """For a mark, as `replacements_from_detail` reads it."""
        labels, options = dict(self.labels), dict(self.driver_opts)
        head = [self.key, self.volume, self.place, self.image, list(self.images)]
        return [*head, labels, options, self.exists, list(root)]


@dataclass(frozen=True, slots=True)
class Staged:
    """A vessel through which the new content is written, read back and put in place."""

    one: Replacement
    vessel_id: str
    root: Root
    swapper: Swapper | None
    """What puts it in place, where that is done within the volume."""


def replacements_from_detail(detail: Any) -> list[tuple[Replacement, Root]]:
    """What a mark says is to be replaced. Raises VolumeError where it cannot be read."""
    try:
        found = []
        for key, volume, place, image, images, labels, options, exists, root in detail:
            one = Replacement(
                str(key),
                str(volume),
                str(place),
                image and str(image),
                tuple(images),
                dict(labels),
                dict(options),
                bool(exists),
            )
            mode, uid, gid, modified = map(int, root)
            found.append((one, (mode, uid, gid, modified)))
        return found
    except (ValueError, TypeError):
        raise VolumeError("A mark of another devenv is on the engine.", fix="use that") from None


async def plan_replacement(
    client: EngineClient, environment: str, place: VolumePlace
) -> Replacement:
    """How a volume is replaced.

    Raises VolumeError where it cannot be: no image has a shell, and a container has the volume.
    """
    labels = mark_labels(Work.VESSEL, environment)
    image = await find_swap_image(client, place.images, labels)
    if image is None and await list_users(client, place.name):
        raise VolumeError(
            f"Volume {place.name} cannot be emptied while a container has it: none of the "
            "project's images has a shell, with mv and rm.",
            fix="devenv down removes the containers, so that the volume can be made anew; then "
            "again",
        )
    name = new_place() if image else place.name + new_place().replace(".", "-")
    return Replacement(
        key=place.key,
        volume=place.name,
        place=name,
        image=image,
        images=place.images,
        labels=place.labels,
        driver_opts=place.driver_opts,
        exists=place.exists,
    )


@contextlib.asynccontextmanager
async def staging(
    client: EngineClient,
    environment: str,
    replacements: Sequence[Replacement],
    contents: Mapping[str, Sequence[Entry]],
) -> AsyncIterator[list[Staged]]:
    """Places for the new content, empty, for as long as the block runs; then they go.

    `contents`: what each volume is to hold, by its key. Where the block ends in the middle of the
    replacement they stay: it says so by `LeaveHeld`.
    """
    images = list(dict.fromkeys(image for one in replacements for image in one.images))
    detail = [[one.volume, one.place, one.image, one.exists] for one in replacements]
    mark = await make_mark(client, images, Work.STAGE, environment, detail)
    staged: list[Staged] = []
    try:
        for one in replacements:
            staged.append(await _open(client, environment, one, _root_of(contents[one.key])))
            if one.image is not None:
                await prepare_place(client, staged[-1].vessel_id, one.place, staged[-1].root)
        yield staged
    except LeaveHeld:
        await _close(client, staged)
        raise
    except BaseException:
        await _close(client, staged)
        await remove_stages(client, environment, detail)
        await remove_vessel(client, mark)
        raise
    else:
        await _close(client, staged)
        for one in replacements:
            if one.image is None:
                await remove_volume(client, one.place)
        await remove_vessel(client, mark)


async def _open(client: EngineClient, environment: str, one: Replacement, root: Root) -> Staged:
    if one.image is None:
        labels = {LABEL_WORK: Work.STAGE.value, LABEL_WORK_OF: environment}
        await make_volume(client, one.place, labels)
        vessel_id = await open_vessel(client, environment, one.images, one.place)
        return Staged(one, vessel_id, root, None)
    if not one.exists:
        await make_volume(client, one.volume, one.labels, one.driver_opts)
    labels = mark_labels(Work.VESSEL, environment)
    vessel_id = await make_vessel(client, one.image, labels, one.volume, target=STAGE_MOUNT)
    return Staged(one, vessel_id, root, Swapper(client, one.image, labels, one.volume, one.place))


async def _close(client: EngineClient, staged: Sequence[Staged]) -> None:
    for one in staged:
        if one.swapper is not None:
            await one.swapper.close()
        await remove_vessel(client, one.vessel_id)


async def remove_stages(client: EngineClient, environment: str, detail: Any) -> None:
    """Remove what was prepared, by the detail of its mark. Raises VolumeError."""
    labels = mark_labels(Work.VESSEL, environment)
    for volume, place, image, existed in detail:
        if image is None:
            await remove_volume(client, place)
        elif await client.volume(volume) is not None:
            is_empty = await drop_place(client, image, labels, volume, place)
            if is_empty and not existed:
                with contextlib.suppress(ApiError):  # somebody has it by now
                    await remove_volume(client, volume)


def _root_of(entries: Sequence[Entry]) -> Root:
    root = next((entry for entry in entries if not entry.path), None)
    if root is None:
        return 0o755, 0, 0, 0
    return root.mode, root.uid, root.gid, root.modified


async def fill_stage(
    client: EngineClient,
    staged: Staged,
    tar: AsyncGenerator[bytes, None],
    entries: Sequence[Entry],
    progress: Progress,
) -> None:
    """Write the new content, and read it back: it must be `entries`. Raises VolumeError.

    What the snapshot says is compared with what the engine now gives.
    """
    one, scanner = staged.one, TarScanner()
    if staged.swapper is not None:
        staged.swapper.start()
    progress.begin("restoring", one.key)
    async with contextlib.aclosing(tar):
        passed = passing(tar, scanner, progress.on_bytes)
        try:
            if one.image is None:
                await write_volume(client, staged.vessel_id, passed)
            else:
                await write_staged(client, staged.vessel_id, passed)
        except BrokenTar as error:
            raise VolumeError(f"The snapshot's volume {one.key} is damaged: {error}.") from None
        except ApiError as error:
            raise VolumeError(
                f"The engine could not take volume {one.key}: {error.engine_message}. "
                "Nothing was changed.",
                fix="is there room on the engine's disk? docker system df",
            ) from None
    progress.end(scanner.content_bytes)
    progress.begin("reading back", one.key)
    path = MOUNT if one.image is None else staged_path(one.place)
    found = await read_back(client, staged.vessel_id, path, progress)
    progress.end(found.content_bytes)
    differing = diff_entries(entries, found.entries)
    if differing:
        raise VolumeError(
            f"Volume {one.key} does not hold what the snapshot says ({len(differing)} names "
            f"differ, such as {differing[0].path!r}). Nothing was changed.",
            fix="is the engine's disk in order?",
        )


async def read_back(
    client: EngineClient, vessel_id: str, path: str, progress: Progress
) -> TarScanner:
    """All that a vessel has below `path`. Raises VolumeError.

    Without a thread: to look at a piece takes less than to hand it over.
    """
    scanner = TarScanner()
    try:
        async with contextlib.aclosing(read_volume(client, vessel_id, path)) as chunks:
            async for chunk in chunks:
                scanner.feed(chunk)
                progress.on_bytes(scanner.content_bytes)
        scanner.finish()
    except BrokenTar as error:
        raise VolumeError(f"A volume could not be read to its end: {error}.") from None
    return scanner
