"""`devenv snapshot list`, `rm` and `diff`."""

from __future__ import annotations

import argparse
import asyncio
import time
from typing import Any

from devenv.cli.copy_progress import CopyProgress
from devenv.cli.exclusive import hold_environment
from devenv.cli.output import print_json, print_note, print_text
from devenv.cli.session import Session
from devenv.cli.snapshots import ask_at_terminal, images_of, say, store_of
from devenv.cli.volume_recovery import recover_volumes
from devenv.compose.snapshot import (
    Change,
    Difference,
    Entry,
    Manifest,
    SnapshotBroken,
    VolumeRecord,
    check_name,
    diff_entries,
)
from devenv.engine.volume_copy import holding, scan_volume
from devenv.engine.volume_find import Holding, find_places, plan_holds
from devenv.errors import ExitCode, UsageError
from devenv.host.snapshot_store import SnapshotFile
from devenv.report.tables import render_bytes, render_duration, render_table
from devenv.state.text import sanitize

_SIGNS = {Change.ADDED: "+", Change.REMOVED: "-", Change.CHANGED: "~"}


def print_snapshots(session: Session, form: str) -> int:
    """All snapshots of the repository, the youngest first; those that are damaged last."""
    found = store_of(session).load_all()
    good = [one for _, one in found if isinstance(one, Manifest)]
    bad = [(name, one) for name, one in found if isinstance(one, SnapshotBroken)]
    good.sort(key=lambda one: -one.made_at)
    if form == "json":
        rows = [manifest_to_json(one) for one in good]
        rows += [{"name": name, "problem": error.message} for name, error in bad]
        print_json(rows)
        return ExitCode.GOOD
    if not found:
        print_text("This repository has no snapshot yet: devenv snapshot save NAME makes one.\n")
        return ExitCode.GOOD
    now = time.time()
    table = [
        (
            one.name,
            one.project,
            one.branch or "",
            (one.commit or "")[:8],
            ", ".join(_describe(volume) for volume in one.volumes),
            render_bytes(one.size_bytes),
            render_bytes(one.stored_bytes),
            render_duration(now - one.made_at),
        )
        for one in good
    ]
    head = ("SNAPSHOT", "ENVIRONMENT", "BRANCH", "COMMIT", "VOLUMES", "DATA", "ON DISK", "AGE")
    if table:
        print_text(sanitize(render_table(head, table)))
    for _, error in bad:
        print_note(sanitize(error.message))
    return ExitCode.GOOD


def _describe(volume: VolumeRecord) -> str:
    return f"{volume.key} ({volume.database.describe()})" if volume.database else volume.key


def manifest_to_json(one: Manifest) -> dict[str, Any]:
    """What scripts get of a snapshot."""
    return {
        "name": one.name,
        "environment": one.project,
        "branch": one.branch,
        "commit": one.commit,
        "profile": one.profile,
        "made_at": one.made_at,
        "devenv": one.devenv,
        "size_bytes": one.size_bytes,
        "stored_bytes": one.stored_bytes,
        "volumes": [
            {
                "volume": volume.key,
                "service": volume.service,
                "image": volume.image,
                "image_id": volume.image_id,
                "database": volume.database.kind.value if volume.database else None,
                "database_major": volume.database.major if volume.database else None,
                "held": volume.held,
                "size_bytes": volume.size_bytes,
                "stored_bytes": volume.stored_bytes,
                "entries": volume.entries,
                "sha256": volume.sha256,
            }
            for volume in one.volumes
        ],
    }


def remove_snapshots(session: Session, names: list[str], *, yes: bool, form: str) -> int:
    """Remove snapshots, after asking. Raises UsageError for one that is not there."""
    store = store_of(session)
    there = store.names()
    for name in names:
        if name not in there:
            check_name(name)
            store.open(name).close()  # which says what there is
    if not yes and not ask_at_terminal(f"Remove {', '.join(names)}? Its data is lost."):
        print_note("Nothing was removed.")
        return ExitCode.FAILED
    for name in names:
        store.remove(name)
        print_note(f"{name}: removed")
    if form == "json":
        print_json({"removed": names})
    return ExitCode.GOOD


