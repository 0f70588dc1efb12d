"""The databases that devenv knows: how one is held for a copy, and the version of its data. Pure.

A paused container's files are what a power cut leaves. PostgreSQL promises to come up from that;
MySQL and MariaDB do for InnoDB tables only; Redis has what it was told last in memory alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import StrEnum

from devenv.values import dataclass


class DatabaseKind(StrEnum):
    POSTGRES = "PostgreSQL"
    MYSQL = "MySQL"
    MARIADB = "MariaDB"
    REDIS = "Redis"


class Hold(StrEnum):
    """What is done to a service while its volumes are copied."""

    PAUSE = "pause"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Database:
    """What a volume's files say: the kind, and the major version where they say it."""

    kind: DatabaseKind
    major: str | None

    def describe(self) -> str:
        """Such as `PostgreSQL 15`."""
        return f"{self.kind.value} {self.major}" if self.major else self.kind.value


_HOLDS: Mapping[DatabaseKind | None, tuple[Hold, str]] = {
    DatabaseKind.POSTGRES: (
        Hold.PAUSE,
        "paused meanwhile: PostgreSQL recovers such a copy from its log",
    ),
    DatabaseKind.MYSQL: (
        Hold.STOP,
        "stopped meanwhile: MySQL recovers InnoDB tables alone from a paused copy",
    ),
    DatabaseKind.MARIADB: (
        Hold.STOP,
        "stopped meanwhile: MariaDB recovers InnoDB tables alone from a paused copy",
    ),
    DatabaseKind.REDIS: (
        Hold.STOP,
        "stopped meanwhile: Redis writes what it has in memory when it stops",
    ),
    None: (Hold.PAUSE, "paused meanwhile: the copy is what a power cut would leave"),
}
_IMAGES = {
    r"postgres(ql)?|postgis|timescaledb(-ha)?|pgvector|pg_\w+": DatabaseKind.POSTGRES,
    r"mariadb": DatabaseKind.MARIADB,
    r"mysql(-server)?|percona(-server)?": DatabaseKind.MYSQL,
    r"redis(-stack)?(-server)?|valkey|keydb": DatabaseKind.REDIS,
}
_VARIABLES = {
    "PG_MAJOR": DatabaseKind.POSTGRES,
    "PG_VERSION": DatabaseKind.POSTGRES,
    "PGDATA": DatabaseKind.POSTGRES,
    "MARIADB_VERSION": DatabaseKind.MARIADB,
    "MARIADB_MAJOR": DatabaseKind.MARIADB,
    "MYSQL_MAJOR": DatabaseKind.MYSQL,
    "MYSQL_VERSION": DatabaseKind.MYSQL,
    "REDIS_VERSION": DatabaseKind.REDIS,
    "VALKEY_VERSION": DatabaseKind.REDIS,
}
"""What the official images set."""
_MAX_DEPTH = 4
_MYSQL_FILES = ("mysql_upgrade_info", "mariadb_upgrade_info", "mysql_upgrade_history")


def hold_for(kind: DatabaseKind | None) -> tuple[Hold, str]:
    """How a service is held while its volumes are copied, and why, in words."""
    return _HOLDS[kind]


def find_image_kind(image: str, variables: Mapping[str, str]) -> DatabaseKind | None:
    """The database that an image is: by its name, else by the variables that it sets."""
    name = image.partition("@")[0].rpartition("/")[2].partition(":")[0].lower()
    for pattern, kind in _IMAGES.items():
        if re.fullmatch(pattern, name):
            return kind
    return next((kind for key, kind in _VARIABLES.items() if key in variables), None)


def find_image_version(kind: DatabaseKind, image: str, variables: Mapping[str, str]) -> str | None:
    """The major version that an image says it is: by its variables, else by its tag."""
    for key, of in _VARIABLES.items():
        if of is kind and key != "PGDATA" and variables.get(key):
            return major_of(kind, variables[key])
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    return major_of(kind, tag)


def major_of(kind: DatabaseKind, version: str) -> str | None:
    """The part of a version whose change makes data unreadable: `8.4` of MySQL 8.4.2, `16` of
    PostgreSQL 16.3, `9.6` of 9.6.24; None for a text that is no version."""
    found = re.match(r"(?:\d+:)?v?(\d+)(?:\.(\d+))?", version)
    if found is None:
        return None
    first, second = found[1], found[2]
    has_two = kind in (DatabaseKind.MYSQL, DatabaseKind.MARIADB) or (
        kind is DatabaseKind.POSTGRES and int(first) < 10
    )
    return f"{first}.{second}" if has_two and second is not None else first


def wanted_bytes(path: str) -> int:
    """How much of a file's start tells a database and its version; 0: nothing."""
    if path.count("/") > _MAX_DEPTH:
        return 0
    name = path.rpartition("/")[2]
    if name == "PG_VERSION":
        return 32
    if name in _MYSQL_FILES:
        return 4096
    if name == "ibdata1":
        return 1
    return 512 if name.endswith(".rdb") else 0


def find_database(files: Mapping[str, bytes]) -> Database | None:
    """The database whose files these are: path -> the start of the content. The shallowest wins."""
    for path in sorted(files, key=lambda path: (path.count("/"), path)):
        name, content = path.rpartition("/")[2], files[path]
        text = content.decode("ascii", "replace").strip()
        if name == "PG_VERSION":
            return Database(DatabaseKind.POSTGRES, major_of(DatabaseKind.POSTGRES, text))
        if name in _MYSQL_FILES:
            return _read_mysql(name, text)
        if name.endswith(".rdb") and content.startswith(b"REDIS"):
            found = re.search(rb"redis-ver[\x00-\x3f]([0-9.]+)", content)
            version = found[1].decode() if found else ""
            return Database(DatabaseKind.REDIS, major_of(DatabaseKind.REDIS, version))
    if any(path.rpartition("/")[2] == "ibdata1" for path in files):
        return Database(DatabaseKind.MYSQL, None)
    return None


def _read_mysql(name: str, text: str) -> Database:
    if name == "mysql_upgrade_history":
        try:
            text = str(json.loads(text)["upgrade_history"][-1]["version"])
        except (ValueError, LookupError, TypeError):
            text = ""
    is_maria = name.startswith("mariadb") or "mariadb" in text.lower()
    kind = DatabaseKind.MARIADB if is_maria else DatabaseKind.MYSQL
    return Database(kind, major_of(kind, text))
