"""The size that counts is the terminal's last, also where one change interrupts the other."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal
from tests.engine.project import clean_environ, wait_for

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

_PROGRAM = """\
import fcntl, struct, sys, termios
from pathlib import Path
from devenv.cli.main import run_command_line
from devenv.tui.app import DevenvApp
from devenv.tui.lasting_driver import LastingDriver

read_size = LastingDriver._get_terminal_size
show = DevenvApp._show

def read_and_change(self):
    size = read_size(self)
    if tuple(size) == (90, 28):
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    return size

def show_and_tell(self):
    show(self)
    Path(sys.argv[1]).write_text(f"{self.size.width} {self.size.height}")

LastingDriver._get_terminal_size = read_and_change
DevenvApp._show = show_and_tell
sys.exit(run_command_line(["up"]))
"""


def test_a_change_while_another_is_told(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services:\n  web:\n    image: nothing\n")
    program, told = tmp_path / "program.py", tmp_path / "told"
    program.write_text(_PROGRAM)
    environ = {**clean_environ(cache), "DOCKER_HOST": f"unix://{tmp_path}/nobody.sock"}
    argv = [sys.executable, str(program), str(told)]
    with Terminal(argv, tmp_path, environ) as terminal:
        terminal.wait(lambda screen: "Trying again" in screen, seconds=30, what="the UI")
        assert told.read_text() == "120 36"
        terminal.resize(90, 28)

        def is_last() -> bool:
            terminal.read()
            return told.read_text() == "100 30"

        wait_for(is_last, what="the last size")
        terminal.press("q")
        terminal.wait_end(seconds=20)
