"""Builds of the watch on a real engine: one for all who share it, and nothing else is touched."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

from tests.engine.project import BASE, Project, Running, sleeper, wait_for

DOCKERFILE = f"""\
FROM {BASE}
ARG X=0
LABEL x=$X
WORKDIR /app
RUN mkdir -p node_modules data && echo image > data/x
COPY package.json .
RUN cp package.json node_modules/installed
COPY src ./src
CMD ["sleep", "600"]
"""
# The label parts the two builds from the first step on: run beside each other, the classic builder
# would make two images of one step, and later find either.


def write(project: Project, services: dict[str, Any]) -> Path:
    project.write("Dockerfile", DOCKERFILE)
    project.write("package.json", "1\n")
    project.write("src/a.txt", "one\n")
    project.write_compose(services)
    return project.directory


def inside(project: Project, service: str, *words: str) -> str:
    argv = ("docker", "exec", project.ids()[service], *words)
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()


def said(up: Running, text: str, count: int = 1) -> None:
    try:
        wait_for(lambda: up.stdout.count(text) >= count, seconds=120, what=text)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{up.stdout}\n{up.stderr}") from None


def built(**more: Any) -> dict[str, Any]:
    return {"build": ".", "init": True, **more}


def test_one_build_for_all_who_share_it(project: Project) -> None:
    root = write(
        project,
        {
            "app": built(volumes=["/app/node_modules", "/app/data"]),
            "worker": built(image=f"{project.name}/own-name:dev"),
            "user": {
                "image": f"{project.name}/own-name:dev",
                "pull_policy": "never",
                "init": True,
                "command": ["sleep", "500"],
                "depends_on": ["worker"],
            },
            "stopped": built(command=["sleep", "500"]),
            "task": built(command=["cat", "src/a.txt"]),
            "other-args": built(build={"context": ".", "args": {"X": "1"}}),
            "follows": sleeper(
                depends_on={"app": {"condition": "service_started", "restart": True}}
            ),
            "stays": sleeper(
                depends_on={
                    "app": {"condition": "service_started"},
                    "task": {"condition": "service_completed_successfully"},
                }
            ),
        },
    )
    done = project.run("up", "--detach")
    built_images = set(re.findall(r"Image (\S+) Built", done.stdout + done.stderr))
    assert built_images == {f"{project.name}-app", f"{project.name}-other-args"}
    wait_for(lambda: project.containers()["task"]["State"]["Status"] == "exited")
    project.run("stop", "stopped")
    first = project.containers()
    inside(project, "app", "sh", "-c", "echo mine > /app/data/x")
    with project.running("watch") as watch:
        wait_for(lambda: "watching" in watch.stderr, what="the watch")
        (root / "package.json").write_text("2\n")
        said(watch, "rebuilt", 2)  # of the two builds
        said(watch, "restarted")
        now = project.containers()
        new = {name for name, raw in now.items() if raw["Id"] != first[name]["Id"]}
        # Whether the task, which asks as the others do, runs again: its manifest is its input.
        assert new == {"app", "worker", "user", "task", "other-args"}
        assert watch.stdout.count("rebuilding") == 2, watch.stdout
        for service in ("app", "worker", "user", "other-args"):
            assert inside(project, service, "cat", "/app/node_modules/installed") == "2"
        assert inside(project, "app", "cat", "/app/data/x") == "mine"
        assert now["stopped"]["State"]["Status"] == "exited"
        images = {name: now[name]["Image"] for name in ("app", "worker", "user", "task")}
        assert len(set(images.values())) == 1, images
        started = {name: raw["State"]["StartedAt"] for name, raw in first.items()}
        assert now["follows"]["State"]["StartedAt"] != started["follows"]
        assert now["stays"]["State"]["StartedAt"] == started["stays"]

        # Back to a content that was built already: the newest image differs again, and then
        # a build that changes nothing replaces nothing.
        (root / "Dockerfile").write_text(DOCKERFILE + "# a remark\n")
        said(watch, "the image is the same", 2)
        assert {n: r["Id"] for n, r in project.containers().items()} == {
            n: r["Id"] for n, r in now.items()
        }
