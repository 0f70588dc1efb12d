"""A restore for which the engine's disk has no space: what there was is there, and runs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from devenv.engine.context import Endpoint, EndpointKind
from tests.engine.project import Project
from tests.engine.second_engine import IMAGE, SecondEngine
from tests.engine.test_snapshot import leftovers, states
from tests.engine.test_watch_disk_full import MIB, engine, fill

__all__ = ["engine"]


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("dockerd"),
    reason="starting an engine of its own needs root, unshare and dockerd",
)
def test_a_full_disk_of_the_engine_changes_nothing(
    docker_engine: Endpoint, engine: SecondEngine, cache: Path, tmp_path: Path
) -> None:
    place = engine.socket.parent
    directory = place / "project"
    directory.mkdir()
    project = Project(directory, Endpoint(EndpointKind.UNIX, str(engine.socket)), cache)
    project.environ["DOCKER_HOST"] = f"unix://{engine.socket}"
    project.environ["XDG_STATE_HOME"] = str(tmp_path / "state")
    service: dict[str, object] = {"image": IMAGE, "command": ["sleep", "600"]}
    service |= {"network_mode": "none", "stop_grace_period": "0s", "volumes": ["data:/data"]}
    project.write_compose({"a": service}, volumes={"data": None})
    project.run("up", "--detach", "--no-checks")
    ids = project.ids()

    def inside(script: str) -> str:
        return engine.docker("exec", ids["a"], "sh", "-c", script).stdout.strip()

    inside("seq 1 2000000 >/data/numbers; echo 1 >/data/n")  # 15 MB
    project.run("snapshot", "save", "one")
    inside("echo 2 >/data/n")
    filler = place / "data" / "filler"
    fill(filler, 8 * MIB)
    said = project.run("snapshot", "restore", "one", "--yes", code=1).stderr
    assert "could not take volume data" in said and "no space left on device" in said
    assert "Nothing was changed" in said and "docker system df" in said
    assert (
        inside("cat /data/n; echo /data/.* /data/*") == "2\n/data/. /data/.. /data/n /data/numbers"
    )
    assert states(project) == {"a": "running"} and leftovers(project) == []
    assert shutil.disk_usage(filler.parent).free > 6 * MIB  # what was prepared is gone
    filler.unlink()
    project.run("snapshot", "restore", "one", "--yes")
    assert inside("cat /data/n") == "1"
    assert project.ids() == ids and leftovers(project) == []
