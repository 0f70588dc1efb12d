"""What a snapshot is: its name, its manifest, the list of what its volumes hold, differences. Pure.

Where it lies on the disk is for `host.snapshot_store`, what fills it for `engine.volumes`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Any

from devenv.compose.databases import Database, DatabaseKind
from devenv.errors import DevenvError, ExitCode, UsageError
from devenv.values import dataclass

FORMAT = 1
"""The version of the file; a higher one is of a newer devenv."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class SnapshotBroken(DevenvError):
    """A snapshot that is damaged, or that this devenv cannot read."""

    exit_code = ExitCode.FAILED


class EntryKind(StrEnum):
    """What stands under a name in a volume. Sockets are never copied: they belong to a process."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"
    HARD_LINK = "hard link"
    FIFO = "fifo"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a volume, as the archive API gives it."""

    path: str
    """Relative to the volume's root, which is ``; bytes that are no UTF-8 as surrogates."""
    kind: EntryKind
    mode: int
    uid: int
    gid: int
    modified: int
    """Whole seconds since the epoch: the API gives no more."""
    size_bytes: int = 0
    link: str = ""
    """A symbolic link's text, or the path of the first name of a hard-linked file."""
    checksum: int = 0
    """CRC-32 of a file's content: to see a change, not to prove a snapshot."""


@dataclass(frozen=True, slots=True)
class VolumeRecord:
    """A volume in a snapshot."""

    key: str
    """Its name in the Compose files."""
    volume: str
    """The engine's name of the volume that was saved."""
    service: str | None
    image: str | None
    """The service's image as written, or as Compose names it."""
    image_id: str | None
    database: Database | None
    held: str
    """How the copy was kept consistent: `paused`, `stopped`, or `idle` where nothing wrote."""
    size_bytes: int
    """What its files hold."""
    stored_bytes: int
    entries: int
    sha256: str
    """Of the compressed archive."""
    index_sha256: str
    """Of the compressed list of entries."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot says of itself."""

    name: str
    project: str
    """The environment that it was taken of."""
    branch: str | None
    commit: str | None
    profile: str | None
    made_at: float
    """Seconds since the epoch."""
    devenv: str
    """The version that wrote it."""
    volumes: tuple[VolumeRecord, ...]
    format: int = FORMAT

    @property
    def size_bytes(self) -> int:
        return sum(volume.size_bytes for volume in self.volumes)

    @property
    def stored_bytes(self) -> int:
        return sum(volume.stored_bytes for volume in self.volumes)


def check_name(name: str) -> str:
    """The name, where a snapshot can have it. Raises UsageError with one that can."""
    if _NAME.fullmatch(name):
        return name
    near = propose_name(name)
    raise UsageError(
        f"{name!r} is no name for a snapshot: letters, digits, `.`, `_` and `-`, at most 100, "
        "the first a letter or a digit.",
        fix=f"for example: {near}",
    )


