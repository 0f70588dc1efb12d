"""A tar stream read as it passes: what is in it, and the start of the files that tell a version.

Push, not pull: the bytes go on to a file or an engine, and this looks at them on their way. Pure.
Spec: POSIX pax (ustar, extended headers), and GNU tar's long names.
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Callable

from devenv.compose.snapshot import Entry, EntryKind

_BLOCK = 512
_MAX_EXTRA = 1024 * 1024
"""How long an extended header may be: names and numbers, never content."""
_KINDS = {
    tarfile.REGTYPE: EntryKind.FILE,
    tarfile.AREGTYPE: EntryKind.FILE,
    tarfile.CONTTYPE: EntryKind.FILE,
    tarfile.DIRTYPE: EntryKind.DIRECTORY,
    tarfile.SYMTYPE: EntryKind.LINK,
    tarfile.LNKTYPE: EntryKind.HARD_LINK,
    tarfile.FIFOTYPE: EntryKind.FIFO,
    tarfile.CHRTYPE: EntryKind.DEVICE,
    tarfile.BLKTYPE: EntryKind.DEVICE,
}
_EXTRA = frozenset({b"x", b"g", b"L", b"K"})


class BrokenTar(ValueError):
    """The stream is no tar file, or ends before its end."""


def keep_nothing(_path: str) -> int:
    """Of no file."""
    return 0


class TarScanner:
    """Takes a tar stream in pieces of any size; `entries` grow as it goes.

    `keep` says of a path how many bytes of that file's start are to be kept in `kept`.
    """

    def __init__(self, keep: Callable[[str], int] = keep_nothing) -> None:
        self.entries: list[Entry] = []
        self.content_bytes = 0
        """What regular files held so far."""
        self.kept: dict[str, bytes] = {}
        self._keep = keep
        self._rest = b""
        self._left = 0  # of the body
        self._padding = 0
        self._crc = 0
        self._extra_kind = b""
        self._extra = bytearray()
        self._pax: dict[str, str] = {}
        self._info: tarfile.TarInfo | None = None
        self._path = ""
        self._keep_bytes = 0
        self._ended = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes. Raises BrokenTar."""
        if self._rest:
            data = self._rest + data
            self._rest = b""
        view = memoryview(data)
        at, end = 0, len(data)
        while at < end and not self._ended:
            if self._left:
                size = min(self._left, end - at)
                self._take_body(view[at : at + size])
                self._left -= size
                at += size
                if not self._left:
                    self._close()
            elif self._padding:
                size = min(self._padding, end - at)
                self._padding -= size
                at += size
            elif end - at < _BLOCK:
                self._rest = bytes(view[at:])
                return
            else:
                self._take_header(bytes(view[at : at + _BLOCK]))
                at += _BLOCK

    def finish(self) -> None:
        """Raise BrokenTar where the stream has ended too early."""
        if not self._ended:
            raise BrokenTar("the tar stream ends in the middle")

    def _take_header(self, block: bytes) -> None:
        if not block.strip(b"\0"):
            self._ended = True
            return
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise BrokenTar(f"the tar stream is damaged: {error}") from None
        size = info.size
        if info.type in _EXTRA:
            if size > _MAX_EXTRA:
                raise BrokenTar("the tar stream is damaged: an extended header of odd size")
            self._extra_kind, self._extra = info.type, bytearray()
        else:
            size = self._open(info)
        self._left, self._padding = size, -size % _BLOCK
        if not size:
            self._close()

    def _open(self, info: tarfile.TarInfo) -> int:
        """Begin an entry; the size of its body."""
        pax = self._pax
        if "path" in pax:
            info.name = pax["path"]
        if "linkpath" in pax:
            info.linkname = pax["linkpath"]
        try:
            info.size = int(pax.get("size", info.size))
            info.uid, info.gid = int(pax.get("uid", info.uid)), int(pax.get("gid", info.gid))
            info.mtime = float(pax.get("mtime", info.mtime))
        except ValueError:
            raise BrokenTar("the tar stream is damaged: a number is none") from None
        self._pax = {}
        self._info, self._crc = info, 0
        self._path = _relative(info.name)
        is_file = _KINDS.get(info.type) is EntryKind.FILE
        self._keep_bytes = self._keep(self._path) if is_file else 0
        if self._keep_bytes:
            self.kept[self._path] = b""
        return info.size if is_file else 0

    def _take_body(self, body: memoryview) -> None:
        if self._extra_kind:
            self._extra += body
            return
        self._crc = zlib.crc32(body, self._crc)
        self.content_bytes += len(body)
        if self._keep_bytes:
            have = self.kept[self._path]
            self.kept[self._path] = have + bytes(body[: self._keep_bytes - len(have)])

    def _close(self) -> None:
        if self._extra_kind:
            kind, self._extra_kind = self._extra_kind, b""
            if kind == b"x":
                self._pax.update(_parse_pax(bytes(self._extra)))
            elif kind in b"LK":
                text = self._extra.rstrip(b"\0").decode("utf-8", "surrogateescape")
                self._pax["path" if kind == b"L" else "linkpath"] = text
            return
        info = self._info
        if info is None:
            return
        kind_of = _KINDS.get(info.type)
        if kind_of is None:
            raise BrokenTar(f"the tar stream holds an entry of unknown type {info.type!r}")
        is_file = kind_of is EntryKind.FILE
        link = info.linkname if kind_of in (EntryKind.LINK, EntryKind.HARD_LINK) else ""
        self.entries.append(
            Entry(
                path=self._path,
                kind=kind_of,
                mode=info.mode & 0o7777,
                uid=info.uid,
                gid=info.gid,
                modified=int(info.mtime),
                size_bytes=info.size if is_file else 0,
                link=_relative(link) if kind_of is EntryKind.HARD_LINK else link,
                checksum=self._crc if is_file else 0,
            )
        )
        self._info = None


def _relative(name: str) -> str:
    """Without the directory that all stand in: `volume/a` is `a`, `volume` is ``."""
    return name.rstrip("/").partition("/")[2]


def _parse_pax(body: bytes) -> dict[str, str]:
    """Records of length, blank, key, `=`, value, newline; values of other keys are passed over."""
    found: dict[str, str] = {}
    at = 0
    while at < len(body):
        blank = body.find(b" ", at)
        if blank < 0 or not body[at:blank].isdigit():
            raise BrokenTar("the tar stream is damaged: an extended header is none")
        size = int(body[at:blank])
        if size <= blank - at or at + size > len(body):
            raise BrokenTar("the tar stream is damaged: an extended header is none")
        key, _, value = body[blank + 1 : at + size - 1].partition(b"=")
        if key in (b"path", b"linkpath", b"size", b"uid", b"gid", b"mtime"):
            found[key.decode()] = value.decode("utf-8", "surrogateescape")
        at += size
    return found
