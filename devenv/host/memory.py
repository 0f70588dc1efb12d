"""What devenv remembers between runs: one SQLite file in the user's state directory.

This module owns the file: its tables, its version, and what happens when it is damaged, comes from
a newer devenv, or cannot be written. What the rows mean is for the modules that use it (history,
chosen profiles, trusted hooks). Losing it loses no work and no environment.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from devenv.host.paths import MEMORY_FILE, has_memory

FILE_NAME = MEMORY_FILE
BUSY_SECONDS = 2.0
"""How long another devenv's write is waited for."""

_MIGRATIONS: Sequence[str] = (
    """
    CREATE TABLE starts (
        id INTEGER PRIMARY KEY,
        directory TEXT NOT NULL,
        environment TEXT NOT NULL,
        profile TEXT,
        branch TEXT,
        started_at REAL NOT NULL,
        seconds REAL NOT NULL,
        outcome TEXT NOT NULL,
        timeline TEXT NOT NULL
    );
    CREATE INDEX starts_by_directory ON starts (directory, started_at);
    CREATE TABLE choices (
        directory TEXT NOT NULL,
        branch TEXT NOT NULL,
        profile TEXT NOT NULL,
        chosen_at REAL NOT NULL,
        PRIMARY KEY (directory, branch)
    );
    CREATE TABLE environments (
        name TEXT PRIMARY KEY,
        repository TEXT NOT NULL,
        directory TEXT NOT NULL,
        branch TEXT,
        profile TEXT,
        ports TEXT NOT NULL,
        made_at REAL NOT NULL
    );
    CREATE TABLE allowed (
        root TEXT NOT NULL,
        digest TEXT NOT NULL,
        allowed_at REAL NOT NULL,
        PRIMARY KEY (root, digest)
    );
    """,
    """
    ALTER TABLE environments ADD COLUMN kind TEXT NOT NULL DEFAULT 'plain';
    """,
    """
    CREATE TABLE documents (
        owner TEXT NOT NULL,
        kind TEXT NOT NULL,
        document TEXT NOT NULL,
        kept_at REAL NOT NULL,
        PRIMARY KEY (owner, kind)
    );
    CREATE TABLE models (
        environment TEXT NOT NULL,
        engine TEXT NOT NULL,
        service TEXT NOT NULL,
        hash TEXT NOT NULL,
        document TEXT NOT NULL,
        started_at REAL NOT NULL,
        PRIMARY KEY (environment, engine, service, hash)
    );
    CREATE TABLE last_starts (
        directory TEXT PRIMARY KEY,
        branch TEXT,
        profile TEXT,
        environment TEXT NOT NULL,
        started_at REAL NOT NULL
    );
    """,
    """
    CREATE TABLE watched (
        environment TEXT NOT NULL,
        engine TEXT NOT NULL,
        files BLOB NOT NULL,
        stale TEXT NOT NULL,
        kept_at REAL NOT NULL,
        PRIMARY KEY (environment, engine)
    );
    """,
)
"""Each step from one version of the file to the next; a step is never changed once released."""

Warn = Callable[[str], None]


class Memory:
    """The open file. Reading and writing never raise: without the file there is nothing known."""

    def __init__(self, connection: sqlite3.Connection | None, warn: Warn) -> None:
        self._connection = connection
        self._warn = warn

    @property
    def is_kept(self) -> bool:
        """Whether anything that is written now will be there next time."""
        return self._connection is not None

    def read(self, query: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query; none where the file is not to be had."""
        if self._connection is None:
            return []
        try:
            return self._connection.execute(query, tuple(values)).fetchall()
        except sqlite3.Error as error:
            self._lose(error)
            return []

    def write(self, statement: str, values: Iterable[Any] = ()) -> bool:
        """Carry out one statement in a transaction of its own; whether it was kept."""
        if self._connection is None:
            return False
        try:
            with self._connection:
                self._connection.execute(statement, tuple(values))
        except sqlite3.Error as error:
            self._lose(error)
            return False
        return True

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _lose(self, error: sqlite3.Error) -> None:
        """Say why nothing more is remembered, once, and go on without."""
        self._warn(f"devenv's memory cannot be used any more ({error}); going on without it")
        self.close()


@contextlib.contextmanager
def open_memory(directory: Path, warn: Warn) -> Iterator[Memory]:
    """The memory in the state directory, closed at the end.

    `warn` gets one sentence where it cannot be used: a damaged file is moved aside and a new one
    begun; one of a newer devenv is left alone and nothing is remembered; neither is an error.
    """
    memory = Memory(_open(directory / FILE_NAME, warn), warn)
    try:
        yield memory
    finally:
        memory.close()


def has_starts(memory: Memory, directory: str) -> bool:
    """Whether starts of a project are remembered; reading them takes a tenth of a whole check."""
    return bool(memory.read("SELECT 1 FROM starts WHERE directory = ? LIMIT 1", (directory,)))


@contextlib.contextmanager
def open_existing(directory: Path, warn: Warn = lambda _: None) -> Iterator[Memory]:
    """The memory for a question: no file is made, and of one that is damaged nothing is known.

    That it is of a newer devenv is told to `warn`; what else is wrong is left to who writes.
    """
    connection = None
    with contextlib.suppress(sqlite3.Error):
        if has_memory(directory):
            connection = _connect(directory / FILE_NAME, warn)
    memory = Memory(connection, lambda _: None)
    try:
        yield memory
    finally:
        memory.close()


def _open(path: Path, warn: Warn) -> sqlite3.Connection | None:
    try:
        return _connect(path, warn)
    except sqlite3.OperationalError as error:  # no directory, no permission, no room, locked
        warn(f"devenv's memory {path} cannot be opened ({error}); going on without it")
        return None
    except sqlite3.DatabaseError as error:
        aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
        try:
            path.rename(aside)
            for beside in (f"{path.name}-wal", f"{path.name}-shm"):
                path.with_name(beside).unlink(missing_ok=True)
            connection = _connect(path, warn)
        except (OSError, sqlite3.Error):
            warn(f"devenv's memory {path} is damaged ({error}); going on without it")
            return None
        warn(f"devenv's memory was damaged ({error}); it is now {aside}, and a new one is begun")
        return connection


def _connect(path: Path, warn: Warn) -> sqlite3.Connection | None:
    """Raises sqlite3.Error."""
    with contextlib.suppress(OSError):  # sqlite says why in its own words
        path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        version = _version(connection)
        if version > len(_MIGRATIONS):
            warn(f"devenv's memory {path} is of a newer devenv; going on without it")
            connection.close()
            return None
        if version < len(_MIGRATIONS):
            _migrate(connection)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _migrate(connection: sqlite3.Connection) -> None:
    """Take the steps that are missing, as one transaction; another devenv may be faster."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in _MIGRATIONS[_version(connection) :]:
            for statement in filter(str.strip, step.split(";")):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
        connection.commit()
    except sqlite3.Error:
        connection.rollback()
        raise