def print_diff(session: Session, arguments: argparse.Namespace) -> int:
    """What differs in each volume. Exit code 0 whether something does or not."""
    store = store_of(session)
    with store.open(check_name(arguments.name)) as snapshot:
        before = _load_indexes(snapshot, arguments.volumes)
    if arguments.other is not None:
        with store.open(check_name(arguments.other)) as snapshot:
            after = _load_indexes(snapshot, arguments.volumes)
    else:
        after = asyncio.run(_load_now(session, tuple(before)))
    found = {
        key: diff_entries(before.get(key, ()), after.get(key, ()))
        for key in sorted({*before, *after})
    }
    if arguments.format == "json":
        print_json({key: [_difference_to_json(one) for one in rows] for key, rows in found.items()})
        return ExitCode.GOOD
    for key, rows in found.items():
        print_text(sanitize(_render_volume(key, rows, key in before, key in after)))
    return ExitCode.GOOD


def _load_indexes(snapshot: SnapshotFile, wanted: list[str]) -> dict[str, list[Entry]]:
    records = {volume.key: volume for volume in snapshot.manifest.volumes}
    for key in wanted:
        if key not in records:
            raise UsageError(
                f"Snapshot {snapshot.manifest.name} has no volume {key!r}.",
                fix=f"it has: {', '.join(records)}",
            )
    keys = wanted or list(records)
    return {key: snapshot.read_index(records[key]) for key in keys}


async def _load_now(session: Session, keys: tuple[str, ...]) -> dict[str, list[Entry]]:
    """What is in the volumes now. What can be paused is; nothing is stopped for a look."""
    client = session.client
    await client.ping()
    project = await asyncio.to_thread(lambda: session.project)
    progress = CopyProgress()
    found = {}
    async with hold_environment(session, project.name, "snapshot", say):
        await recover_volumes(client, project.name, say, progress)
        known = await find_places(client, project)
        places = [place for place in known if place.key in keys and place.exists]
        holds: list[Holding] = [
            one
            for one in await plan_holds(client, project.name, places)
            if one.held.how.value == "pause"
        ]
        async with holding(client, project.name, images_of(places), holds):
            for place in places:
                progress.begin("reading", place.key)
                scanned = await scan_volume(
                    client, project.name, place, lambda _: None, progress.on_bytes
                )
                found[place.key] = scanned.entries
    progress.clear()
    return found


def _render_volume(key: str, rows: list[Difference], had: bool, has: bool) -> str:
    if not had or not has:
        return f"{key}: only {'before' if had else 'after'}\n"
    if not rows:
        return f"{key}: nothing differs\n"
    counts = {change: sum(one.change is change for one in rows) for change in Change}
    words = ", ".join(f"{count} {change.value}" for change, count in counts.items() if count)
    lines = [f"{key}: {words}"]
    lines += [f"  {_SIGNS[one.change]} {one.path or '.'}  {_sizes(one)}".rstrip() for one in rows]
    return "\n".join(lines) + "\n"


def _sizes(one: Difference) -> str:
    before = None if one.before_bytes is None else render_bytes(one.before_bytes)
    after = None if one.after_bytes is None else render_bytes(one.after_bytes)
    if one.change is Change.CHANGED:
        sizes = f"{before} → {after}" if before != after else str(after)
        return f"{sizes} ({', '.join(one.what)})"
    return after or before or ""


def _difference_to_json(one: Difference) -> dict[str, Any]:
    return {
        "change": one.change.value,
        "path": one.path,
        "before_bytes": one.before_bytes,
        "after_bytes": one.after_bytes,
        "what": list(one.what),
    }
