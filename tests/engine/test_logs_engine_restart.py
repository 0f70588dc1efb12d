"""A real engine that is stopped and started again in the middle of a log stream."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from devenv.engine.context import Endpoint, EndpointKind
from tests.engine.project import Project, wait_for
from tests.engine.second_engine import IMAGE, second_engine
from tests.engine.test_logs import COUNTER, read


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("dockerd"),
    reason="starting an engine of its own needs root, unshare and dockerd",
)
def test_the_stream_goes_on_where_it_stopped(docker_engine: Endpoint, cache: Path) -> None:
    # A socket's path has to be short.
    with tempfile.TemporaryDirectory(prefix="dvt") as place, second_engine(Path(place)) as engine:
        endpoint = Endpoint(EndpointKind.UNIX, str(engine.socket))
        directory = Path(place, "project")
        directory.mkdir()
        project = Project(directory, endpoint, cache)
        project.environ["DOCKER_HOST"] = f"unix://{engine.socket}"
        service = {
            "image": IMAGE,
            "network_mode": "none",
            "restart": "always",
            "stop_signal": "KILL",
        }
        project.write_compose(
            {"app": {**service, "command": ["sh", "-c", COUNTER.replace("$", "$$")]}}
        )
        project.run("up", "--detach", "--no-checks")
        with project.running("logs", "--follow", "--json") as following:

            def texts() -> list[str]:
                return [line["text"] for line in read(following) if line["stream"] != "devenv"]

            def wait_for_more() -> None:
                seen = len(texts())
                wait_for(lambda: len(texts()) > seen + 20, what="new lines")

            for _ in range(2):
                wait_for_more()
                engine.stop()
                wait_for(lambda: "engine lost" in following.stderr, what="the loss to be said")
                engine.start()
                wait_for_more()
            assert following.stderr.count("engine is back") == 2
            cid = project.ids()["app"]
            engine.docker("stop", "--time", "0", cid)
            held = engine.docker("logs", cid).stdout.splitlines()
            wait_for(lambda: len(texts()) >= len(held), what="the last line")
            assert texts() == held and len(held) > 80
            marks = [line["text"] for line in read(following) if line["stream"] == "devenv"]
            assert sum("started again" in mark for mark in marks) == 2
