"""`attach` in a terminal, for a debugger that reads its input there, and `open`."""

from __future__ import annotations

from tests.e2e.terminal import Terminal
from tests.engine.project import BASE, Project, devenv_argv, sleeper


def test_attach_and_detach(project: Project) -> None:
    service = {"image": BASE, "command": ["cat"], "stdin_open": True, "tty": True}
    project.write_compose({"app": service})
    project.up()
    before = project.ids()
    argv = ["/bin/sh", "-c", f"{' '.join(devenv_argv())} attach app; echo code=$?"]
    with Terminal(argv, project.directory, project.environ) as terminal:
        terminal.wait(lambda screen: "Attached to app" in screen, seconds=20, what="the note")
        terminal.press("what is typed\r")
        terminal.wait(
            lambda screen: screen.count("what is typed") >= 2, seconds=20, what="cat's answer"
        )
        terminal.press("\x10\x11")
        terminal.wait_end(seconds=20)
        said = terminal.raw.decode(errors="replace")
    assert "code=0" in said
    assert project.running_services() == {"app"}
    assert project.ids() == before


def test_open(project: Project) -> None:
    project.write_compose({"web": sleeper(ports=["127.0.0.1::80"])})
    project.up()
    address = project.run("port", "web", "80").stdout.strip()
    shown = project.run("open", "web", BROWSER="/bin/echo %s").stdout
    assert f"http://{address}" in shown
    project.write_compose({"web": sleeper()})
    project.up()
    assert "web" in project.run("open", "web", code=2, BROWSER="/bin/echo %s").stderr
