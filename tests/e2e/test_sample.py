"""The repository's sample from `devenv up` in a terminal to `devenv down`."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import urllib.request
from typing import Any

import pytest

from tests.e2e.terminal import Terminal
from tests.engine.project import Project, devenv_argv

SERVICES = ("app", "db", "cache")


def fetch(project: Project, path: str, note: str | None = None) -> str:
    body = json.dumps({"text": note}).encode() if note else None
    request = urllib.request.Request(
        f"http://127.0.0.1:{project.environ['APP_PORT']}{path}",
        data=body,
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return str(response.read().decode())


def is_healthy(screen: str) -> bool:
    """Whether the list of services at the left says so of each."""
    return all(re.search(rf"│ *{name} +✓ healthy", screen) for name in SERVICES)


def is_graph(screen: str) -> bool:
    """Whether the tab in front says what the app waited for."""
    return all(re.search(rf"✓ {name} is healthy", screen) for name in ("db", "cache"))


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_sample_in_a_terminal(sample: Project) -> None:
    up = shlex.join([*devenv_argv(), "--profile", "offline", "up"])
    script = f'echo "before=$(stty -g)"; {up}; echo "code=$?"; echo "after=$(stty -g)"'
    with Terminal(["/bin/sh", "-c", script], sample.directory, sample.environ) as terminal:
        terminal.wait(is_healthy, seconds=180, what="three healthy services")
        assert sample.running_services() == set(SERVICES)

        assert "<h1>Notes</h1>" in fetch(sample, "/")
        status: dict[str, Any] = json.loads(fetch(sample, "/api/status"))
        assert status["visits"] >= 1
        assert status["notes"] == 0
        fetch(sample, "/notes", note="kept by the test")
        assert [note["text"] for note in json.loads(fetch(sample, "/notes"))] == [
            "kept by the test"
        ]

        assert not is_graph(terminal.screen)
        terminal.press("g")
        graph = terminal.wait(is_graph, seconds=10, what="the graph")
        assert all(name in graph for name in SERVICES)

        terminal.press("q")
        terminal.wait(lambda screen: "Leave" in screen, seconds=10, what="the question")
        terminal.press("\r")
        terminal.wait_end(seconds=20)
        said = terminal.raw.decode(errors="replace")
    assert "code=0" in said
    assert "left running" in said
    before, after = re.search(r"before=(\S+)", said), re.search(r"after=(\S+)", said)
    assert before and after and before[1] == after[1]
    for entered, left in (("\x1b[?1049h", "\x1b[?1049l"), ("\x1b[?25l", "\x1b[?25h")):
        assert said.rfind(left) > said.rfind(entered) >= 0

    assert sample.running_services() == set(SERVICES)
    shown = sample.statuses("--profile", "offline")
    assert {name: shown[name] for name in SERVICES} == dict.fromkeys(SERVICES, "healthy")
    assert "healthy" in sample.run("ps").stdout
    mounts = [mount for raw in sample.containers().values() for mount in raw["Mounts"]]
    sample.run("down")
    assert not sample.containers()
    assert sample.volume("pgdata_offline")
    for mount in mounts:
        # The anonymous volume of node_modules: nothing but its name leads to it now.
        if mount["Type"] == "volume" and sample.name not in mount["Name"]:
            asyncio.run(sample.client.request("DELETE", f"/volumes/{mount['Name']}"))
