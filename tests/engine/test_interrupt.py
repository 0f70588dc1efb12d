"""Ctrl-C and kill: what had started stays, and the next `up` goes on from there."""

from __future__ import annotations

import signal

import pytest

from tests.engine.project import FAST, HEALTHY, Project, shell, sleeper, wait_for


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
