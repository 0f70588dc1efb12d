"""Files that break and are repaired while the terminal UI is open, on a real engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from devenv.engine.context import Endpoint
from tests.e2e.terminal import Terminal
from tests.engine.project import Project, devenv_argv, sleeper, wait_for

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")


@pytest.fixture
def project(docker_engine: Endpoint, tmp_path: Path, cache: Path) -> Iterator[Project]:
    project = Project(tmp_path, docker_engine, cache)
    yield project
    project.remove()


def write(project: Project, environment: str = "") -> None:
    project.write_compose(
        {
            "one": sleeper(environment={"WORD": environment}),
            "two": sleeper(depends_on=["one"]),
            "spare": sleeper(profiles=["extra"]),
        }
    )


def shows(service: str, status: str) -> re.Pattern[str]:
    return re.compile(rf"│ *{service} +{status}")


def test_broken_files_are_said_and_read_again_while_the_containers_are_shown(
    project: Project,
) -> None:
    write(project)
    project.up()
    before = project.ids()
    broken = (project.directory / "compose.yaml").read_text().replace("services:", "servcies:")
    project.write("compose.yaml", broken)
    with Terminal([*devenv_argv(), "up"], project.directory, project.environ) as terminal:

        def wait(*patterns: str | re.Pattern[str], but: str = "\0") -> None:
            terminal.wait(
                lambda screen: all(re.search(p, screen) for p in patterns) and but not in screen,
                seconds=60,
                what=f"{patterns} without {but!r}",
            )

        # The files are broken at the start: what runs is shown all the same.
        wait(r"compose\.yaml:\d+", "servcies", shows("one", "● running"), shows("two", "● running"))
        assert project.ids() == before

        # Repaired: the start goes on by itself, and finds that nothing is to be done.
        write(project)
        wait(r"✓ up is done", shows("spare", "◌ not in profile"), but="servcies")
        assert project.ids() == before

        # .env breaks meanwhile; a stop needs no file.
        env = project.write(".env", "A='open\n")
        wait(r"✗ \.env:\d", shows("one", "● running"))
        terminal.press("s")
        wait(shows("one", "○ stopped"), shows("two", "○ stopped"), r"✗ \.env:\d")
        env.unlink()
        wait(shows("one", "○ stopped"), but="✗ .env")

        # A change that loads is said; it starts nothing that was stopped, and u applies it.
        write(project, "changed")
        wait(r"compose\.yaml: one: env")
        assert not project.running_services()
        terminal.press("u")
        wait(r"✓ up is done", shows("one", "● running"))
        wait_for(lambda: project.running_services() == {"one", "two"})
        assert "WORD=changed" in project.containers()["one"]["Config"]["Env"]

        # Leaving needs no file either.
        project.write("compose.yaml", broken)
        wait("servcies", shows("one", "● running"))
        terminal.press("q")
        wait("Leave running")
        terminal.press("\r")
        terminal.wait_end(seconds=20)
    assert project.running_services() == {"one", "two"}
