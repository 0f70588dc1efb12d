"""Logs and history under faults, on the real engine: crash loops, a clock set back, a full disk."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devenv.compose.names import EnvironmentName
from devenv.engine.api import ApiError, EngineClient
from devenv.engine.compose import find_compose
from devenv.engine.context import Endpoint, EndpointKind
from devenv.engine.observe import Observer
from devenv.state.logs import LogStore
from tests.engine.project import BASE, Project, sleeper
from tests.engine.proxy import EngineProxy

LOOPS = 4
RESTARTS = 1_000
SECONDS = 30.0
"""How long containers are started again at most: a start takes two cores a tenth of a second."""
LEAST_RESTARTS = 20
STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT)(\d\d)(:\d\d:\d\d\.\d{9}Z )")


@contextlib.asynccontextmanager
async def observing(client: EngineClient, name: str, logs: LogStore) -> AsyncIterator[None]:
    async def ignore(action: object) -> None:
        return None

    observer = Observer(client, EnvironmentName(name), ignore, logs, clock=time.time, tail=None)
    task = asyncio.create_task(observer.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(seen: Callable[[], bool], seconds: float = 60) -> None:
    """Let the loop run until `seen` is true."""
    async with asyncio.timeout(seconds):
        while not seen():  # noqa: ASYNC110, what is waited for tells nobody
            await asyncio.sleep(0.05)


async def held_texts(client: EngineClient, container: str) -> list[str]:
    """What the engine itself holds of a container's log."""
    out: list[str] = []
    async with contextlib.aclosing(client.logs(container, follow=False)) as batches:
        async for batch in batches:
            out += [text.decode() for _, _, text in batch]
    return out


def seen_texts(logs: LogStore, service: str) -> list[str]:
    return [e.text for e in logs.lines() if e.service == service and e.source != "devenv"]


async def test_a_thousand_restarts_lose_and_double_nothing(project: Project) -> None:
    """Each run is shorter than a look at the container; as many of the thousand as time allows."""
    quick = {"image": BASE, "network_mode": "none", "command": ["date", "+%s.%N"]}
    names = [f"loop{number}" for number in range(LOOPS)]
    project.write_compose(dict.fromkeys(names, quick))
    await asyncio.to_thread(project.run, "up", "--detach", "--no-checks")
    client, ids, logs = project.client, await asyncio.to_thread(project.ids), LogStore()
    done: dict[str, int] = dict.fromkeys(names, 0)
    async with observing(client, project.name, logs):
        await until(lambda: all(seen_texts(logs, name) for name in names))
        ends = time.monotonic() + SECONDS

        async def crash(name: str) -> None:
            path = f"/containers/{ids[name]}"
            while done[name] < RESTARTS // LOOPS and time.monotonic() < ends:
                await client.request("POST", f"{path}/start")
                await client.request("POST", f"{path}/wait", timeout_seconds=60)
                done[name] += 1

        await asyncio.gather(*(crash(name) for name in names))
        total = sum(done.values())
        assert total >= LEAST_RESTARTS
        for name in names:
            wanted = await held_texts(client, ids[name])
            assert len(wanted) == done[name] + 1
            await until(lambda name=name, wanted=wanted: seen_texts(logs, name) == wanted)  # type: ignore[misc]

        def marks() -> int:
            entries = [entry for entry in logs.lines() if entry.source == "devenv"]
            return sum("started again" in entry.text for entry in entries)

        await until(lambda: marks() == total)
        assert len(asyncio.all_tasks()) < 40


class SteppingProxy(EngineProxy):
    """Passes the engine's logs on with a clock that is set back by an hour at a line."""

    def __init__(self, place: Path, engine: str, at: bytes) -> None:
        super().__init__(place, engine)
        self._at = at
        self.stepped = False

    def change(self, data: bytes) -> bytes:
        """Bytes from the engine; times keep their width, so frames keep their sizes."""
        if self._at in data:
            self.stepped = True
        if not self.stepped:
            return data
        return STAMP.sub(lambda m: m[1] + b"%02d" % ((int(m[2]) - 1) % 24) + m[3], data)