def propose_name(text: str | None) -> str:
    """A snapshot's name made of a branch's: of `feature/search` comes `feature-search`."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", text or "").strip("-._")[:80].strip("-._")
    return slug or "snapshot"


def propose_free_name(text: str | None, names: Collection[str]) -> str:
    """The same, with a number where a snapshot of that name is there already."""
    name = propose_name(text)
    number = 2
    while (free := name if number == 2 else f"{name}-{number - 1}") in names:
        number += 1
    return free


def render_manifest(manifest: Manifest) -> str:
    """As JSON."""
    volumes = []
    for one in manifest.volumes:
        row: dict[str, Any] = {
            "key": one.key,
            "volume": one.volume,
            "service": one.service,
            "image": one.image,
            "image_id": one.image_id,
            "database": None,
            "held": one.held,
            "size_bytes": one.size_bytes,
            "stored_bytes": one.stored_bytes,
            "entries": one.entries,
            "sha256": one.sha256,
            "index_sha256": one.index_sha256,
        }
        if one.database is not None:
            row["database"] = {"kind": one.database.kind.value, "major": one.database.major}
        volumes.append(row)
    document = {
        "format": manifest.format,
        "name": manifest.name,
        "project": manifest.project,
        "branch": manifest.branch,
        "commit": manifest.commit,
        "profile": manifest.profile,
        "made_at": manifest.made_at,
        "devenv": manifest.devenv,
        "volumes": volumes,
    }
    return json.dumps(document, indent=1)


def parse_manifest(text: str, name: str) -> Manifest:
    """The manifest of the snapshot `name`. Raises SnapshotBroken."""
    try:
        document = json.loads(text)
        if not isinstance(document, dict):
            raise TypeError
        if int(document["format"]) > FORMAT:
            raise SnapshotBroken(
                f"Snapshot {name} was saved by a newer devenv ({document.get('devenv')}).",
                fix="update devenv, or remove it: devenv snapshot rm " + name,
            )
        return Manifest(
            name=name,
            project=str(document["project"]),
            branch=_text(document["branch"]),
            commit=_text(document["commit"]),
            profile=_text(document["profile"]),
            made_at=float(document["made_at"]),
            devenv=str(document["devenv"]),
            volumes=tuple(_parse_volume(row) for row in document["volumes"]),
            format=int(document["format"]),
        )
    except (ValueError, TypeError, KeyError):
        raise broken(name, "its manifest cannot be read") from None


def broken(name: str, why: str) -> SnapshotBroken:
    """The error for a damaged snapshot."""
    return SnapshotBroken(
        f"Snapshot {name} is damaged: {why}. Nothing was changed.",
        fix=f"save it anew, or remove it: devenv snapshot rm {name}",
    )


def _parse_volume(row: Mapping[str, Any]) -> VolumeRecord:
    database = row["database"]
    return VolumeRecord(
        key=str(row["key"]),
        volume=str(row["volume"]),
        service=_text(row["service"]),
        image=_text(row["image"]),
        image_id=_text(row["image_id"]),
        database=None
        if database is None
        else Database(DatabaseKind(database["kind"]), _text(database["major"])),
        held=str(row["held"]),
        size_bytes=int(row["size_bytes"]),
        stored_bytes=int(row["stored_bytes"]),
        entries=int(row["entries"]),
        sha256=str(row["sha256"]),
        index_sha256=str(row["index_sha256"]),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def render_index(entries: Iterable[Entry]) -> bytes:
    """One JSON array a line."""
    lines = [
        json.dumps(
            (e.path, e.kind, e.mode, e.uid, e.gid, e.modified, e.size_bytes, e.link, e.checksum),
            separators=(",", ":"),
        )
        for e in entries
    ]
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def parse_index(data: bytes, name: str) -> list[Entry]:
    """The entries of a list. Raises SnapshotBroken."""
    try:
        return [
            Entry(
                path=str(path),
                kind=EntryKind(kind),
                mode=int(mode),
                uid=int(uid),
                gid=int(gid),
                modified=int(modified),
                size_bytes=int(size),
                link=str(link),
                checksum=int(checksum),
            )
            for path, kind, mode, uid, gid, modified, size, link, checksum in map(
                json.loads, data.splitlines()
            )
        ]
    except (ValueError, TypeError):
        raise broken(name, "its list of files cannot be read") from None


class Change(StrEnum):
    """How a name differs between two states of a volume."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """A name that differs."""

    change: Change
    path: str
    before_bytes: int | None
    after_bytes: int | None
    what: tuple[str, ...] = ()
    """Of a changed one: `content`, `mode`, `owner`, `link`, `kind`, `time`."""


def diff_entries(before: Iterable[Entry], after: Iterable[Entry]) -> list[Difference]:
    """What differs, by path. A directory whose time alone differs is passed over."""
    old = {entry.path: entry for entry in before}
    new = {entry.path: entry for entry in after}
    found = []
    for path in sorted(old.keys() | new.keys()):
        was, now = old.get(path), new.get(path)
        if was is None and now is not None:
            found.append(Difference(Change.ADDED, path, None, now.size_bytes))
        elif now is None and was is not None:
            found.append(Difference(Change.REMOVED, path, was.size_bytes, None))
        elif was is not None and now is not None and was != now:
            what = _what_differs(was, now)
            if what:
                found.append(Difference(Change.CHANGED, path, was.size_bytes, now.size_bytes, what))
    return found


def _what_differs(was: Entry, now: Entry) -> tuple[str, ...]:
    pairs = {
        "kind": (was.kind, now.kind),
        "content": ((was.size_bytes, was.checksum), (now.size_bytes, now.checksum)),
        "mode": (was.mode, now.mode),
        "owner": ((was.uid, was.gid), (now.uid, now.gid)),
        "link": (was.link, now.link),
        "time": (was.modified, now.modified),
    }
    what = tuple(name for name, (a, b) in pairs.items() if a != b)
    return () if what == ("time",) and now.kind is EntryKind.DIRECTORY else what
