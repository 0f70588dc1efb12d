"""The terminal is given back as it was, however the UI is left. No engine is needed."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal
from tests.engine.project import clean_environ, devenv_argv, wait_for

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

MODES = {
    "alternate screen": ("\x1b[?1049h", "\x1b[?1049l"),
    "hidden cursor": ("\x1b[?25l", "\x1b[?25h"),
    "mouse": ("\x1b[?1000h", "\x1b[?1000l"),
    "mouse moves": ("\x1b[?1003h", "\x1b[?1003l"),
    "bracketed paste": ("\x1b[?2004h", "\x1b[?2004l"),
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "compose.yaml").write_text("services:\n  web:\n    image: nothing\n")
    return tmp_path


@pytest.fixture
def environ(tmp_path: Path, cache: Path) -> dict[str, str]:
    socket = tmp_path / "nobody.sock"
    return {**clean_environ(cache), "DOCKER_HOST": f"unix://{socket}"}


def is_ready(screen: str) -> bool:
    return "web" in screen and "Trying again" in screen


def end_by(number: signal.Signals) -> Callable[[Terminal], None]:
    """Sends the signal to devenv, the child of the shell in the terminal."""

    def send(terminal: Terminal) -> None:
        children = Path(f"/proc/{terminal.process}/task/{terminal.process}/children")
        os.kill(int(children.read_text().split()[0]), number)

    return send


def storm(terminal: Terminal) -> None:
    for step in range(150):
        terminal.resize(60 + step % 140, 15 + step % 50)
    terminal.resize(100, 30)
    terminal.wait(
        lambda screen: screen.splitlines()[-1].lstrip().startswith("? Help"),
        seconds=20,
        what="the last size",
    )
    terminal.press("q")


@pytest.mark.parametrize(
    ("leave", "code"),
    [
        pytest.param(lambda terminal: terminal.press("q"), 0, id="q"),
        pytest.param(lambda terminal: terminal.press("\x03"), 0, id="ctrl-c"),
        pytest.param(storm, 0, id="resize-storm"),
        pytest.param(end_by(signal.SIGTERM), 130, id="SIGTERM"),
        pytest.param(end_by(signal.SIGHUP), 130, id="SIGHUP"),
    ],
)
def test_the_terminal_is_as_it_was(
    directory: Path, environ: dict[str, str], leave: Callable[[Terminal], None], code: int
) -> None:
    script = f'echo "before=$(stty -g)"; {shlex.join([*devenv_argv(), "up"])}; echo "code=$?"; '
    script += 'echo "after=$(stty -g)"'
    with Terminal(["/bin/sh", "-c", script], directory, environ) as terminal:
        terminal.wait(is_ready, seconds=30, what="the UI")
        leave(terminal)
        terminal.wait_end(seconds=20)
        said = terminal.raw.decode(errors="replace")
    assert f"code={code}\r\n" in said and "Traceback" not in said
    before, after = re.search(r"before=(\S+)", said), re.search(r"after=(\S+)", said)
    assert before and after and before[1] == after[1]
    for mode, (entered, left) in MODES.items():
        assert said.rfind(left) > said.rfind(entered) >= 0, mode


def test_nothing_stays_when_the_terminal_goes_away(
    directory: Path, environ: dict[str, str]
) -> None:
    with Terminal([*devenv_argv(), "up"], directory, environ) as terminal:
        terminal.wait(is_ready, seconds=30, what="the UI")
        session = terminal.process
        terminal.hang_up()
        assert terminal.exit_code == 130
    wait_for(lambda: not members_of(session), what="the end of its children")


def members_of(session: int) -> list[str]:
    """The command lines of a session's processes."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append((stat.parent / "cmdline").read_text())
    return found
