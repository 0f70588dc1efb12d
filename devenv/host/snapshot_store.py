"""Snapshots on this machine: one file each, in the state directory, in a folder per repository.

A file is a zip without compression of its own: `manifest.json`, and for each volume `KEY.tar.zst`
and `KEY.index.zst`, so that `unzip` and `zstd` open it without devenv. It is written under a
temporary name, synced, and then given its name in one step; whatever ends devenv, a name stands
for a whole snapshot or for none. Modes are 0700 and 0600: a database holds secrets.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import io
import os
import re
import time
import zipfile
from collections.abc import Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

from backports.zstd import CompressionParameter, ZstdCompressor, ZstdError, ZstdFile, decompress

from devenv.compose.snapshot import (
    Entry,
    Manifest,
    SnapshotBroken,
    VolumeRecord,
    broken,
    parse_index,
    parse_manifest,
    render_index,
    render_manifest,
)
from devenv.errors import DevenvError, ExitCode, UsageError

SUFFIX = ".snapshot"
_PART = ".part"
_LEVEL = 1
"""Of zstd: 5 times as fast as zlib's quickest on a database, and smaller."""
_THREADS = min(4, os.cpu_count() or 1)
_READ_BYTES = 256 * 1024
"""A socket takes about as much at once: of larger pieces the rest is copied again and again."""
_MANIFEST = "manifest.json"
_MAX_MANIFEST = 16 * 1024 * 1024


class StoreError(DevenvError):
    """The directory of the snapshots cannot be used, or has no room."""

    exit_code = ExitCode.FAILED


