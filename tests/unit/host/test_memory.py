"""The memory's file in every state: new, used by several at once, damaged, newer, not writable."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from devenv.host.memory import FILE_NAME, open_memory

CHOOSE = "INSERT OR REPLACE INTO choices VALUES (?, ?, ?, ?)"
CHOSEN = "SELECT profile FROM choices WHERE directory = ? AND branch = ?"


def test_what_is_written_is_there_next_time_and_private(tmp_path: Path) -> None:
    said: list[str] = []
    with open_memory(tmp_path, said.append) as memory:
        assert memory.is_kept
        assert memory.write(CHOOSE, ("/p", "main", "dev", 1.0))
    with open_memory(tmp_path, said.append) as memory:
        assert memory.read(CHOSEN, ("/p", "main")) == [("dev",)]
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert said == []


def test_two_at_once(tmp_path: Path) -> None:
    said: list[str] = []
    with open_memory(tmp_path, said.append) as one, open_memory(tmp_path, said.append) as other:
        assert one.write(CHOOSE, ("/p", "a", "dev", 1.0))
        assert other.write(CHOOSE, ("/p", "b", "search", 2.0))
        assert one.read(CHOSEN, ("/p", "b")) == [("search",)]
    assert said == []


def test_a_damaged_file_is_moved_aside_and_said(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    said: list[str] = []
    with open_memory(tmp_path, said.append) as memory:
        assert memory.write(CHOOSE, ("/p", "main", "dev", 1.0))
    assert len(said) == 1 and "damaged" in said[0]
    [aside] = tmp_path.glob(f"{FILE_NAME}.damaged-*")
    assert aside.read_bytes().endswith(b"\xff")


def test_a_file_of_a_newer_devenv_is_left_alone(tmp_path: Path) -> None:
    with open_memory(tmp_path, print):
        pass
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    said: list[str] = []
    with open_memory(tmp_path, said.append) as memory:
        assert not memory.is_kept
        assert not memory.write(CHOOSE, ("/p", "main", "dev", 1.0))
        assert memory.read(CHOSEN, ("/p", "main")) == []
    assert len(said) == 1 and "newer" in said[0]


def test_damage_while_it_is_open_is_said_once(tmp_path: Path) -> None:
    said: list[str] = []
    with open_memory(tmp_path, said.append) as memory:
        memory.write("DROP TABLE choices")
        assert not memory.write(CHOOSE, ("/p", "main", "dev", 1.0))
        assert memory.read(CHOSEN, ("/p", "main")) == []
    assert len(said) == 1


@pytest.mark.parametrize("mode", [0o500, 0o000])
def test_a_directory_that_cannot_be_used(unprivileged: None, tmp_path: Path, mode: int) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(mode)
    said: list[str] = []
    with open_memory(closed, said.append) as memory:
        assert not memory.is_kept
    assert len(said) == 1 and "cannot be opened" in said[0]
    closed.chmod(0o700)


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    said: list[str] = []
    with open_memory(tmp_path / "missing", said.append) as memory:
        assert not memory.is_kept
    assert len(said) == 1
