"""What the watch says of containers that stop slowly, and of places that cannot be written to."""

from __future__ import annotations

import asyncio
import json

from devenv.engine.health_wait import measure_health
from devenv.state.containers import ContainerId
from tests.engine.project import BASE, FAST, Project
from tests.engine.test_watch import said

DOCKERFILE = f"""\
FROM {BASE}
WORKDIR /srv
COPY deps.txt .
RUN cp deps.txt /installed
COPY src ./src
USER nobody
CMD while true; do sleep 1; done
"""


def measure(project: Project) -> float:
    """How long the container that runs took to become healthy."""
    ids = [ContainerId(one) for one in project.ids().values()]
    found = asyncio.run(measure_health(project.client, ids, limit_seconds=40))
    assert found is not None
    return found


def test_a_stop_that_is_ignored_and_a_folder_that_is_not_writable(project: Project) -> None:
    project.write("Dockerfile", DOCKERFILE)
    deps = project.write("deps.txt", "1\n")
    source = project.write("src/a.txt", "1\n")
    project.write("devenv.toml", "[watch]\nstop_timeout = 1\n")
    check = {"test": ["CMD", "true"], **FAST}
    project.write_compose({"app": {"build": ".", "healthcheck": check}})
    project.up()
    listed = project.run("watch", "--list").stdout
    assert "nobody cannot write to /srv/src" in listed and "Dockerfile:6" in listed
    rows = json.loads(project.run("watch", "--list", "--format", "json").stdout)
    assert {row["path"]: row["writable"] for row in rows if row["path"] == "src"} == {"src": False}
    with project.running("watch") as watch:
        said(watch, "app   note: Dockerfile:6: nobody cannot write to /srv/src")
        source.write_text("2\n")
        said(watch, "synced")
        deps.write_text("2\n")
        said(watch, "app   note: Dockerfile:7: PID 1 does not end on SIGTERM: a stop took 1.")
        said(watch, "rebuilt")
        assert "fix: the exec form" in watch.stdout
        line = next(one for one in watch.stdout.splitlines() if "rebuilt" in one)
        assert "stop 1." in line and "build steps" in line and "context" in line
        deps.write_text("3\n")
        said(watch, "rebuilt", 2)
        assert watch.stdout.count("end on SIGTERM") == 1
        assert watch.stdout.count("cannot write") == 1
        assert measure(project) > 0
    project.run("down")
    assert "cannot write" not in project.run("watch", "--list").stdout
    rows = json.loads(project.run("watch", "--list", "--format", "json").stdout)
    assert {row["writable"] for row in rows} == {None}