class SnapshotStore:
    """The snapshots of one repository."""

    def __init__(self, state_directory: Path, repository: str) -> None:
        path = Path(repository)
        base = path.parent.name if path.name == ".git" else path.name
        slug = re.sub(r"[^A-Za-z0-9._-]+", "-", base).strip("-.") or "repository"
        digest = hashlib.sha256(repository.encode(errors="surrogateescape")).hexdigest()[:8]
        self.directory = state_directory / "snapshots" / f"{slug[:40]}-{digest}"

    def path(self, name: str) -> Path:
        return self.directory / f"{name}{SUFFIX}"

    def names(self) -> list[str]:
        """The names there are, sorted. Raises StoreError."""
        try:
            found = [one.name for one in self.directory.iterdir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._unusable(error) from None
        return sorted(n.removesuffix(SUFFIX) for n in found if n.endswith(SUFFIX) and n[0] != ".")

    def load_all(self) -> list[tuple[str, Manifest | SnapshotBroken]]:
        """Each name with its manifest, or why it has none that can be read."""
        found: list[tuple[str, Manifest | SnapshotBroken]] = []
        for name in self.names():
            try:
                with self.open(name) as snapshot:
                    found.append((name, snapshot.manifest))
            except SnapshotBroken as error:
                found.append((name, error))
            except UsageError:
                continue  # removed meanwhile
        return found

    def open(self, name: str) -> SnapshotFile:
        """A snapshot to read. Raises UsageError where there is none, SnapshotBroken, StoreError."""
        try:
            return SnapshotFile(name, self.path(name))
        except FileNotFoundError:
            from difflib import get_close_matches

            names = self.names()
            near = get_close_matches(name, names, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}? " if near else ""
            raise UsageError(
                f"There is no snapshot {name!r} of this repository.",
                fix=f"{hint}snapshots: {', '.join(names) or 'none'}",
            ) from None
        except OSError as error:
            raise self._unusable(error) from None

    def create(self, name: str, *, replace: bool) -> SnapshotWriter:
        """A snapshot to write. Raises UsageError where the name is taken, StoreError."""
        if not replace and self.path(name).exists():
            raise taken(name)
        try:
            self.directory.parent.mkdir(mode=0o700, exist_ok=True)
            self.directory.mkdir(mode=0o700, exist_ok=True)
            return SnapshotWriter(self, name, replace=replace)
        except OSError as error:
            raise self._unusable(error) from None

    def remove(self, name: str) -> None:
        """Raises UsageError where there is none, StoreError."""
        try:
            self.path(name).unlink()
        except FileNotFoundError:
            self.open(name).close()
        except OSError as error:
            raise self._unusable(error) from None

    def clean(self) -> None:
        """Remove what killed writers have left. Those that are being written are locked."""
        with contextlib.suppress(OSError):
            for one in self.directory.iterdir():
                if one.name.startswith(".") and one.name.endswith(_PART):
                    with one.open("rb+") as file:
                        try:
                            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        except BlockingIOError:
                            continue
                        one.unlink()

    def _unusable(self, error: OSError) -> StoreError:
        return StoreError(
            f"The snapshots in {self.directory} cannot be used: {error.strerror or error}.",
            fix="make the directory usable, or set XDG_STATE_HOME to one that is",
        )


def taken(name: str) -> UsageError:
    return UsageError(
        f"There is a snapshot {name} already.",
        fix=f"take another name, or replace it: devenv snapshot save --replace {name}",
    )


class SnapshotWriter:
    """A snapshot that is being written; its methods block. `commit` or `abort` ends it."""

    def __init__(self, store: SnapshotStore, name: str, *, replace: bool) -> None:
        self._store, self._name, self._replace = store, name, replace
        self._part = store.directory / f".{name}.{os.getpid()}-{time.monotonic_ns()}{_PART}"
        descriptor = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = _Target(descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED)
        self._member: IO[bytes] | None = None
        self._compressor = _compressor()
        self._digest = hashlib.sha256()
        self.stored_bytes = 0
        """Of the volume that is being written."""

    def begin(self, key: str) -> None:
        """The next volume. Raises StoreError."""
        self._open(f"{key}.tar.zst")

    def write(self, data: bytes) -> None:
        """More of its tar stream. Raises StoreError."""
        self._put(self._compressor.compress(data))

    def end(self, key: str, entries: list[Entry]) -> tuple[str, int, str]:
        """The volume is whole: digest and size of its archive, digest of its list of entries."""
        digest, stored = self._close()
        self._open(f"{key}.index.zst")
        self._put(self._compressor.compress(render_index(entries)))
        return digest, stored, self._close()[0]

    def commit(self, manifest: Manifest) -> Path:
        """Give it its name, once all of it is on the disk. Raises StoreError, UsageError."""
        path = self._store.path(self._name)
        try:
            self._zip.writestr(_info(_MANIFEST), render_manifest(manifest))
            self._zip.close()
            os.fsync(self._file.fileno())
            if self._replace:
                self._part.rename(path)
            else:
                try:
                    path.hardlink_to(self._part)  # fails where the name is taken meanwhile
                except FileExistsError:
                    raise taken(self._name) from None
                self._part.unlink()
            directory = os.open(self._store.directory, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        except OSError as error:
            raise self._failed(error) from None
        self._file.close()
        return path

    def abort(self) -> None:
        """Leave nothing behind; after `commit` it does nothing."""
        if self._file.closed:
            return
        self._file.is_dead = True  # what the zip still has to say goes nowhere
        with contextlib.suppress(OSError, ValueError):
            if self._member is not None:
                self._member.close()
            self._zip.close()
        with contextlib.suppress(OSError):
            self._part.unlink()
        self._file.close()

    def _open(self, name: str) -> None:
        self._compressor, self._digest, self.stored_bytes = _compressor(), hashlib.sha256(), 0
        try:
            self._member = self._zip.open(_info(name), "w", force_zip64=True)
        except OSError as error:
            raise self._failed(error) from None

    def _close(self) -> tuple[str, int]:
        assert self._member is not None
        self._put(self._compressor.flush())
        try:
            self._member.close()
        except OSError as error:
            raise self._failed(error) from None
        self._member = None
        return self._digest.hexdigest(), self.stored_bytes

    def _put(self, data: bytes) -> None:
        if not data:
            return
        assert self._member is not None
        self._digest.update(data)
        self.stored_bytes += len(data)
        try:
            self._member.write(data)
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> StoreError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return StoreError(
                f"There is no room left for the snapshot in {self._store.directory}. "
                "Nothing was kept.",
                fix="make room there, remove snapshots (devenv snapshot rm NAME), or set "
                "XDG_STATE_HOME to a larger disk",
            )
        return StoreError(
            f"The snapshot cannot be written to {self._store.directory}: "
            f"{error.strerror or error}. Nothing was kept.",
            fix="make the directory usable, or set XDG_STATE_HOME to one that is",
        )


class SnapshotFile:
    """A snapshot that is being read; its methods block. Raises SnapshotBroken throughout."""

    def __init__(self, name: str, path: Path) -> None:
        """Raises OSError too."""
        self._name = name
        self._file = path.open("rb")
        try:
            self._zip = zipfile.ZipFile(self._file)
            if self._zip.getinfo(_MANIFEST).file_size > _MAX_MANIFEST:
                raise broken(name, "its manifest cannot be read")
            text = self._zip.read(_MANIFEST).decode()
            self.manifest = parse_manifest(text, name)
        except (zipfile.BadZipFile, KeyError, ValueError, NotImplementedError, EOFError):
            self._file.close()
            raise broken(name, "it is no whole file") from None
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> SnapshotFile:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._zip.close()
        self._file.close()

    def verify(self, record: VolumeRecord) -> None:
        """Read a volume's archive wholly, and hold it against its checksum."""
        digest = hashlib.sha256()
        with self._member(f"{record.key}.tar.zst") as member:
            for data in self._pieces(member):
                digest.update(data)
        if digest.hexdigest() != record.sha256:
            raise broken(self._name, f"the checksum of volume {record.key} is another one")

    def read_archive(self, record: VolumeRecord) -> Generator[bytes, None, None]:
        """A volume's tar stream, in pieces."""
        with (
            self._member(f"{record.key}.tar.zst") as member,
            ZstdFile(member, "rb") as stream,
        ):
            yield from self._pieces(stream)

    def read_index(self, record: VolumeRecord) -> list[Entry]:
        """What is in a volume."""
        with self._member(f"{record.key}.index.zst") as member:
            data = b"".join(self._pieces(member))
        if hashlib.sha256(data).hexdigest() != record.index_sha256:
            raise broken(self._name, f"the list of files of volume {record.key} has another sum")
        try:
            return parse_index(decompress(data), self._name)
        except ZstdError as error:
            raise broken(self._name, str(error)) from None

    @contextlib.contextmanager
    def _member(self, name: str) -> Iterator[IO[bytes]]:
        try:
            member = self._zip.open(name)
        except (KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError):
            raise broken(self._name, f"{name} cannot be read") from None
        with member:
            yield member

    def _pieces(self, stream: IO[bytes] | ZstdFile) -> Iterator[bytes]:
        while True:
            try:
                data = stream.read(_READ_BYTES)
            except (zipfile.BadZipFile, ZstdError, EOFError, OSError) as error:
                raise broken(self._name, str(error)) from None
            if not data:
                return
            yield data


class _Target(io.FileIO):
    """The file below the zip; once dead, it takes writes without effect."""

    is_dead = False

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "r+")

    def write(self, data: object, /) -> int:
        """All of it: a raw write may take a part."""
        view = memoryview(data)  # type: ignore[arg-type]
        if self.is_dead:
            return len(view)
        at = 0
        while at < len(view):
            at += super().write(view[at:]) or 0
        return len(view)


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, time.localtime()[:6])
    info.external_attr = 0o600 << 16
    return info


def _compressor() -> ZstdCompressor:
    return ZstdCompressor(
        options={
            CompressionParameter.compression_level: _LEVEL,
            CompressionParameter.nb_workers: _THREADS,
        }
    )
