"""Snapshots as values: names, manifests, lists of files, differences, databases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.compose.databases import (
    Database,
    DatabaseKind,
    Hold,
    find_database,
    find_image_kind,
    find_image_version,
    hold_for,
    major_of,
    wanted_bytes,
)
from devenv.compose.snapshot import (
    Change,
    Difference,
    Entry,
    EntryKind,
    Manifest,
    SnapshotBroken,
    VolumeRecord,
    check_name,
    diff_entries,
    parse_index,
    parse_manifest,
    propose_name,
    render_index,
    render_manifest,
)
from devenv.errors import UsageError
from devenv.values import replace

RECORD = VolumeRecord(
    key="data",
    volume="shop_data",
    service="db",
    image="postgres:16",
    image_id="sha256:1",
    database=Database(DatabaseKind.POSTGRES, "16"),
    held="paused",
    size_bytes=10,
    stored_bytes=5,
    entries=2,
    sha256="a",
    index_sha256="b",
)
MANIFEST = Manifest("one", "shop", "main", "abc", None, 12.5, "0.1.0", (RECORD,))
FILE = Entry("a", EntryKind.FILE, 0o644, 1, 2, 3, 4, "", 5)


@given(st.text(max_size=300))
def test_what_is_proposed_can_be_a_name(text: str) -> None:
    name = propose_name(text)
    assert check_name(name) == name
    assert propose_name(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-a", "a b", "é", "a\n", "x" * 101, ".a"])
def test_names_that_no_file_should_have_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="no name for a snapshot"):
        check_name(name)


def test_a_manifest_there_and_back() -> None:
    assert parse_manifest(render_manifest(MANIFEST), "one") == MANIFEST


def test_a_manifest_of_a_newer_devenv_is_told_from_a_damaged_one() -> None:
    newer = render_manifest(replace(MANIFEST, format=2, devenv="9.0"))
    with pytest.raises(SnapshotBroken, match=r"newer devenv \(9.0\)"):
        parse_manifest(newer, "one")


@given(st.text(max_size=60) | st.sampled_from(('{"format": 1}', "[]", "null", '{"format": []}')))
def test_a_damaged_manifest_is_refused(text: str) -> None:
    with pytest.raises(SnapshotBroken, match="damaged"):
        parse_manifest(text, "one")


ENTRIES = st.lists(
    st.builds(
        Entry,
        path=st.binary(max_size=20).map(lambda b: b.decode("utf-8", "surrogateescape")),
        kind=st.sampled_from(EntryKind),
        mode=st.integers(0, 0o7777),
        uid=st.integers(0, 2**32),
        gid=st.integers(0, 2**32),
        modified=st.integers(-(2**40), 2**40),
        size_bytes=st.integers(0, 2**60),
        link=st.text(max_size=10),
        checksum=st.integers(0, 2**32 - 1),
    ),
    max_size=10,
)


@given(ENTRIES)
def test_a_list_of_files_there_and_back(entries: list[Entry]) -> None:
    assert parse_index(render_index(entries), "one") == entries


@given(st.binary(min_size=1, max_size=40).filter(lambda data: data.strip()))
def test_a_damaged_list_is_refused(data: bytes) -> None:
    with pytest.raises(SnapshotBroken):
        parse_index(b"[" + data, "one")


@given(ENTRIES)
def test_nothing_differs_from_itself(entries: list[Entry]) -> None:
    assert diff_entries(entries, entries) == []


def test_what_differs_is_named() -> None:
    folder = Entry("d", EntryKind.DIRECTORY, 0o755, 0, 0, 1)
    before = [FILE, folder, replace(FILE, path="gone", size_bytes=7)]
    after = [
        replace(FILE, checksum=6, size_bytes=9, mode=0o600, uid=5),
        replace(folder, modified=2),
        replace(FILE, path="new"),
    ]
    assert diff_entries(before, after) == [
        Difference(Change.CHANGED, "a", 4, 9, ("content", "mode", "owner")),
        Difference(Change.REMOVED, "gone", 7, None),
        Difference(Change.ADDED, "new", None, 4),
    ]


@pytest.mark.parametrize(
    ("image", "variables", "kind"),
    [
        ("postgres:16-alpine", {}, DatabaseKind.POSTGRES),
        ("registry:5000/team/postgis@sha256:1", {}, DatabaseKind.POSTGRES),
        ("mariadb", {}, DatabaseKind.MARIADB),
        ("mysql/mysql-server:8.4", {}, DatabaseKind.MYSQL),
        ("bitnami/redis:7", {}, DatabaseKind.REDIS),
        ("team/db", {"PG_MAJOR": "16"}, DatabaseKind.POSTGRES),
        ("sha256:1234", {"MARIADB_VERSION": "1:10.11.6"}, DatabaseKind.MARIADB),
        ("postgres-exporter", {}, None),
        ("node:20", {"NODE_VERSION": "20"}, None),
    ],
)
def test_a_database_is_known_by_its_image(
    image: str, variables: dict[str, str], kind: DatabaseKind | None
) -> None:
    assert find_image_kind(image, variables) is kind


def test_how_each_is_held() -> None:
    holds = {kind: hold_for(kind)[0] for kind in (*DatabaseKind, None)}
    assert holds == {
        DatabaseKind.POSTGRES: Hold.PAUSE,
        DatabaseKind.MYSQL: Hold.STOP,
        DatabaseKind.MARIADB: Hold.STOP,
        DatabaseKind.REDIS: Hold.STOP,
        None: Hold.PAUSE,
    }


@pytest.mark.parametrize(
    ("kind", "text", "major"),
    [
        (DatabaseKind.POSTGRES, "16", "16"),
        (DatabaseKind.POSTGRES, "16.3-1.pgdg120+1", "16"),
        (DatabaseKind.POSTGRES, "9.6", "9.6"),
        (DatabaseKind.MYSQL, "8.4.2", "8.4"),
        (DatabaseKind.MARIADB, "1:10.11.6+maria~ubu2204", "10.11"),
        (DatabaseKind.REDIS, "7.0.15", "7"),
        (DatabaseKind.REDIS, "latest", None),
    ],
)
def test_the_major_version(kind: DatabaseKind, text: str, major: str | None) -> None:
    assert major_of(kind, text) == major


def test_the_version_of_an_image() -> None:
    kind = DatabaseKind.POSTGRES
    assert find_image_version(kind, "postgres:15", {"PG_MAJOR": "16"}) == "16"
    assert find_image_version(kind, "postgres:15-alpine", {"PGDATA": "/x"}) == "15"
    assert find_image_version(kind, "postgres", {}) is None


@pytest.mark.parametrize(
    ("files", "database"),
    [
        ({"PG_VERSION": b"15\n"}, Database(DatabaseKind.POSTGRES, "15")),
        (
            {"base/1/PG_VERSION": b"15\n", "18/docker/PG_VERSION": b"18\n", "x/PG_VERSION": b"17"},
            Database(DatabaseKind.POSTGRES, "17"),
        ),
        ({"mysql_upgrade_info": b"10.11.6-MariaDB"}, Database(DatabaseKind.MARIADB, "10.11")),
        ({"mysql_upgrade_info": b"8.0.36\n"}, Database(DatabaseKind.MYSQL, "8.0")),
        (
            {"mysql_upgrade_history": b'{"upgrade_history":[{"version":"8.4.2"}]}'},
            Database(DatabaseKind.MYSQL, "8.4"),
        ),
        ({"mysql_upgrade_history": b"{"}, Database(DatabaseKind.MYSQL, None)),
        ({"ibdata1": b"\0"}, Database(DatabaseKind.MYSQL, None)),
        (
            {"dump.rdb": b"REDIS0010\xfa\x09redis-ver\x067.0.15\xfa\x0aredis-bits\xc0@"},
            Database(DatabaseKind.REDIS, "7"),
        ),
        ({"dump.rdb": b"nothing"}, None),
        ({}, None),
    ],
)
def test_a_database_is_known_by_its_files(
    files: dict[str, bytes], database: Database | None
) -> None:
    assert find_database(files) == database
    assert all(wanted_bytes(path) for path in files)


@given(
    st.dictionaries(st.sampled_from(("PG_VERSION", "a.rdb", "mysql_upgrade_history")), st.binary())
)
def test_odd_files_are_no_trouble(files: dict[str, bytes]) -> None:
    find_database(files)
