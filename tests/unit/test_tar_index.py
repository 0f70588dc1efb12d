"""A tar stream is read as tarfile reads it, whatever the pieces; what is damaged is noticed."""

from __future__ import annotations

import io
import tarfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.compose.snapshot import Entry, EntryKind
from devenv.compose.tar_index import BrokenTar, TarScanner

NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=120
).filter(lambda name: name not in (".", ".."))
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
FORMATS = st.sampled_from((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT))


@st.composite
def members(draw: st.DrawFn) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo("volume/" + draw(PATHS))
    info.mode = draw(st.integers(0, 0o7777))
    info.uid, info.gid = draw(st.integers(0, 2**31)), draw(st.integers(0, 2**31))
    info.mtime = draw(st.integers(0, 2**34))
    info.type = draw(
        st.sampled_from(
            (tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE)
        )
    )
    if info.type in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        info.linkname = ("volume/" if info.type == tarfile.LNKTYPE else "") + draw(PATHS)
    content = draw(st.binary(max_size=2000)) if info.type == tarfile.REGTYPE else b""
    info.size = len(content)
    return info, content


def write(rows: list[tuple[tarfile.TarInfo, bytes]], form: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for info, content in rows:
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def feed(scanner: TarScanner, data: bytes, sizes: list[int]) -> None:
    at = 0
    for size in sizes:
        scanner.feed(data[at : at + size])
        at += size
    scanner.feed(data[at:])


@given(st.lists(members(), max_size=6), FORMATS, st.lists(st.integers(0, 3000), max_size=10))
def test_it_reads_what_tarfile_wrote(
    rows: list[tuple[tarfile.TarInfo, bytes]], form: int, sizes: list[int]
) -> None:
    scanner = TarScanner(lambda _: 5)
    feed(scanner, write(rows, form), sizes)
    scanner.finish()
    assert [entry.path for entry in scanner.entries] == [
        info.name.removeprefix("volume/").rstrip("/") for info, _ in rows
    ]
    for entry, (info, content) in zip(scanner.entries, rows, strict=True):
        assert (entry.mode, entry.uid, entry.gid) == (info.mode, info.uid, info.gid)
        assert entry.modified == info.mtime and entry.size_bytes == len(content)
        if info.type == tarfile.REGTYPE:
            assert entry.checksum == zlib.crc32(content)
        if info.type == tarfile.SYMTYPE:
            assert entry.link == info.linkname
        if info.type == tarfile.LNKTYPE:
            assert entry.link == info.linkname.removeprefix("volume/").rstrip("/")
    last = {i.name.removeprefix("volume/"): c for i, c in rows if i.type == tarfile.REGTYPE}
    assert scanner.kept == {path: content[:5] for path, content in last.items()}
    assert scanner.content_bytes == sum(len(content) for _, content in rows)


@given(st.lists(members(), min_size=1, max_size=4), FORMATS, st.data())
def test_a_stream_that_is_cut_off_is_noticed(
    rows: list[tuple[tarfile.TarInfo, bytes]], form: int, data: st.DataObject
) -> None:
    whole = write(rows, form)
    end = len(whole.rstrip(b"\0"))
    cut = data.draw(st.integers(0, end - 1))
    scanner = TarScanner()
    with pytest.raises(BrokenTar):
        scanner.feed(whole[:cut])
        scanner.finish()


@given(st.binary(max_size=3000))
def test_anything_is_read_or_refused(data: bytes) -> None:
    try:
        scanner = TarScanner()
        scanner.feed(data)
        scanner.finish()
    except BrokenTar:
        return


def test_the_root_is_the_empty_path() -> None:
    info = tarfile.TarInfo("volume")
    info.type, info.mode, info.uid, info.gid, info.mtime = tarfile.DIRTYPE, 0o700, 70, 71, 9
    scanner = TarScanner()
    scanner.feed(write([(info, b"")], tarfile.PAX_FORMAT))
    scanner.finish()
    assert scanner.entries == [Entry("", EntryKind.DIRECTORY, 0o700, 70, 71, 9)]
