"""`devenv up` in a terminal: what a save does is seen in the Watch tab, and its keys work."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal
from tests.engine.project import BASE, Project, devenv_argv, sleeper, wait_for

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
DOCKERFILE = f"""\
FROM {BASE}
WORKDIR /app
COPY deps.txt .
RUN cp deps.txt /installed && while grep -q wait /installed; do sleep 0.1; done
COPY src ./src
CMD ["sleep", "600"]
"""
CLOCK = r"\d\d:\d\d:\d\d"
TOOK = r"\d+(?:\.\d)? m?s"


def write(project: Project) -> Path:
    project.write("Dockerfile", DOCKERFILE)
    project.write("deps.txt", "1\n")
    project.write("src/a.txt", "1\n")
    project.write_compose({"app": {"build": ".", "init": True}, "other": sleeper()})
    return project.directory


@contextmanager
def up(project: Project, *words: str) -> Iterator[Terminal]:
    """The terminal with the Watch tab in front."""
    argv = [*devenv_argv(), "up", *words]
    with Terminal(argv, project.directory, project.environ) as terminal:
        terminal.wait(lambda s: len(re.findall("● running", s)) == 2, seconds=90, what="the start")
        terminal.press("B")
        yield terminal
        terminal.press("q\r")
        terminal.wait_end(seconds=30)


def said(terminal: Terminal, pattern: str, seconds: float = 40) -> str:
    return terminal.wait(lambda s: re.search(pattern, s) is not None, seconds=seconds, what=pattern)


def inside(project: Project, path: str) -> str:
    command = ("docker", "exec", project.ids()["app"], "cat", path)
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_saves_builds_pauses_and_cancels(project: Project) -> None:
    root = write(project)
    with up(project) as terminal:
        said(terminal, r"● watching \d+ files; what a saved file does appears here")
        (root / "src/a.txt").write_text("2\n")
        said(terminal, rf"app +✓ synced 1 file in {TOOK}, \d+s ago · image is stale")
        assert inside(project, "/app/src/a.txt") == "2\n"

        (root / "deps.txt").write_text("2\n")
        said(terminal, rf"app +✓ rebuilt in {TOOK}, \d+s ago")
        said(terminal, rf"✓ app rebuilt in {TOOK}")  # the status line
        for part in ("context", "build steps", "stop", "create"):
            said(terminal, part)
        assert inside(project, "/installed") == "2\n"

        terminal.press("p")
        said(terminal, "paused: nothing held yet")
        before = project.ids()
        (root / "deps.txt").write_text("3\n")
        said(terminal, "paused: 1 changed file held")
        (root / "src/a.txt").write_text("3\n")
        said(terminal, "paused: 2 changed files held; p goes on")
        said(terminal, r"app +‖ paused: 2 held")
        assert (project.ids(), inside(project, "/app/src/a.txt")) == (before, "2\n")
        terminal.press("p")
        said(terminal, rf"✓ {CLOCK} app +rebuilt +{TOOK} +deps\.txt, src/a\.txt")
        assert terminal.screen.count("deps.txt, src/a.txt") == 1
        assert (inside(project, "/installed"), inside(project, "/app/src/a.txt")) == ("3\n", "3\n")

        (root / "Dockerfile").write_text(DOCKERFILE + "RUN echo reason >&2; false\n")
        said(terminal, r"app +✗ failed: Dockerfile:7: ")
        terminal.press("\r")
        said(terminal, "Dockerfile:7: .*RUN echo reason")
        said(terminal, "Why")
        terminal.press("\x1b")
        terminal.wait(lambda s: "Why\n" not in s and "watching" in s, seconds=20, what="the list")

        (root / "Dockerfile").write_text(DOCKERFILE)
        said(terminal, r"app +✓ rebuilt in")
        kept = project.ids()
        (root / "deps.txt").write_text("wait\n")
        said(terminal, r"app +◑ building: step 4/\d RUN cp deps.txt")
        terminal.press("x")
        said(terminal, rf"– {CLOCK} app +cancelled")
        assert (project.ids(), inside(project, "/installed")) == (kept, "3\n")
        (root / "deps.txt").write_text("4\n")
        said(terminal, r"app +✓ rebuilt in")
        assert inside(project, "/installed") == "4\n"

        terminal.press("j")
        said(terminal, "─ app ─")
        terminal.press("b")
        said(terminal, rf"✓ {CLOCK} app +rebuilt +{TOOK} +asked for")


def test_another_watch_is_said_and_taken_over_from(project: Project) -> None:
    root = write(project)
    project.up()
    with project.running("watch") as watch:
        wait_for(lambda: "watching" in watch.stderr, what="the watch")
        with up(project) as terminal:
            said(terminal, rf"not watching here: another devenv \(pid {watch.process.pid}\)")
            terminal.press("p")
            watch.process.terminate()
            assert watch.process.wait(20) == 130
            said(terminal, "● watching")
            (root / "src/a.txt").write_text("2\n")
            said(terminal, r"app +✓ synced 1 file")


def test_a_watch_that_is_off_says_why(project: Project) -> None:
    write(project)
    with up(project, "--no-watch") as terminal:
        said(terminal, "off: --no-watch was given")
