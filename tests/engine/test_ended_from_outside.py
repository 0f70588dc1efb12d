"""What ends a container that nobody asked to stop is a failure, and shown as one."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from tests.engine.project import Project, shell, sleeper, wait_for

TRAPPING = "trap 'exit 0' TERM INT; while :; do sleep 0.1; done"
DEAF = "trap '' TERM; while :; do sleep 0.1; done"


def kill(project: Project, service: str, number: str) -> None:
    path = f"/containers/{project.ids()[service]}/kill"
    asyncio.run(project.client.request("POST", path, {"signal": number}))
    wait_for(lambda: service not in project.running_services(), what="its end")


def test_killed_is_failed(project: Project) -> None:
    project.write_compose({"web": sleeper(), "db": sleeper()})
    project.up()
    kill(project, "web", "KILL")
    os.kill(int(project.containers()["db"]["State"]["Pid"]), signal.SIGKILL)
    wait_for(lambda: "db" not in project.running_services(), what="its end")
    assert project.statuses() == {"web": "failed", "db": "failed"}
    assert "137" in project.run("ps").stdout


@pytest.mark.parametrize("script", [TRAPPING, DEAF], ids=["answers", "deaf"])
@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT"])
def test_stopped_is_stopped(project: Project, script: str, number: str) -> None:
    web = shell(script, stop_signal=number, stop_grace_period="1s", init=False)
    project.write_compose({"web": web})
    project.up()
    project.run("stop")
    assert project.statuses() == {"web": "stopped"}


def test_killed_while_following(project: Project) -> None:
    project.write_compose({"web": sleeper(), "db": sleeper(), "other": sleeper()})
    with project.running("up", "--plain") as up:
        wait_for(lambda: "Ready" in up.stderr, what="readiness")
        project.run("stop", "other")
        wait_for(lambda: "stopped" in up.stdout, what="the stop")
        kill(project, "web", "KILL")
        wait_for(lambda: "failed: exit code 137" in up.stdout, what="the failure")
        assert up.stdout.count("failed") == 1
        project.run("stop", "db")
        assert up.process.wait(20) == 1
