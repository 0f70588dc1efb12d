"""What a snapshot says when the disk, the engine, the directory or another devenv is in the way."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from devenv.engine.context import Endpoint, EndpointKind
from tests.engine.project import Project, sleeper, wait_for
from tests.engine.proxy import engine_proxy
from tests.engine.test_snapshot import leftovers, states
from tests.engine.test_snapshot_restore import volumes

FILL = "head -c {size} /dev/urandom >/data/file"


@pytest.fixture(autouse=True)
def own_state(project: Project, tmp_path: Path) -> None:
    project.environ |= {"XDG_STATE_HOME": str(tmp_path / "state")}


def start(project: Project, size: int) -> None:
    project.write_compose({"a": sleeper(volumes=["data:/data"])}, volumes={"data": None})
    project.up()
    project.run("exec", "a", "sh", "-c", FILL.format(size=size))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_keeps_nothing_and_the_service_goes_on(
    project: Project, small_disk: Path
) -> None:
    start(project, 8_000_000)
    project.environ["XDG_STATE_HOME"] = str(small_disk)
    said = project.run("snapshot", "save", "one", code=1).stderr
    assert "There is no room left" in said and "Nothing was kept" in said
    assert states(project) == {"a": "running"} and leftovers(project) == []
    assert list(small_disk.rglob("snapshots/*/*")) == []
    project.run("exec", "a", "sh", "-c", "echo small >/data/file")
    project.run("snapshot", "save", "one")


def test_two_at_once_take_turns(project: Project) -> None:
    start(project, 60_000_000)
    arguments = ("snapshot", "save")
    with (
        project.running(*arguments, "one", log="first") as first,
        project.running(*arguments, "two", log="second") as second,
    ):
        assert first.process.wait(60) == 0, first.stderr
        assert second.process.wait(60) == 0, second.stderr
    waited, went = (second, first) if "waiting" in second.stderr else (first, second)
    words = f"Another devenv (pid {went.process.pid}) is copying the volumes of this environment"
    assert words in waited.stderr
    assert states(project) == {"a": "running"} and leftovers(project) == []
    shown = project.run("snapshot", "list").stdout
    assert "one" in shown and "two" in shown


async def test_an_engine_that_goes_away_in_the_middle(
    project: Project, docker_engine: Endpoint, tmp_path: Path
) -> None:
    if docker_engine.kind is not EndpointKind.UNIX:
        pytest.skip("the proxy speaks to a unix socket")
    await asyncio.to_thread(start, project, 100_000_000)
    environ = dict(project.environ)
    async with engine_proxy(tmp_path / "engine.sock", docker_engine.address) as proxy:
        project.environ["DOCKER_HOST"] = f"unix://{proxy.place}"
        with project.running("snapshot", "save", "one") as save:
            look = partial(wait_for, lambda: states(project)["a"] == "paused", what="the pause")
            await asyncio.to_thread(look)
            await proxy.close()
            assert await asyncio.to_thread(save.process.wait, 60) == 3, save.stderr
            assert "Traceback" not in save.stderr and "a may still be held" in save.stderr
    project.environ.clear()
    project.environ.update(environ)
    said = (await asyncio.to_thread(project.run, "snapshot", "save", "one")).stderr
    assert "goes on" in said
    found = await asyncio.to_thread(lambda: (states(project), leftovers(project)))
    assert found == ({"a": "running"}, [])


def test_what_is_in_the_way_is_said_before_anything_is_held(project: Project) -> None:
    start(project, 1000)
    image = project.containers()["a"]["Config"]["Image"]
    state = project.environ["XDG_STATE_HOME"]
    project.environ["XDG_STATE_HOME"] = "/proc"
    said = project.run("snapshot", "save", "one", code=1).stderr
    assert "cannot be used" in said and "XDG_STATE_HOME" in said
    assert "no snapshot yet" in project.run("snapshot", "list").stdout
    project.environ["XDG_STATE_HOME"] = state

    refuse_stranger(project, image)
    refuse_living(project, image)
    assert states(project) == {"a": "running"} and leftovers(project) == []

    project.write_compose(
        {"a": sleeper(volumes=["data:/data", "far:/far"])},
        volumes={"data": None, "far": {"driver": "somebody/sshfs"}},
    )
    said = project.run("snapshot", "save", "one", code=2).stderr
    assert "Volume far is kept by the driver somebody/sshfs" in said
    assert "copy the others: --volume data" in said
    project.run("snapshot", "save", "one", "--volume", "data")
    assert volumes(project) == [f"{project.name}_data"]
    project.write_compose(
        {"a": sleeper(volumes=["data:/data", "quick:/quick"])},
        volumes={"data": None, "quick": {"driver_opts": {"type": "tmpfs", "device": "tmpfs"}}},
    )
    said = project.run("snapshot", "save", "two", code=2).stderr
    assert "Volume quick is kept in memory (tmpfs)" in said and "--volume data" in said


def refuse_stranger(project: Project, image: str) -> None:
    """A container of somebody else's is never held."""
    name = f"{project.name}-stranger"
    run = ["docker", "run", "--detach", "--name", name, "--volume", f"{project.name}_data:/data"]
    subprocess.run([*run, image, "sleep", "600"], capture_output=True, check=True)
    try:
        said = project.run("snapshot", "save", "one", code=1).stderr
        assert f"Container {name}, which is not of {project.name}, writes" in said
        assert f"docker stop {name}" in said
    finally:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=True)


def refuse_living(project: Project, image: str) -> None:
    """A devenv that may live on another machine is left alone."""
    labels = {
        "dev.devenv.work": "stage",
        "dev.devenv.work.environment": project.name,
        "dev.devenv.work.detail": "[]",
        "dev.devenv.work.owner": "another-machine:1",
    }
    options = [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]
    create = ["docker", "create", *options, image, "true"]
    made = subprocess.run(create, capture_output=True, text=True, check=True).stdout.strip()
    try:
        said = project.run("snapshot", "save", "one", code=1).stderr
        assert "Another devenv (another-machine:1) works on the volumes" in said
        assert f"docker rm {made[:12]}" in said
    finally:
        subprocess.run(["docker", "rm", made], capture_output=True, check=True)