async def test_a_clock_that_is_set_back_keeps_the_order_and_loses_nothing(
    project: Project, docker_engine: Endpoint, tmp_path: Path
) -> None:
    count = 60
    script = f"for n in $(seq {count}); do echo line $n; sleep 0.05; done; exec sleep 600"
    project.write_compose(
        {
            "app": {**sleeper(), "command": ["sh", "-c", script.replace("$", "$$")]},
            "other": {**sleeper(), "command": ["sh", "-c", script.replace("$", "$$")]},
        }
    )
    await asyncio.to_thread(project.run, "up", "--detach", "--no-checks")
    place = tmp_path / "engine.sock"
    proxy = SteppingProxy(place, docker_engine.address, b"line 30\n")
    await proxy.open()
    endpoint = Endpoint(EndpointKind.UNIX, str(place), docker_engine.context_name)
    logs = LogStore()
    try:
        async with observing(EngineClient(endpoint), project.name, logs):
            wanted = [f"line {n}" for n in range(1, count + 1)]
            await until(lambda: all(seen_texts(logs, one) == wanted for one in ("app", "other")))
            assert proxy.stepped
            times = [entry.time_ns for entry in logs.lines()]
            assert times == sorted(times)
    finally:
        await proxy.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB, which is all but full."""
    place = tmp_path / "state"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def _fill(place: Path) -> None:
    with (place / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 1024):
            pass


def test_a_full_disk_costs_the_history_and_nothing_else(project: Project, small_disk: Path) -> None:
    """Said once for each command; services start, stop and are seen all the same."""
    project.write_compose({"app": sleeper()})
    project.environ["XDG_STATE_HOME"] = str(small_disk)
    _fill(small_disk)
    for _ in range(2):
        said = project.run("up", "--detach", "--wait").stderr
        assert "app" in project.running_services()
        lines = [line for line in said.splitlines() if "disk" in line or "memory" in line]
        assert len(lines) == 1, said
        project.run("down")
    (small_disk / "filler").unlink()
    project.run("up", "--detach", "--wait")
    shown: Any = project.run("timeline", "--format", "json").stdout
    assert "app" in shown


async def test_a_container_that_is_removed_meanwhile_is_no_error(project: Project) -> None:
    project.write_compose({"app": sleeper()})
    await asyncio.to_thread(project.run, "up", "--detach", "--no-checks")
    ids, logs = await asyncio.to_thread(project.ids), LogStore()
    async with observing(project.client, project.name, logs):
        with contextlib.suppress(ApiError):
            await project.client.request("DELETE", f"/containers/{ids['app']}", {"force": True})
        await until(lambda: any("was removed" in entry.text for entry in logs.lines()))


async def test_scaled_containers_are_one_stream_with_a_mark(project: Project) -> None:
    """A second container's lines join those of the service; taken away, what it said stays."""
    project.write_compose(
        {"app": {**sleeper(), "command": ["sh", "-c", "echo here; exec sleep 600"]}}
    )
    await asyncio.to_thread(project.run, "up", "--detach", "--no-checks")
    compose, logs = find_compose(project.environ), LogStore()

    def scale(count: int) -> None:
        subprocess.run(
            compose.argv("up", "--detach", "--no-recreate", "--scale", f"app={count}"),
            cwd=project.directory,
            env=project.environ,
            capture_output=True,
            check=True,
        )

    def marks(words: str) -> int:
        entries = [entry for entry in logs.lines() if entry.source == "devenv"]
        return sum(words in entry.text for entry in entries)

    async with observing(project.client, project.name, logs):
        await until(lambda: seen_texts(logs, "app") == ["here"])
        await asyncio.to_thread(scale, 2)
        await until(lambda: seen_texts(logs, "app") == ["here", "here"])
        await until(lambda: marks("one more container") == 1)
        await asyncio.to_thread(scale, 1)
        await until(lambda: marks("was removed") == 1)
        assert seen_texts(logs, "app") == ["here", "here"]
