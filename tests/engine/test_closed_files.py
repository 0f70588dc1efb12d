"""Files and directories that may not be read, and a directory that is gone."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.project import Project, devenv_argv
from tests.engine.test_unreachable import without_privileges


@pytest.fixture
def files(tmp_path: Path, cache: Path) -> Iterator[Project]:
    directory = tmp_path / "project"
    directory.mkdir()
    project = Project(directory, None, cache)
    project.write_compose({"web": {"image": "busybox", "env_file": "web.env"}})
    project.write("web.env", "A=1\n")
    project.write(".env", "B=2\n")
    yield project
    directory.chmod(0o755)


def run(project: Project, *words: str, cwd: Path | None = None) -> tuple[int, str]:
    ended = subprocess.run(
        [*without_privileges(), *devenv_argv(), *words],
        cwd=cwd or project.directory,
        env=project.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "error of its own" not in ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("command", ["up --detach", "up --dry-run", "config", "ps"])
@pytest.mark.parametrize("name", ["compose.yaml", "web.env", ".env"])
def test_a_closed_file(files: Project, name: str, command: str) -> None:
    place = files.directory / name
    place.chmod(0)
    code, said = run(files, *command.split())
    assert code == 2
    assert f"{place}: error: The file cannot be read: permission denied." in said
    assert f"fix: chmod u+r {place}" in said


@pytest.mark.parametrize(
    "command", ["up --detach", "config", "ps", "logs", "graph", "profile list", "shellenv"]
)
def test_a_closed_directory(files: Project, command: str) -> None:
    files.directory.chmod(0)
    code, said = run(files, "-C", str(files.directory), *command.split(), cwd=Path("/"))
    assert code == 2
    assert f"The directory {files.directory} cannot be read." in said
    assert f"fix: chmod u+rx {files.directory}" in said


@pytest.mark.parametrize("command", ["up --detach", "check", "ps", "down", "compose ps"])
def test_a_directory_that_is_gone(files: Project, tmp_path: Path, command: str) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = 'rmdir "$PWD"; exec "$@"'
    ended = subprocess.run(
        ["sh", "-c", script, "sh", *devenv_argv(), *command.split()],
        cwd=gone,
        env=files.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert "The directory that you are in no longer exists." in ended.stderr
    assert "fix:" in ended.stderr
