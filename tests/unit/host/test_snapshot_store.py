"""Snapshot files: whole or not there, private, and no damage goes unnoticed."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devenv.compose.snapshot import Entry, EntryKind, Manifest, SnapshotBroken, VolumeRecord
from devenv.errors import UsageError
from devenv.host.snapshot_store import SnapshotStore, StoreError

ENTRIES = [Entry("a", EntryKind.FILE, 0o644, 0, 0, 1, 5)]
DATA = [os.urandom(1000) * 40, b"tail"]


def record(key: str, digest: str, stored: int, index: str) -> VolumeRecord:
    size = sum(map(len, DATA))
    return VolumeRecord(
        key, f"p_{key}", None, None, None, None, "idle", size, stored, 1, digest, index
    )


def save(store: SnapshotStore, name: str, *, replace: bool = False) -> Path:
    writer = store.create(name, replace=replace)
    try:
        records = []
        for key in ("one", "two"):
            writer.begin(key)
            for piece in DATA:
                writer.write(piece)
            digest, stored, index = writer.end(key, ENTRIES)
            records.append(record(key, digest, stored, index))
        manifest = Manifest(name, "p", None, None, None, 1.0, "0", tuple(records))
        return writer.commit(manifest)
    finally:
        writer.abort()


def read(store: SnapshotStore, name: str) -> list[bytes]:
    found = []
    with store.open(name) as snapshot:
        for one in snapshot.manifest.volumes:
            snapshot.verify(one)
            assert snapshot.read_index(one) == ENTRIES
            found.append(b"".join(snapshot.read_archive(one)))
    return found


def test_what_was_saved_is_read_and_nobody_else_can(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path, "/src/shop/.git")
    path = save(store, "one")
    assert read(store, "one") == [b"".join(DATA)] * 2
    assert store.directory.name.startswith("shop-")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.directory.stat().st_mode) == 0o700
    assert [one.name for one in store.directory.iterdir()] == ["one.snapshot"]
    assert SnapshotStore(tmp_path, "/other/shop/.git").names() == []


def test_a_name_is_taken_once_and_replaced_when_asked(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path, "/src/shop")
    first = store.create("one", replace=False)
    before = save(store, "one").stat().st_ino
    with pytest.raises(UsageError, match="already"):  # it came up meanwhile
        first.commit(Manifest("one", "p", None, None, None, 1.0, "0", ()))
    first.abort()
    with pytest.raises(UsageError, match="already"):
        save(store, "one")
    assert store.path("one").stat().st_ino == before
    assert save(store, "one", replace=True).stat().st_ino != before
    store.remove("one")
    assert store.names() == []
    with pytest.raises(UsageError, match="no snapshot"):
        store.remove("one")


def test_what_is_aborted_or_killed_leaves_nothing(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path, "/src/shop")
    writer = store.create("one", replace=False)
    writer.begin("one")
    writer.write(b"x" * 100)
    writer.abort()
    assert list(store.directory.iterdir()) == []
    killed = store.directory / ".two.1.part"
    killed.write_bytes(b"half")
    living = store.create("three", replace=False)
    store.clean()
    assert not killed.exists() and len(list(store.directory.iterdir())) == 1
    living.abort()
    assert store.names() == []


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[SnapshotStore, bytes]:
    store = SnapshotStore(tmp_path_factory.mktemp("whole"), "/src/shop")
    return store, save(store, "one").read_bytes()


def changed(store: SnapshotStore, change: Callable[[bytes], bytes], data: bytes) -> list[bytes]:
    store.path("one").write_bytes(change(data))
    return read(store, "one")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_flipped_byte_is_noticed_or_does_no_harm(
    whole: tuple[SnapshotStore, bytes], data: st.DataObject
) -> None:
    store, content = whole
    at = data.draw(st.integers(0, len(content) - 1))
    flip = data.draw(st.integers(1, 255))
    try:
        found = changed(store, lambda c: c[:at] + bytes([c[at] ^ flip]) + c[at + 1 :], content)
    except SnapshotBroken as error:
        assert "damaged" in error.message or "newer" in error.message
    else:
        assert found == [b"".join(DATA)] * 2


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_cut_off_file_is_noticed(whole: tuple[SnapshotStore, bytes], data: st.DataObject) -> None:
    store, content = whole
    cut = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(SnapshotBroken):
        changed(store, lambda c: c[:cut], content)
    name, found = store.load_all()[0]
    assert name == "one" and isinstance(found, SnapshotBroken)


def test_a_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "snapshots").write_text("a file")
    store = SnapshotStore(tmp_path, "/src/shop")
    with pytest.raises(StoreError, match="cannot be used"):
        store.create("one", replace=False)
