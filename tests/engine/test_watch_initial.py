"""`initial_sync` on a real engine: what differs when the watch begins, and nothing else."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from tests.engine.project import BASE, Project, Running, sleeper, wait_for


def rule(path: str, target: str, action: str = "sync", **more: Any) -> dict[str, Any]:
    return {"path": path, "target": target, "action": action, "initial_sync": True, **more}


def write(project: Project) -> Path:
    root = project.directory
    project.write("Dockerfile", f'FROM {BASE}\nCOPY src /app/src\nCMD ["sleep", "600"]\n')
    for name in ("same", "edited", "touched"):
        project.write(f"src/{name}.txt", "1\n")
    os.utime(root / "src/edited.txt", (1_600_000_000, 1_600_000_000))
    project.write("never/old.txt", "1\n")
    project.write("never/skipped.log", "1\n")
    project.write("plain/x.txt", "1\n")
    project.write("conf/c.txt", "1\n")
    (root / "never/link").symlink_to("old.txt")
    watch = [
        rule("./src", "/app/src"),
        rule("./never", "/app/never", ignore=["*.log"]),
        {"path": "./plain", "target": "/app/plain", "action": "sync"},
    ]
    project.write_compose(
        {
            "app": {"build": ".", "init": True, "develop": {"watch": watch}},
            "other": sleeper(develop={"watch": [rule("./conf", "/conf", "sync+restart")]}),
        }
    )
    return root


def inside(project: Project, service: str, *words: str) -> str:
    argv = ("docker", "exec", project.ids()[service], *words)
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def end(watch: Running) -> None:
    watch.process.terminate()
    assert watch.process.wait(30) == 130


def holds(project: Project, watch: Running, service: str, wanted: str, *paths: str) -> None:
    try:
        wait_for(lambda: inside(project, service, "cat", *paths) == wanted, seconds=60)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{watch.stdout}\n{watch.stderr}") from None


def test_what_differs_is_synced_when_the_watch_begins(project: Project) -> None:
    root = write(project)
    project.up()
    started = project.containers()["other"]["State"]["StartedAt"]
    with project.running("watch") as watch:
        holds(project, watch, "app", "1\n", "/app/never/link")
        holds(project, watch, "other", "1\n", "/conf/c.txt")
        wait_for(lambda: watch.stdout.count("synced") >= 1, seconds=60)
        assert inside(project, "app", "ls", "/app/never").split() == ["link", "old.txt"]
        assert inside(project, "app", "ls", "/app/plain") == ""
        wait_for(lambda: project.containers()["other"]["State"]["StartedAt"] != started)
        # A container that replaces this one comes without those files.
        before = project.ids()["app"]
        project.write("Dockerfile", f'FROM {BASE}\nCOPY src /app/src\nCMD ["sleep", "500"]\n')
        wait_for(lambda: project.ids()["app"] != before, seconds=90)
        holds(project, watch, "app", "1\n", "/app/never/link")
        wait_for(lambda: watch.stdout.count("synced") >= 2, seconds=60)
        end(watch)
    # The disk is as it was left; the container is not.
    ids = project.ids()
    inside(project, "app", "sh", "-c", "echo other > /app/src/edited.txt; rm /app/never/old.txt")
    (root / "src/touched.txt").touch()
    with project.running("watch", log="second") as watch:
        holds(project, watch, "app", "1\n1\n", "/app/src/edited.txt", "/app/never/old.txt")
        wait_for(lambda: "synced" in watch.stdout)
        for name in ("same.txt", "touched.txt", "link", "c.txt"):
            assert name not in watch.stdout
        assert project.ids() == ids
        end(watch)


def test_up_begins_with_it_too(project: Project) -> None:
    write(project)
    with project.running("up", "--plain", "--no-checks") as up:
        wait_for(lambda: "app" in project.ids() and "other" in project.ids(), seconds=90)
        holds(project, up, "app", "1\n", "/app/never/link")
        holds(project, up, "other", "1\n", "/conf/c.txt")
        up.process.terminate()
        up.process.wait(60)
