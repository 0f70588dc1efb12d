"""Files of the disk as a tar stream for the Engine's archive API, each read once.

What the disk holds when it is read decides: a file that vanished since is a deletion.
"""

from __future__ import annotations

import io
import os
import posixpath
import stat
import tarfile
from collections.abc import Iterable, Iterator, Mapping

from devenv.values import dataclass

BATCH_BYTES = 64 * 1024 * 1024
"""How much of the files' content goes into one request; a larger file goes alone."""
BATCH_FILES = 2000
"""How many names go into one request: what one `mv` in the container can take."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose the files are in the container, by number."""

    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, slots=True)
class DiskEntry:
    """What is at a path of the disk now. `kind` is a type of tarfile (REGTYPE and so on)."""

    target: str
    """Absolute path in the container."""
    source: str
    kind: bytes
    mode: int
    modified: float
    size_bytes: int = 0
    link: str = ""


@dataclass(frozen=True, slots=True)
class DiskState:
    """The changes as the disk has them: directories before what is in them."""

    entries: tuple[DiskEntry, ...] = ()
    deleted: tuple[str, ...] = ()
    """Targets whose source is not there."""
    skipped: tuple[str, ...] = ()
    """Targets whose source is a socket, pipe or device, or cannot be read."""


def load_disk_state(changes: Mapping[str, str]) -> DiskState:
    """Target -> source, looked at without following links. A directory stands for itself only."""
    entries: list[DiskEntry] = []
    deleted: list[str] = []
    skipped: list[str] = []
    for target, source in sorted(changes.items()):
        try:
            target.encode()  # the engine takes names as JSON too, which is UTF-8
            status = os.lstat(source)
            link = os.readlink(source) if stat.S_ISLNK(status.st_mode) else ""  # noqa: PTH115
        except (FileNotFoundError, NotADirectoryError):
            deleted.append(target)
            continue
        except (OSError, UnicodeEncodeError):
            skipped.append(target)
            continue
        kinds = {
            stat.S_IFREG: tarfile.REGTYPE,
            stat.S_IFDIR: tarfile.DIRTYPE,
            stat.S_IFLNK: tarfile.SYMTYPE,
        }
        kind = kinds.get(stat.S_IFMT(status.st_mode))
        if kind is None or (kind == tarfile.REGTYPE and not os.access(source, os.R_OK)):
            skipped.append(target)
            continue
        mode, time = stat.S_IMODE(status.st_mode), status.st_mtime
        size = status.st_size if kind == tarfile.REGTYPE else 0
        entries.append(DiskEntry(target, source, kind, mode, time, size, link))
    return DiskState(tuple(entries), tuple(deleted), tuple(skipped))


def divide(
    entries: Iterable[DiskEntry], batch_bytes: int = BATCH_BYTES
) -> Iterator[list[DiskEntry]]:
    """Entries in their order, in lots of bounded content and number; no lot is empty."""
    lot: list[DiskEntry] = []
    size = 0
    for one in entries:
        if lot and (size + one.size_bytes > batch_bytes or len(lot) >= BATCH_FILES):
            yield lot
            lot, size = [], 0
        lot.append(one)
        size += one.size_bytes
    if lot:
        yield lot


@dataclass(frozen=True, slots=True)
class Tar:
    """A tar file, and what of the entries it holds."""

    body: bytes
    content_bytes: int
    held: tuple[DiskEntry, ...]
    vanished: tuple[str, ...]
    """Targets whose source went while it was read: for the next round."""


def write_tar(
    entries: Iterable[DiskEntry],
    names: Mapping[str, str],
    owner: Owner,
    folders: Iterable[str] = (),
    base: str = "/",
    *,
    plain: bool = False,
) -> Tar:
    """The entries under the names that they get in the container (target -> absolute path).

    `folders` are directories that are to be made before: mode 755, the same owner. `base` is
    the directory that the tar file is extracted in. `plain`: for any `tar` program, busybox's
    passes over pax headers. Reads files, so call it in a thread.
    """
    form = tarfile.GNU_FORMAT if plain else tarfile.PAX_FORMAT
    buffer = io.BytesIO()
    held: list[DiskEntry] = []
    vanished: list[str] = []
    content = 0
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for folder in folders:
            tar.addfile(_member(folder, base, tarfile.DIRTYPE, 0o755, owner))
        for one in entries:
            member = _member(names[one.target], base, one.kind, one.mode, owner)
            member.mtime, member.linkname = one.modified, one.link
            data = b""
            if one.kind == tarfile.REGTYPE:
                try:
                    with open(one.source, "rb") as file:  # noqa: PTH123, any bytes may be in a name
                        data = file.read()
                except OSError:
                    vanished.append(one.target)
                    continue
                member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
            held.append(one)
            content += len(data)
    return Tar(buffer.getvalue(), content, tuple(held), tuple(vanished))


def _member(path: str, base: str, kind: bytes, mode: int, owner: Owner) -> tarfile.TarInfo:
    member = tarfile.TarInfo(posixpath.relpath(path, base))
    member.type, member.mode = kind, mode
    member.uid, member.gid = owner.uid, owner.gid
    return member
