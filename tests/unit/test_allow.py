"""`devenv allow` without a terminal, and with a memory that cannot be used."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from devenv.cli.main import run_command_line
from devenv.host.memory import FILE_NAME, open_memory


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "shop"
    place.mkdir()
    (place / "compose.yaml").write_text("services: {app: {image: app, privileged: true}}\n")
    (place / "devenv.toml").write_text('[hooks]\nbefore_up = ["./setup"]\n')
    (place / "setup").write_text("#!/bin/sh\n: \x1b[2Khidden\n")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(place)
    return place


def run(capsys: pytest.CaptureFixture[str], *words: str, code: int) -> str:
    assert run_command_line(["allow", *words]) == code
    said = capsys.readouterr()
    return said.out + said.err


def test_it_is_shown_asked_remembered_listed_and_revoked(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = run(capsys, "--full", code=2)
    assert "before_up, on this machine: sh -c: ./setup" in shown
    assert "app: all of the machine: privileged (services.app.privileged)" in shown
    assert "hidden" in shown and "\x1b" not in shown
    assert "devenv allow --yes" in shown
    assert "No repository" in run(capsys, "--list", code=0)
    assert json.loads(run(capsys, "--format", "json", code=1))["allowed"] is False

    assert "Allowed." in run(capsys, "--yes", code=0)
    assert "This is allowed." in run(capsys, code=0)
    said = json.loads(run(capsys, "--format", "json", code=0))
    assert [file["path"] for file in said["files"]] == ["setup"]
    assert str(project) in run(capsys, "--list", code=0)
    [row] = json.loads(run(capsys, "--list", "--format", "json", code=0))
    assert row["digest"] == said["digest"]

    (project / "setup").write_text("#!/bin/sh\nexit 3\n")
    shown = run(capsys, code=2)
    assert "changed since it was allowed last:" in shown and "+exit 3" in shown
    assert "1 were" in run(capsys, "--revoke", code=0)
    assert "No repository" in run(capsys, "--list", code=0)


def test_without_hooks_there_is_nothing_to_allow(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "devenv.toml").unlink()
    assert "nothing to allow" in run(capsys, code=0)


def test_a_memory_of_a_newer_devenv(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "state/devenv"
    directory.mkdir(parents=True)
    with open_memory(directory, print):
        pass
    connection = sqlite3.connect(directory / FILE_NAME)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    said = run(capsys, "--yes", code=2)
    assert "cannot be remembered" in said and "newer devenv" in said


def test_a_state_directory_that_cannot_be_written(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], unprivileged: None
) -> None:
    (tmp_path / "state").mkdir(mode=0o500)
    said = run(capsys, "--yes", code=2)
    assert "cannot be remembered" in said and "XDG_STATE_HOME" in said


def test_hooks_that_are_wrong_are_an_error_with_their_place(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "devenv.toml").write_text("[hooks]\nbefore_up = [3]\n")
    assert f"{project}/devenv.toml:2:14: " in run(capsys, code=2)
