"""What ends with exit code 2 or 3 before anything is started. Needs Compose, not an engine."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from devenv.engine import compose
from devenv.engine.compose import Selection, find_compose
from devenv.engine.preflight import load_hashes
from devenv.errors import ComposeFileError, EngineUnavailable
from tests.engine.project import Project, sleeper

NOWHERE = "unix:///nonexistent/docker.sock"


@pytest.fixture
def files(tmp_path: Path, cache: Path) -> Project:
    directory = tmp_path / "project"
    directory.mkdir()
    return Project(directory, None, cache)


@pytest.mark.parametrize(
    "command", ["up --detach", "up --plain", "ps", "logs", "down", "stop", "exec web true"]
)
def test_no_engine(files: Project, command: str) -> None:
    files.write_compose({"web": sleeper()})
    said = files.run(*command.split(), code=3, DOCKER_HOST=NOWHERE).stderr
    assert "/nonexistent/docker.sock" in said
    assert "fix:" in said


def test_no_compose_file(files: Project) -> None:
    said = files.run("config", code=2).stderr
    assert "compose.yaml" in said or "Compose file" in said
    assert "fix:" in said


def test_broken_yaml_has_a_place(files: Project) -> None:
    files.write("compose.yaml", "services:\n  web:\n    image: [a\n  db:\n    image: b\n")
    said = files.run("config", code=2).stderr
    assert "compose.yaml:" in said
    assert said.split("compose.yaml:", 1)[1][0].isdigit()


async def test_a_file_that_breaks_after_it_was_read_has_a_place(files: Project) -> None:
    """The model came from an earlier read; only the hashes meet the fault."""
    files.write("compose.yaml", "services:\n  web:\n    image: a\n    portz: []\n")
    selection = Selection(directory=files.directory)
    compose_files = [files.directory / "compose.yaml"]
    with pytest.raises(ComposeFileError, match=r"services\.web\.portz") as caught:
        await load_hashes(find_compose(files.environ), selection, files.environ, compose_files)
    assert str(caught.value.source) == f"{files.directory}/compose.yaml:4:5"
    assert "portz" in (caught.value.excerpt or "")
    assert "^" in (caught.value.excerpt or "")


def test_an_open_quote_is_named_where_it_opens(files: Project) -> None:
    files.write_compose({"web": sleeper()})
    place = files.write(".env", '# first\nSECRET="hunter-two\nPORT=80\nLAST=1\n')
    for command in ("config", "up --detach"):
        said = files.run(*command.split(), code=2).stderr
        assert f"{place}:2:8: error: The env file does not load: unterminated quoted value." in said
        assert "fix: close the quote" in said
        assert "hunter-two" not in said


def test_unknown_profile_names_the_nearest(files: Project) -> None:
    files.write_compose({"web": sleeper()})
    files.write("devenv.toml", "")
    files.write("profiles/debug.toml", "")
    said = files.run("--profile", "debgu", "config", code=2).stderr
    assert "debgu" in said
    assert "debug" in said.replace("debgu", "")


def test_unknown_service_names_the_nearest(files: Project) -> None:
    files.write_compose({"frontend": sleeper()})
    assert "frontend" in files.run("config", "fronted", code=2).stderr.replace("'fronted'", "")


def test_wait_goes_with_detach(files: Project) -> None:
    files.write_compose({"web": sleeper()})
    assert "--detach" in files.run("up", "--wait", code=2).stderr


def fake_compose(path: Path, version: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho x >> {path}.runs\necho {version}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No plugin directory of the system and no binary beside this Python."""
    monkeypatch.setattr(compose, "_PLUGIN_DIRECTORIES", ())
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))


def environ_of(tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": f"{tmp_path / 'path'}{os.pathsep}{os.defpath}",
        "DOCKER_CONFIG": str(tmp_path / "docker"),
    }


@pytest.mark.usefixtures("nothing_installed")
def test_compose_is_missing(tmp_path: Path) -> None:
    environ = {**environ_of(tmp_path), "PATH": str(tmp_path / "path")}
    with pytest.raises(EngineUnavailable, match="not installed") as caught:
        find_compose(environ)
    assert caught.value.exit_code == 3
    assert caught.value.fix


@pytest.mark.usefixtures("nothing_installed")
def test_compose_is_too_old(tmp_path: Path) -> None:
    old = fake_compose(tmp_path / "path" / "docker-compose", "2.1.0")
    with pytest.raises(EngineUnavailable, match=r"2\.1\.0") as caught:
        find_compose(environ_of(tmp_path))
    assert str(old) in caught.value.message
    assert caught.value.exit_code == 3


@pytest.mark.usefixtures("nothing_installed")
def test_an_old_plugin_does_not_hide_a_new_binary(tmp_path: Path) -> None:
    fake_compose(tmp_path / "docker" / "cli-plugins" / "docker-compose", "v2.1.0")
    new = fake_compose(tmp_path / "path" / "docker-compose", "v2.40.3-desktop.1")
    found = find_compose(environ_of(tmp_path))
    assert found.path == str(new)
    assert found.version == "2.40.3-desktop.1"


@pytest.mark.usefixtures("nothing_installed")
def test_the_version_is_asked_once(tmp_path: Path) -> None:
    binary = fake_compose(tmp_path / "docker" / "cli-plugins" / "docker-compose", "2.40.0")
    kept = tmp_path / "versions.json"
    first = find_compose(environ_of(tmp_path), kept)
    assert find_compose(environ_of(tmp_path), kept) == first
    runs = Path(f"{binary}.runs")
    assert runs.read_text(encoding="utf-8").count("x") == 1
    fake_compose(binary, "2.41.10")
    assert find_compose(environ_of(tmp_path), kept).version == "2.41.10"


@pytest.mark.usefixtures("nothing_installed")
def test_a_binary_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    broken = fake_compose(tmp_path / "docker" / "cli-plugins" / "docker-compose", "2.40.0")
    broken.write_text("not a program", encoding="utf-8")
    new = fake_compose(tmp_path / "path" / "docker-compose", "2.40.0")
    assert find_compose(environ_of(tmp_path)).path == str(new)
