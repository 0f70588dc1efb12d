"""Volumes copied while their services are held: to this machine, or from one to another."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Generator,
    Sequence,
)
from typing import Any

from devenv.compose.databases import wanted_bytes
from devenv.compose.tar_index import BrokenTar, TarScanner
from devenv.engine.api import ApiError, EngineClient
from devenv.engine.volume_find import Holding, VolumePlace
from devenv.engine.volume_work import (
    Held,
    Work,
    held_to_detail,
    hold_container,
    make_mark,
    mark_labels,
    release,
)
from devenv.engine.volumes import (
    VolumeError,
    make_vessel,
    read_volume,
    remove_vessel,
    write_volume,
)
from devenv.errors import EngineUnavailable

BATCH_BYTES = 1024 * 1024
"""What is handed to the thread that compresses, at once."""

OnBytes = Callable[[int], None]
"""Called with how many bytes of content have passed so far."""


class LeaveHeld(VolumeError):
    """The work on the volumes is cut off where their services must not go on yet."""


@contextlib.asynccontextmanager
async def holding(
    client: EngineClient, environment: str, images: Sequence[str], holds: Sequence[Holding]
) -> AsyncIterator[None]:
    """Hold the containers while the block runs, and let them go on whatever happens but LeaveHeld.

    A mark on the engine tells the next devenv of them where this one is killed. Raises
    VolumeError where one cannot be held, or afterwards does not go on.
    """
    if not holds:
        yield
        return
    held = [one.held for one in holds]
    mark = await make_mark(client, images, Work.HOLD, environment, held_to_detail(held))
    is_left = False
    failed: list[str] = []
    try:
        for one in held:
            try:
                await hold_container(client, one)
            except ApiError as error:
                raise VolumeError(
                    f"{one.service} cannot be held ({one.how.value}): {error.engine_message}",
                    fix="devenv snapshot save --stop stops it instead"
                    if one.how.value == "pause"
                    else None,
                ) from None
        yield
    except LeaveHeld:
        is_left = True
        raise
    finally:
        if not is_left:
            failed = await _let_go(client, held, mark)
    if failed:
        raise VolumeError(
            f"{', '.join(failed)} did not go on after the copy.", fix="devenv up starts it"
        )


async def _let_go(client: EngineClient, held: Sequence[Held], mark: str) -> list[str]:
    """The services that did not go on; where all do, the mark goes."""
    try:
        failed = await release(client, held)
    except EngineUnavailable as error:
        names = ", ".join(dict.fromkeys(one.service for one in held))
        error.message += f" {names} may still be held: the next devenv up lets it go on."
        raise
    if not failed:
        await remove_vessel(client, mark)
    return failed


async def open_vessel(
    client: EngineClient, environment: str, images: Sequence[str], volume: str
) -> str:
    """A vessel of the first image that is there; its id. Raises VolumeError where none is."""
    labels = mark_labels(Work.VESSEL, environment)
    for image in images:
        try:
            return await make_vessel(client, image, labels, volume)
        except ApiError as error:
            if error.status != 404:
                raise
    raise VolumeError(
        f"Volume {volume} is reached through an image of its project, and none is on the engine.",
        fix="devenv up --detach makes the containers; or docker compose build, pull",
    )


@contextlib.asynccontextmanager
async def vessel_of(
    client: EngineClient, environment: str, images: Sequence[str], volume: str
) -> AsyncIterator[str]:
    """A vessel for as long as the block runs."""
    made = await open_vessel(client, environment, images, volume)
    try:
        yield made
    finally:
        await remove_vessel(client, made)


async def scan_volume(
    client: EngineClient,
    environment: str,
    place: VolumePlace,
    take: Callable[[bytes], None],
    on_bytes: OnBytes,
) -> TarScanner:
    """Read a volume wholly; `take` gets its tar stream in a thread. What is in it.

    Raises VolumeError where the stream ends too early.
    """
    scanner = TarScanner(wanted_bytes)

    def work(data: bytes) -> None:
        scanner.feed(data)
        take(data)

    async with vessel_of(client, environment, place.images, place.name) as vessel_id:
        try:
            await pump(
                read_volume(client, vessel_id), work, lambda: on_bytes(scanner.content_bytes)
            )
            scanner.finish()
        except BrokenTar as error:
            raise VolumeError(
                f"Volume {place.key} could not be read to its end: {error}.",
                fix="look at the engine's log, and try again",
            ) from None
    return scanner


async def pump(
    chunks: AsyncGenerator[bytes, None], take: Callable[[bytes], None], tell: Callable[[], None]
) -> None:
    """Hand a stream to `take` in batches: one is worked on in a thread while the next is read."""
    working: asyncio.Task[None] | None = None
    parts: list[bytes] = []
    size = 0
    try:
        async with contextlib.aclosing(chunks):
            async for chunk in chunks:
                parts.append(chunk)
                size += len(chunk)
                if size >= BATCH_BYTES:
                    if working is not None:
                        await asyncio.shield(working)
                        tell()
                    working = asyncio.create_task(asyncio.to_thread(take, b"".join(parts)))
                    parts, size = [], 0
        if working is not None:
            await asyncio.shield(working)
        working = asyncio.create_task(asyncio.to_thread(take, b"".join(parts)))
        await asyncio.shield(working)
        tell()
    finally:
        await _settle(working)


async def from_thread(pieces: Generator[bytes, None, None]) -> AsyncGenerator[bytes, None]:
    """What a blocking generator yields; the next piece is made while one is used."""
    reading: asyncio.Task[bytes] = asyncio.create_task(asyncio.to_thread(next, pieces, b""))
    try:
        while data := await asyncio.shield(reading):
            reading = asyncio.create_task(asyncio.to_thread(next, pieces, b""))
            yield data
    finally:
        await _settle(reading)
        pieces.close()


async def _settle(working: asyncio.Task[Any] | None) -> None:
    """Wait for a thread's work, whatever comes of it: a thread cannot be ended, and what it uses
    must not be closed under it."""
    if working is not None:
        await asyncio.wait([working])
        if not working.cancelled():
            working.exception()  # seen, so that nobody complains of it


async def passing(
    chunks: AsyncIterable[bytes], scanner: TarScanner, on_bytes: OnBytes
) -> AsyncGenerator[bytes, None]:
    """The chunks, looked at as they pass. Raises BrokenTar where they end too early."""
    async for chunk in chunks:
        scanner.feed(chunk)
        on_bytes(scanner.content_bytes)
        yield chunk
    scanner.finish()


async def copy_volume(
    client: EngineClient, source_vessel: str, target_vessel: str, on_bytes: OnBytes
) -> TarScanner:
    """Stream a volume into another, through this process and no file. What was in it.

    Raises VolumeError where the source could not be read to its end: the target is then half.
    """
    scanner = TarScanner()
    reading = read_volume(client, source_vessel)
    try:
        async with contextlib.aclosing(reading):
            await write_volume(client, target_vessel, passing(reading, scanner, on_bytes))
    except BrokenTar as error:
        raise VolumeError(f"A volume could not be read to its end: {error}.") from None
    return scanner
