"""An error of devenv's own: the terminal is given back, one sentence, a report without values."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devenv.cli.main import run_command_line
from devenv.cli.own_error import end_with_report
from devenv.errors import ExitCode
from tests.e2e.terminal import Terminal
from tests.engine.project import clean_environ, wait_for

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

_PROGRAM = """\
import sys
from devenv.cli.main import run_command_line
from devenv.tui.services import ServiceList

def fail(self, *arguments):
    password = "hunter" + str(1000 + 337)
    raise RuntimeError("the list has no row")

ServiceList.on_key = fail
sys.exit(run_command_line(["up"]))
"""


@pytest.fixture
def terminal(tmp_path: Path, cache: Path) -> Iterator[Terminal]:
    """The UI, which fails at the first key."""
    (tmp_path / "compose.yaml").write_text("services:\n  web:\n    image: nothing\n")
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM)
    environ = {**clean_environ(cache), "DOCKER_HOST": f"unix://{tmp_path}/nobody.sock"}
    with Terminal([sys.executable, str(program)], tmp_path, environ) as terminal:
        terminal.wait(lambda screen: "Trying again" in screen, seconds=30, what="the UI")
        yield terminal


def test_a_handler_that_raises(terminal: Terminal, cache: Path) -> None:
    terminal.press("x")
    terminal.wait_end(seconds=20)
    assert terminal.exit_code == ExitCode.FAILED
    said = terminal.raw.decode(errors="replace")
    ending = said[said.rfind("\x1b[?1049l") :]
    assert "RuntimeError: the list has no row" in ending
    assert "hunter1337" not in said and "Traceback" not in said
    (report,) = (cache / "state/devenv/errors").iterdir()
    assert report.stat().st_mode & 0o777 == 0o600
    text = report.read_text()
    assert 'raise RuntimeError("the list has no row")' in text and "hunter1337" not in text


def test_it_ends_where_the_terminal_goes_away_meanwhile(terminal: Terminal) -> None:
    terminal.press("x")
    terminal.hang_up()
    stat = Path(f"/proc/{terminal.process}/stat")
    wait_for(lambda: stat.read_text().rpartition(")")[2].split()[0] == "Z", what="its end")


def test_a_group_names_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    group = ExceptionGroup("tasks", [ExceptionGroup("more", [KeyError("a")]), ValueError("b")])
    for _ in range(12):
        assert end_with_report(group) == ExitCode.FAILED
        _rename_newest(tmp_path / "devenv/errors")
    said = capsys.readouterr().err
    assert "KeyError: 'a' (and 1 more)" in said and str(tmp_path / "devenv/errors") in said
    assert len(list((tmp_path / "devenv/errors").iterdir())) <= 11


def _rename_newest(directory: Path) -> None:
    """The next report of this process in the same second has the same name."""
    newest = max(directory.iterdir(), key=lambda file: file.stat().st_mtime_ns)
    newest.rename(directory / f"0{len(list(directory.iterdir())):03}-{newest.name}")


def test_where_no_report_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "devenv").write_text("a file where the directory would be")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert end_with_report(ValueError()) == ExitCode.FAILED
    said = capsys.readouterr().err
    assert "of its own: ValueError\n" in said and "DEVENV_TRACEBACK=1" in said


def test_the_traceback_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(argv: object) -> object:
        raise LookupError("nothing")

    monkeypatch.setenv("DEVENV_TRACEBACK", "1")
    monkeypatch.setattr("devenv.cli.main.build_parser", fail)
    with pytest.raises(LookupError):
        run_command_line(["ps"])
