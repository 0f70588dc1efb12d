"""`devenv snapshot save`: an environment's volumes into a file, while their services are held."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path

import devenv
from devenv.cli.copy_progress import CopyProgress
from devenv.cli.exclusive import hold_environment
from devenv.cli.isolation import repository_of
from devenv.cli.output import print_json, print_note
from devenv.cli.session import Session
from devenv.cli.volume_recovery import Tell, recover_volumes
from devenv.compose.databases import Hold, find_database
from devenv.compose.snapshot import Manifest, VolumeRecord, check_name
from devenv.engine.volume_copy import holding, scan_volume
from devenv.engine.volume_find import Holding, VolumePlace, find_places, load_sizes, plan_holds
from devenv.engine.volume_stage import Progress
from devenv.errors import ExitCode, UsageError
from devenv.host import paths
from devenv.host.snapshot_store import SnapshotStore, SnapshotWriter, taken
from devenv.report.tables import render_bytes
from devenv.state.text import sanitize
from devenv.values import dataclass

Ask = Callable[[str], Awaitable[bool]]
"""Asks a question; whether the answer was yes."""


@dataclass(frozen=True, slots=True)
class SaveOptions:
    """What `save` was asked for."""

    name: str
    volumes: tuple[str, ...] = ()
    stop: bool = False
    yes: bool = False
    replace: bool = False


def store_of(session: Session) -> SnapshotStore:
    """The snapshots of the session's repository."""
    return SnapshotStore(paths.state_directory(session.environ), repository_of(session))


def ask_at_terminal(question: str) -> bool:
    """Raises UsageError where there is no terminal to ask at."""
    if not sys.stdin.isatty():
        raise UsageError(
            f"{question.rstrip('?')}: there is no terminal to ask at.", fix="--yes does not ask"
        )
    sys.stderr.write(f"{sanitize(question)} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def answer_with(yes: bool) -> Ask:
    """What asks at the terminal, unless the answer was given with the command: then it is yes."""

    async def ask(question: str) -> bool:
        return yes or ask_at_terminal(question)

    return ask


async def say(words: str) -> None:
    print_note(sanitize(words))


async def save_snapshot(
    session: Session, options: SaveOptions, *, ask: Ask, progress: Progress, tell: Tell = say
) -> Manifest | None:
    """Save the volumes; None where the answer was no. Raises what keeps it from being done."""
    check_name(options.name)
    store = store_of(session)
    if not options.replace and store.path(options.name).exists():
        raise taken(options.name)
    client = session.client
    await client.ping()
    project = await asyncio.to_thread(lambda: session.project)
    async with hold_environment(session, project.name, "snapshot", tell):
        await recover_volumes(client, project.name, tell, progress)
        store.clean()
        places = [
            place
            for place in await find_places(client, project, options.volumes)
            if place.exists or place.key in options.volumes
        ]
        missing = [place.key for place in places if not place.exists]
        if missing:
            raise UsageError(
                f"Volume {', '.join(missing)} is not on the engine yet.", fix="devenv up makes it"
            )
        if not places:
            raise UsageError(
                f"{project.name} has no named volume on the engine: there is nothing to save.",
                fix="devenv up makes the volumes that the Compose files name",
            )
        holds = await plan_holds(client, project.name, places, stop=options.stop)
        if not await consent(holds, asked=options.stop or options.yes, ask=ask, tell=tell):
            return None
        sizes = await load_sizes(client)
        progress.expect({p.key: sizes[p.name] for p in places if p.name in sizes})
        writer = store.create(options.name, replace=options.replace)
        try:
            images = images_of(places)
            async with holding(client, project.name, images, holds):
                records = [
                    await _save_volume(session, place, writer, progress, holds) for place in places
                ]
            manifest = _manifest(session, options.name, records)
            await asyncio.to_thread(writer.commit, manifest)
        finally:
            writer.abort()
    return manifest


async def consent(holds: Sequence[Holding], *, asked: bool, ask: Ask, tell: Tell) -> bool:
    """Say how each service is held; ask where one is to be stopped and nobody has said so."""
    for one in holds:
        await tell(f"{one.held.service}: {one.why}")
    stopped = [one for one in holds if one.held.how is Hold.STOP]
    if not stopped or asked:
        return True
    names = ", ".join(dict.fromkeys(one.held.service for one in stopped))
    whys = " ".join(dict.fromkeys(f"{one.why.partition(': ')[2]}." for one in stopped))
    return await ask(f"{whys} Stop {names} while its data is copied?".lstrip())


def images_of(places: Collection[VolumePlace]) -> list[str]:
    """All images through which some of the volumes can be reached."""
    return list(dict.fromkeys(image for place in places for image in place.images))


async def _save_volume(
    session: Session,
    place: VolumePlace,
    writer: SnapshotWriter,
    progress: Progress,
    holds: Sequence[Holding],
) -> VolumeRecord:
    progress.begin("saving", place.key)
    await asyncio.to_thread(writer.begin, place.key)
    found = await scan_volume(
        session.client, session.project.name, place, writer.write, progress.on_bytes
    )
    digest, stored, index = await asyncio.to_thread(writer.end, place.key, found.entries)
    progress.end(found.content_bytes)
    users = {str(row["Id"]) for row in place.users}
    how = {one.held.how for one in holds if one.held.container_id in users}
    held = "paused" if Hold.PAUSE in how else "stopped" if how else "idle"
    image_id = next((str(row["ImageID"]) for row in place.users if row.get("ImageID")), None)
    return VolumeRecord(
        key=place.key,
        volume=place.name,
        service=place.service,
        image=place.image,
        image_id=image_id,
        database=find_database(found.kept),
        held=held,
        size_bytes=found.content_bytes,
        stored_bytes=stored,
        entries=len(found.entries),
        sha256=digest,
        index_sha256=index,
    )


def _manifest(session: Session, name: str, records: Sequence[VolumeRecord]) -> Manifest:
    files = session.files
    return Manifest(
        name=name,
        project=session.project.name,
        branch=files.git.effective_branch if files.git else None,
        commit=files.git.head_sha if files.git else None,
        profile=files.choice.name,
        made_at=time.time(),
        devenv=devenv.__version__,
        volumes=tuple(records),
    )


def run_save(session: Session, options: SaveOptions, form: str) -> int:
    """`snapshot save`."""
    from devenv.cli.snapshot_list import manifest_to_json

    progress = CopyProgress()
    try:
        manifest = asyncio.run(
            save_snapshot(session, options, ask=answer_with(False), progress=progress)
        )
    finally:
        progress.clear()
    if manifest is None:
        print_note("Nothing was saved.")
        return ExitCode.FAILED
    if form == "json":
        print_json(manifest_to_json(manifest))
    path: Path = store_of(session).path(manifest.name)
    stored, size = render_bytes(manifest.stored_bytes), render_bytes(manifest.size_bytes)
    print_note(sanitize(f"{manifest.name}: {size}, {stored} on disk, in {path}"))
    return ExitCode.GOOD
