"""`devenv env sync` at a terminal: what is typed, what is shown, and what Ctrl-C leaves."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal

FILES = {
    "compose.yaml": (
        "services: {db: {image: devenv-offline/base, environment:"
        " {POSTGRES_PASSWORD: '${POSTGRES_PASSWORD:?set it}'}}}\n"
    ),
    ".env.example": "# At least 12.\nPOSTGRES_PASSWORD=\nPORT=8080\n",
    ".env": "# mine\nMINE=1\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def start(project: Path, *words: str) -> Terminal:
    argv = (str(Path(sys.executable).parent / "devenv"), "env", "sync", *words)
    kept = {name: os.environ[name] for name in ("PATH", "HOME")}
    return Terminal(argv, project, {**kept, "XDG_CACHE_HOME": str(project / ".cache")})


def test_answers_are_written_and_secrets_not_shown(project: Path) -> None:
    with start(project) as terminal:
        terminal.wait(lambda s: "POSTGRES_PASSWORD (g: generate)" in s, seconds=20, what="question")
        assert "2 keys are missing in .env." in terminal.screen
        assert "# At least 12." in terminal.screen
        terminal.press("hunter2 $x #é\r")
        terminal.wait(lambda s: "PORT (Enter: 8080)" in s, seconds=10, what="the next question")
        assert "taken, 13 characters" in terminal.screen
        terminal.press("9090\r")
        terminal.wait_end(seconds=10)
        assert "changed .env: POSTGRES_PASSWORD, PORT" in terminal.screen
        assert b"hunter2" not in terminal.raw
        assert terminal.exit_code == 0
    text = (project / ".env").read_text()
    assert text == "# mine\nMINE=1\n# At least 12.\nPOSTGRES_PASSWORD='hunter2 $x #é'\nPORT=9090\n"


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["ctrl-c", "ctrl-d"])
def test_an_interrupt_leaves_the_file_as_it_is(project: Path, key: str) -> None:
    with start(project) as terminal:
        terminal.wait(lambda s: "POSTGRES_PASSWORD (g" in s, seconds=20, what="the question")
        terminal.press("hunter2\r")
        terminal.wait(lambda s: "PORT (Enter: 8080)" in s, seconds=10, what="the next question")
        terminal.press(key)
        terminal.wait_end(seconds=10)
        assert terminal.exit_code == 130
        assert "Traceback" not in terminal.screen
    assert (project / ".env").read_text() == FILES[".env"]
    assert {path.name for path in project.iterdir()} <= {*FILES, ".cache"}


def test_a_secret_is_typed_without_echo_and_can_be_interrupted(project: Path) -> None:
    with start(project) as terminal:
        terminal.wait(lambda s: "POSTGRES_PASSWORD (g" in s, seconds=20, what="the question")
        assert not terminal.echoes
        terminal.press("\x03")
        terminal.wait_end(seconds=10)
        assert terminal.exit_code == 130
    assert (project / ".env").read_text() == FILES[".env"]
