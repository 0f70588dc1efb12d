"""`up` at a terminal in a fresh clone: missing values are asked for, then it starts with them."""

from __future__ import annotations

from tests.e2e.terminal import Terminal
from tests.engine.project import Project, devenv_argv, sleeper


def prepare(project: Project) -> None:
    environment = {"DB_PASSWORD": "${DB_PASSWORD:?set it}", "GREETING": "${GREETING}"}
    project.write_compose({"db": sleeper(environment=environment)})
    (project.directory / ".env.example").write_text("# Ask nobody.\nDB_PASSWORD=\nGREETING=hi\n")


def start(project: Project, *words: str) -> Terminal:
    environ = {k: v for k, v in project.environ.items() if k not in ("CI", "GREETING")}
    return Terminal([*devenv_argv(), "up", *words], project.directory, environ)


def test_missing_values_are_asked_for_and_used(project: Project) -> None:
    prepare(project)
    with start(project) as terminal:
        terminal.wait(lambda s: "Fill in .env now? [Y/n]" in s, seconds=20, what="the offer")
        assert "DB_PASSWORD, GREETING are not set" in terminal.screen
        terminal.press("\r")
        terminal.wait(lambda s: "DB_PASSWORD (g: generate):" in s, seconds=10, what="question")
        assert "# Ask nobody." in terminal.screen
        terminal.press("pa$s #1\r")
        terminal.wait(lambda s: "GREETING (Enter: hi):" in s, seconds=10, what="the next one")
        terminal.press("\r")
        terminal.wait(lambda s: "✓ up is done" in s, seconds=60, what="the start")
        assert b"pa$s" not in terminal.raw
        terminal.press("q")
        terminal.wait(lambda s: "Leave running" in s, seconds=10, what="the last question")
        terminal.press("\r")
        terminal.wait_end(seconds=20)
    given = project.containers()["db"]["Config"]["Env"]
    assert {"DB_PASSWORD=pa$s #1", "GREETING=hi"} <= set(given)
    text = (project.directory / ".env").read_text()
    assert text == "# Ask nobody.\nDB_PASSWORD='pa$s #1'\nGREETING=hi\n"


def test_no_and_an_interrupt_write_nothing(project: Project) -> None:
    prepare(project)
    with start(project, "--detach") as terminal:
        terminal.wait(lambda s: "now? [Y/n]" in s, seconds=20, what="the offer")
        assert "DB_PASSWORD is not set" in terminal.screen
        terminal.press("n\r")
        terminal.wait_end(seconds=30)
        assert "DB_PASSWORD" in terminal.screen and terminal.exit_code == 2
    with start(project, "--detach") as terminal:
        terminal.wait(lambda s: "now? [Y/n]" in s, seconds=20, what="the offer")
        terminal.press("\r")
        terminal.wait(lambda s: "DB_PASSWORD (g" in s, seconds=10, what="the question")
        terminal.press("\x03")
        terminal.wait_end(seconds=20)
        assert terminal.exit_code == 130
    assert not (project.directory / ".env").exists()
    assert not project.containers()
