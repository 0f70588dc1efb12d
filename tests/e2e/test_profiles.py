"""The sample's other profiles, really run: each over images built without a registry."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import urllib.request
from typing import Any

import pytest

from devenv.engine.api import ApiError
from tests.e2e.test_sample import fetch
from tests.engine.project import Project, free_port


@pytest.fixture
def over_offline(sample: Project, request: pytest.FixtureRequest) -> Project:
    """The sample, with a profile `tested` that puts the offline images under the one named."""
    offline = 'files = ["offline.compose.yaml"]\n'
    sample.write("profiles/tested.toml", f'extends = "{request.param}"\n{offline}')
    sample.environ["DEVENV_PROFILE"] = "tested"
    return sample


def get_json(port: int | str, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
        return json.loads(response.read())


def end(sample: Project, *images: str) -> None:
    """Remove what the project's name does not lead to: anonymous volumes, built images."""
    mounts = [mount for raw in sample.containers().values() for mount in raw["Mounts"]]
    sample.run("down", "--volumes", "--yes")
    for mount in mounts:
        if mount["Type"] == "volume" and sample.name not in mount["Name"]:
            with contextlib.suppress(ApiError):
                asyncio.run(sample.client.request("DELETE", f"/volumes/{mount['Name']}"))
    for image in images:
        with contextlib.suppress(ApiError):
            asyncio.run(sample.client.request("DELETE", f"/images/{sample.name}-{image}"))


@pytest.mark.parametrize("over_offline", ["debug"], indirect=True)
def test_debug_opens_the_inspector(over_offline: Project) -> None:
    port = free_port()
    place = over_offline.directory / "profiles" / "debug.compose.yaml"
    place.write_text(place.read_text().replace('"127.0.0.1:9229:', f'"127.0.0.1:{port}:'))
    over_offline.run("up", "--detach", "--wait", seconds=300)
    targets = get_json(port, "/json/list")
    assert targets[0]["type"] == "node"
    shown = over_offline.run("port", "app", "9229").stdout
    assert f"127.0.0.1:{port}" in shown or f"localhost:{port}" in shown
    assert "GET /healthz 200" in over_offline.run("logs", "app").stdout
    end(over_offline, "app")


@pytest.mark.parametrize("over_offline", ["search"], indirect=True)
def test_search_adds_a_service(over_offline: Project) -> None:
    over_offline.environ["SEARCH_PORT"] = str(free_port())
    over_offline.run("up", "--detach", "--wait", seconds=300)
    assert over_offline.running_services() == {"app", "db", "cache", "search"}
    fetch(over_offline, "/notes", note="the needle in the haystack")
    fetch(over_offline, "/notes", note="something else")
    found = get_json(over_offline.environ["SEARCH_PORT"], "/search?q=needle")
    assert [note["text"] for note in found] == ["the needle in the haystack"]
    end(over_offline, "app", "search")


@pytest.mark.parametrize("over_offline", ["prod-like"], indirect=True)
def test_prod_like_runs_the_last_stage(over_offline: Project) -> None:
    over_offline.run("up", "--detach", "--wait", seconds=300)
    app = over_offline.containers()["app"]
    assert app["Mounts"] == []
    assert re.search(r"dist/", " ".join(app["Config"]["Cmd"]))
    assert "<h1>Notes</h1>" in fetch(over_offline, "/")
    assert json.loads(fetch(over_offline, "/api/status"))["visits"] >= 1
    end(over_offline, "app")
