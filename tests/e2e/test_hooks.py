"""Hooks at a terminal: asked for, run, failed, run again by a key; a stale service recreated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from devenv.engine.context import Endpoint
from tests.e2e.terminal import Terminal
from tests.engine.project import HEALTHY, Project, devenv_argv, sleeper
from tests.engine.test_isolation import git

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")


@pytest.fixture
def project(docker_engine: Endpoint, tmp_path: Path, cache: Path) -> Iterator[Project]:
    project = Project(tmp_path, docker_engine, cache)
    project.environ = {k: v for k, v in project.environ.items() if k != "CI"}
    git(tmp_path, "init", "-q")
    yield project
    project.remove()


def _write(project: Project, **more: object) -> None:
    project.write_compose({"app": sleeper(healthcheck=HEALTHY, cap_add=["NET_RAW"], **more)})


def test_asked_run_failed_and_again(project: Project) -> None:
    _write(project)
    after = "test -e repaired || { echo no-such-table; exit 3; }"
    project.write(
        "devenv.toml", f'[hooks]\nbefore_up = ["touch before"]\nafter_healthy = ["{after}"]\n'
    )
    argv = [*devenv_argv(), "up", "--no-watch"]  # which would apply the change of the files itself
    with Terminal(argv, project.directory, project.environ) as terminal:

        def wait(*patterns: str, but: str = "\0") -> None:
            terminal.wait(
                lambda screen: all(re.search(p, screen) for p in patterns) and but not in screen,
                seconds=60,
                what=f"{patterns} without {but!r}",
            )

        wait("before_up, on this machine: sh -c: touch before", r"\[w\]ithout them")
        assert not (project.directory / "before").exists()
        terminal.press("y\r")
        # What its containers can reach is shown once, and nothing is started meanwhile.
        wait("NET_RAW", "u starts it all the same")
        assert not project.containers()
        terminal.press("u")
        wait("✗ after_healthy", "no-such-table", "H runs it again", r"app +✓ healthy")
        assert (project.directory / "before").exists()
        before = project.ids()
        project.write("repaired", "")
        terminal.press("H")
        wait("✓ up is done", but="H runs it again")
        terminal.press("T")
        wait(r"before_up: touch before, .* before the start", "after_healthy: test -e repaired")

        # Another configuration in the files: said by key, and recreated by one.
        _write(project, environment={"MODE": "test"})
        wait("stale: environment.MODE")
        terminal.press("R")
        wait("✓ recreate app is done", r"app +✓ healthy", but="stale")
        assert project.ids() != before
        terminal.press("q")
        wait("Leave running")
        terminal.press("\r")
        terminal.wait_end(seconds=20)
        assert terminal.exit_code == 0


def test_no_starts_nothing_and_without_them_starts(project: Project) -> None:
    _write(project)
    project.write("devenv.toml", '[hooks]\nbefore_up = ["touch before"]\n')
    argv = [*devenv_argv(), "up", "--detach", "--wait"]
    cases: tuple[tuple[str, int, set[str]], ...] = (("\r", 1, set()), ("w\r", 0, {"app"}))
    for answer, code, services in cases:
        with Terminal(argv, project.directory, project.environ) as terminal:
            # At a terminal what containers can reach is asked first, once.
            if "NET_RAW" in terminal.wait(
                lambda screen: "Start it?" in screen or "[w]ithout" in screen,
                seconds=30,
                what="a question",
            ):
                terminal.press("\r")
                terminal.wait(lambda s: "[w]ithout" in s, seconds=30, what="the other question")
            terminal.press(answer)
            terminal.wait_end(seconds=60)
            assert terminal.exit_code == code
        assert project.running_services() == services
    assert not (project.directory / "before").exists()
