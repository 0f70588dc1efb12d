"""A build for which the engine's disk has no space: what runs goes on, and the next save has it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from devenv.engine.context import Endpoint, EndpointKind
from tests.engine.project import Project, Running, wait_for
from tests.engine.second_engine import IMAGE, SecondEngine, second_engine

MIB = 1024 * 1024
DOCKERFILE = f"""\
FROM {IMAGE}
WORKDIR /app
COPY deps.txt .
RUN cat deps.txt > /installed
COPY src ./src
CMD ["sleep", "600"]
"""


@pytest.fixture
def engine() -> Iterator[SecondEngine]:
    """One whose data has 64 MiB, in memory."""
    with tempfile.TemporaryDirectory(prefix="dvt") as place:  # a socket's path has to be short
        data = Path(place, "data")
        data.mkdir()
        subprocess.run(("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", data), check=True)
        try:
            with second_engine(Path(place)) as engine:
                yield engine
        finally:
            # The engine's end has unmounted what is below its directory, this too.
            subprocess.run(("umount", data), check=False, capture_output=True)


def fill(path: Path, left_bytes: int) -> None:
    """Take the disk's space but for so much."""
    with path.open("wb") as file:
        while shutil.disk_usage(path.parent).free > left_bytes + MIB:
            file.write(b"\0" * MIB)
            file.flush()


def said(watch: Running, text: str) -> None:
    try:
        wait_for(lambda: text in watch.stdout, seconds=90, what=text)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{watch.stdout}\n{watch.stderr}") from None


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("dockerd"),
    reason="starting an engine of its own needs root, unshare and dockerd",
)
def test_a_full_disk(docker_engine: Endpoint, engine: SecondEngine, cache: Path) -> None:
    place = engine.socket.parent
    directory = place / "project"
    directory.mkdir()
    project = Project(directory, Endpoint(EndpointKind.UNIX, str(engine.socket)), cache)
    project.environ["DOCKER_HOST"] = f"unix://{engine.socket}"
    project.write("Dockerfile", DOCKERFILE)
    project.write("deps.txt", "1\n")
    project.write("src/a.txt", "1\n")
    build = {"context": ".", "network": "none"}
    project.write_compose({"app": {"build": build, "network_mode": "none", "init": False}})
    project.run("up", "--detach", "--no-checks")
    ids = project.ids()

    def inside(path: str) -> str:
        return engine.docker("exec", project.ids()["app"], "cat", path, check=False).stdout

    with project.running("watch") as watch:
        wait_for(lambda: "watching" in watch.stderr, what="the watch")
        filler = place / "data" / "filler"
        fill(filler, 4 * MIB)
        (directory / "deps.txt").write_text("2\n" * 4 * MIB)
        said(watch, "no space is left on the engine's disk")
        assert str(place / "data") in watch.stdout and "docker builder prune" in watch.stdout
        assert project.ids() == ids and project.running_services() == {"app"}
        assert watch.process.poll() is None
        filler.unlink()
        (directory / "deps.txt").write_text("3\n")
        wait_for(lambda: inside("/installed") == "3\n", seconds=60, what=watch.stdout)
        said(watch, "rebuilt")
        (directory / "src/a.txt").write_text("2\n")
        wait_for(lambda: inside("/app/src/a.txt") == "2\n", seconds=60, what=watch.stdout)
        watch.process.terminate()
        assert watch.process.wait(30) == 130
