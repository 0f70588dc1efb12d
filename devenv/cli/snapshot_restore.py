"""`devenv snapshot restore`: an environment's volumes as they were, once that is proven."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection

from devenv.cli.copy_progress import CopyProgress
from devenv.cli.exclusive import hold_environment
from devenv.cli.output import print_json, print_note
from devenv.cli.session import Session
from devenv.cli.snapshots import Ask, answer_with, images_of, say, store_of
from devenv.cli.volume_recovery import Tell, recover_volumes
from devenv.compose.snapshot import Manifest, VolumeRecord, check_name
from devenv.engine.volume_copy import from_thread, holding
from devenv.engine.volume_find import VolumePlace, find_places, plan_holds
from devenv.engine.volume_restore import replace_volumes
from devenv.engine.volume_stage import Progress, fill_stage, plan_replacement, staging
from devenv.engine.volume_version import SavedData, check_version
from devenv.errors import ExitCode, UsageError
from devenv.host.snapshot_store import SnapshotFile
from devenv.report.tables import render_bytes, render_duration
from devenv.state.text import sanitize


async def restore_snapshot(
    session: Session,
    name: str,
    volumes: Collection[str],
    *,
    ask: Ask,
    progress: Progress,
    tell: Tell = say,
) -> Manifest | None:
    """Put a snapshot's volumes in place of the environment's; None where the answer was no."""
    with store_of(session).open(check_name(name)) as snapshot:
        return await _restore(session, snapshot, volumes, ask, progress, tell)


async def _restore(
    session: Session,
    snapshot: SnapshotFile,
    volumes: Collection[str],
    ask: Ask,
    progress: Progress,
    tell: Tell,
) -> Manifest | None:
    client, manifest = session.client, snapshot.manifest
    await client.ping()
    project = await asyncio.to_thread(lambda: session.project)
    records = _choose(manifest, volumes)
    async with hold_environment(session, project.name, "snapshot", tell):
        await recover_volumes(client, project.name, tell, progress)
        places = await _find(session, manifest, records)
        for record in records:
            data = SavedData(
                f"The snapshot's volume {record.key}",
                record.database,
                record.image,
                record.image_id,
            )
            await check_version(client, project.name, places[record.key], data)
        for record in records:
            await asyncio.to_thread(snapshot.verify, record)
        progress.expect({record.key: record.size_bytes for record in records})
        holds = await plan_holds(client, project.name, places.values(), stop=True, readers=True)
        if not await ask(
            _question(manifest, project.name, records, [h.held.service for h in holds])
        ):
            return None
        replacements = [
            await plan_replacement(client, project.name, place) for place in places.values()
        ]
        contents = {
            record.key: await asyncio.to_thread(snapshot.read_index, record) for record in records
        }
        images = images_of(places.values())
        async with (
            holding(client, project.name, images, holds),
            staging(client, project.name, replacements, contents) as staged,
        ):
            for stage in staged:
                record = next(one for one in records if one.key == stage.one.key)
                tar = from_thread(snapshot.read_archive(record))
                await fill_stage(client, stage, tar, contents[record.key], progress)
            await replace_volumes(client, project.name, staged, progress)
    return manifest


def _choose(manifest: Manifest, wanted: Collection[str]) -> list[VolumeRecord]:
    known = {record.key: record for record in manifest.volumes}
    for key in wanted:
        if key not in known:
            raise UsageError(
                f"Snapshot {manifest.name} has no volume {key!r}.",
                fix=f"it has: {', '.join(known)}",
            )
    return [record for record in manifest.volumes if not wanted or record.key in wanted]


async def _find(
    session: Session, manifest: Manifest, records: Collection[VolumeRecord]
) -> dict[str, VolumePlace]:
    """The volumes of the environment that the snapshot's go into, by key."""
    keys = [record.key for record in records]
    known = {volume.key for volume in session.project.volumes}
    strange = [key for key in keys if key not in known]
    if strange:
        others = [f"--volume {key}" for key in keys if key in known]
        raise UsageError(
            f"Snapshot {manifest.name} has volume {', '.join(strange)}, which this environment's "
            "Compose files do not have.",
            fix=f"restore the others: {' '.join(others)}" if others else "choose another profile",
        )
    places = await find_places(session.client, session.project, keys)
    return {place.key: place for place in places}


def _question(
    manifest: Manifest, environment: str, records: Collection[VolumeRecord], services: list[str]
) -> str:
    keys = ", ".join(record.key for record in records)
    age = render_duration(time.time() - manifest.made_at)
    stopped = f", stopping {', '.join(dict.fromkeys(services))} meanwhile" if services else ""
    return (
        f"Replace the data of {keys} in {environment} by that of snapshot {manifest.name} "
        f"({age} old){stopped}? What is there now is lost."
    )


def run_restore(
    session: Session, name: str, volumes: Collection[str], *, yes: bool, form: str
) -> int:
    """`snapshot restore`."""
    progress = CopyProgress()

    try:
        manifest = asyncio.run(
            restore_snapshot(session, name, volumes, ask=answer_with(yes), progress=progress)
        )
    finally:
        progress.clear()
    if manifest is None:
        print_note("Nothing was changed.")
        return ExitCode.FAILED
    records = _choose(manifest, volumes)
    if form == "json":
        print_json(
            {
                "snapshot": manifest.name,
                "environment": session.project.name,
                "volumes": [record.key for record in records],
            }
        )
    size = render_bytes(sum(record.size_bytes for record in records))
    print_note(sanitize(f"{session.project.name}: restored from {manifest.name}, {size}"))
    return ExitCode.GOOD
