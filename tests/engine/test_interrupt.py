"""Ctrl-C and kill: what had started stays, and the next `up` goes on from there."""

from __future__ import annotations

import contextlib
import signal
import socket
from pathlib import Path

import pytest

from tests.engine.project import BASE, FAST, HEALTHY, Project, shell, sleeper, wait_for


def test_interrupt_while_following(project: Project) -> None:
    project.write_compose({"web": shell("echo hello; exec sleep 600", healthcheck=HEALTHY)})
    with project.running("up", "--plain") as up:
        wait_for(lambda: "Ready" in up.stderr and "hello" in up.stdout, what="readiness")
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(20) == 130
        assert "devenv down" in up.stderr
        assert "Traceback" not in up.stderr
    assert project.running_services() == {"web"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["int", "term"])
def test_interrupt_while_starting(project: Project, number: signal.Signals) -> None:
    never = {"test": ["CMD", "false"], **FAST, "retries": 1000}
    project.write_compose(
        {
            "db": sleeper(healthcheck=never),
            "web": sleeper(depends_on={"db": {"condition": "service_healthy"}}),
        }
    )
    with project.running("up", "--plain") as up:
        wait_for(lambda: "db" in project.running_services(), what="the first service")
        up.process.send_signal(number)
        assert up.process.wait(20) == 130
        assert "Interrupted" in up.stderr
    assert project.running_services() == {"db"}


def test_kill_while_following(project: Project) -> None:
    project.write_compose({"web": sleeper(healthcheck=HEALTHY), "db": sleeper()})
    with project.running("up", "--plain") as up:
        wait_for(lambda: "Ready" in up.stderr, what="readiness")
        up.process.kill()
        up.process.wait(20)
    before = project.ids()
    assert project.running_services() == {"web", "db"}
    project.up()
    assert project.ids() == before


def test_kill_while_starting(project: Project) -> None:
    slow = {"test": ["CMD", "test", "-e", "/ready"], **FAST, "retries": 20}
    project.write_compose(
        {
            "db": shell("sleep 2; touch /ready; exec sleep 600", healthcheck=slow),
            "web": sleeper(depends_on={"db": {"condition": "service_healthy"}}),
        }
    )
    with project.running("up", "--plain") as up:
        wait_for(lambda: "db" in project.running_services(), what="the first service")
        up.process.kill()
        up.process.wait(20)
    db = project.ids()["db"]
    project.up()
    assert project.running_services() == {"db", "web"}
    assert project.ids()["db"] == db


BEGINNINGS = [["--plain"], ["--detach", "--wait"]]


@pytest.mark.parametrize("options", BEGINNINGS, ids=["plain", "detached"])
def test_interrupt_while_building(project: Project, options: list[str]) -> None:
    project.write("Dockerfile", f"FROM {BASE}\nRUN echo building-{project.name}; sleep 300\n")
    project.write_compose({"web": {"build": "."}})
    with project.running("up", *options) as up:
        wait_for(lambda: f"building-{project.name}" in up.stdout, what="the step")
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(20) == 130
        assert "Interrupted while starting" in up.stderr
        assert "Traceback" not in up.stderr
    assert not project.containers()
    assert not children_in(project.directory)


def test_interrupt_while_pulling(project: Project) -> None:
    """From a registry of this machine that takes the connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as registry:
        image = f"127.0.0.1:{registry.getsockname()[1]}/{project.name}:1"
        project.write_compose({"web": {"image": image}})
        with project.running("up", "--detach", "--wait") as up:
            registry.settimeout(30)
            engine, _ = registry.accept()
            up.process.send_signal(signal.SIGINT)
            assert up.process.wait(20) == 130
            assert "Interrupted while starting" in up.stderr
            engine.close()
    assert not project.containers()
    assert not children_in(project.directory)


def children_in(directory: Path) -> list[str]:
    """The commands of the processes that work in a directory: Compose, or a builder."""
    found = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdigit() and (process / "cwd").readlink() == directory:
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return found
