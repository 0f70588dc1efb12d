"""An engine that has no addresses for another network: said, and nothing is left half made."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from devenv.engine.context import Endpoint, EndpointKind
from tests.engine.project import Project
from tests.engine.second_engine import IMAGE, second_engine

TWO_NETWORKS = ("--default-address-pool", "base=10.213.7.0/24,size=25")


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("dockerd"),
    reason="starting an engine of its own needs root, unshare and dockerd",
)
def test_address_pools_used_up(docker_engine: Endpoint, cache: Path) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="dvt") as place,
        second_engine(Path(place), TWO_NETWORKS) as engine,
    ):
        for name in ("one", "two"):
            engine.docker("network", "create", name)
        directory = Path(place, "project")
        directory.mkdir()
        endpoint = Endpoint(EndpointKind.UNIX, str(engine.socket))
        project = Project(directory, endpoint, cache)
        project.environ["DOCKER_HOST"] = f"unix://{engine.socket}"
        project.write_compose({"app": {"image": IMAGE, "command": ["sleep", "60"]}})
        said = project.run("up", "--detach", "--no-checks", code=1).stderr
        assert "no addresses left for another network" in said
        assert "devenv gc" in said and "default-address-pools" in said
        assert project.containers() == {}
        engine.docker("network", "rm", "one")
        project.run("up", "--detach", "--no-checks")
        assert project.running_services() == {"app"}
