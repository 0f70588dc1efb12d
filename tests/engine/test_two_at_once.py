"""Two devenv on one environment: the second waits for the first, says so, and goes on."""

from __future__ import annotations

import signal

import pytest

from tests.e2e.terminal import Terminal
from tests.engine.project import FAST, Project, devenv_argv, shell, sleeper, wait_for

READY = {"test": ["CMD", "test", "-e", "/ready"], **FAST, "retries": 30}
NEVER = {"test": ["CMD", "false"], **FAST, "retries": 1000}


def write_slow(project: Project) -> None:
    project.write_compose(
        {
            "db": shell("sleep 3; touch /ready; exec sleep 600", healthcheck=READY),
            "web": sleeper(depends_on={"db": {"condition": "service_healthy"}}),
        }
    )


def write_endless(project: Project) -> None:
    project.write_compose(
        {
            "db": sleeper(healthcheck=NEVER),
            "web": sleeper(depends_on={"db": {"condition": "service_healthy"}}),
        }
    )


def test_the_second_start_waits_and_finds_all_running(project: Project) -> None:
    write_slow(project)
    arguments = ("up", "--detach", "--wait")
    with (
        project.running(*arguments, log="first") as first,
        project.running(*arguments, log="second") as second,
    ):
        assert first.process.wait(60) == 0, first.stderr
        assert second.process.wait(60) == 0, second.stderr
    waited, went = (second, first) if "waiting" in second.stderr else (first, second)
    assert f"Another devenv (pid {went.process.pid}) is starting" in waited.stderr
    assert "waiting" not in went.stderr
    assert waited.stderr.count("waiting") == 1
    assert "Ready" in waited.stderr
    assert project.running_services() == {"db", "web"}


def test_interrupt_ends_the_waiting_and_leaves_the_first_alone(project: Project) -> None:
    write_endless(project)
    with project.running("up", "--plain", log="first") as first:
        wait_for(lambda: "db" in project.running_services(), what="the first service")
        with project.running("up", "--plain", log="second") as second:
            wait_for(lambda: "waiting" in second.stderr, what="the waiting to be said")
            second.process.send_signal(signal.SIGINT)
            assert second.process.wait(20) == 130
            assert "Traceback" not in second.stderr
        with project.running("stop", log="third") as third:
            wait_for(lambda: "waiting" in third.stderr, what="the waiting to be said")
            third.process.send_signal(signal.SIGINT)
            assert third.process.wait(20) == 130
            assert "Traceback" not in third.stderr
        assert first.process.poll() is None
        assert project.running_services() == {"db"}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["kill", "int"])
def test_the_end_of_the_first_lets_the_second_go_on(
    project: Project, number: signal.Signals
) -> None:
    write_endless(project)
    with project.running("up", "--plain", log="first") as first:
        wait_for(lambda: "db" in project.running_services(), what="the first service")
        with project.running("down", log="second") as second:
            wait_for(lambda: "waiting" in second.stderr, what="the waiting to be said")
            assert str(first.process.pid) in second.stderr
            first.process.send_signal(number)
            assert second.process.wait(60) == 0, second.stderr
    assert not project.containers()


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_the_terminal_ui_shows_the_waiting_and_takes_keys(project: Project) -> None:
    write_endless(project)
    with project.running("up", "--plain") as first:
        wait_for(lambda: "db" in project.running_services(), what="the first service")
        argv = [*devenv_argv(), "up"]
        with Terminal(argv, project.directory, project.environ) as terminal:
            said = f"up: Another devenv (pid {first.process.pid}) is starting this environment"
            terminal.wait(lambda screen: said in screen, seconds=60, what="the waiting")
            terminal.press("x")
            terminal.wait(lambda screen: "cancelled" in screen, seconds=10, what="the end of it")
        assert first.process.poll() is None


def test_no_waiting_beside_one_that_only_follows(project: Project) -> None:
    project.write_compose({"web": sleeper()})
    with project.running("up", "--plain", log="first") as first:
        wait_for(lambda: "Ready" in first.stderr, what="readiness")
        assert "waiting" not in project.run("restart").stderr
        wait_for(lambda: first.stdout.count("running") > 1, what="the restart to be shown")
        assert first.process.poll() is None  # a restart is not the end of all containers
        project.run("stop")
        assert first.process.wait(20) == 0
        assert "All containers have ended" in first.stderr


def test_a_state_directory_that_cannot_be_written_is_no_hindrance(project: Project) -> None:
    project.write_compose({"web": sleeper()})
    project.write("file", "")
    project.run("up", "--detach", "--wait", XDG_STATE_HOME=str(project.directory / "file"))
    assert project.running_services() == {"web"}
