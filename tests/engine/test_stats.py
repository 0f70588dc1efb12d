"""What services use, on the real engine: devenv's figures beside those of `docker stats`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
import time
from collections.abc import AsyncIterator

from devenv.compose.names import EnvironmentName, ServiceName
from devenv.engine.compose import find_compose
from devenv.engine.observe import Observer
from devenv.state.logs import LogStore
from devenv.state.model import Environment, State
from devenv.state.store import Store
from devenv.state.usage import Transfer, Usage
from tests.engine.project import Project, shell, sleeper

_UNITS = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_BUSY = "while :; do :; done"


@contextlib.asynccontextmanager
async def observed(project: Project) -> AsyncIterator[Store]:
    """The state of the project as the UI has it."""
    store = Store(State(Environment(EnvironmentName(project.name), str(project.directory))))
    observer = Observer(
        project.client,
        EnvironmentName(project.name),
        store.dispatch,
        LogStore(),
        clock=time.time,
    )
    tasks = [asyncio.create_task(store.run()), asyncio.create_task(observer.run())]
    try:
        yield store
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def changed(store: Store, seconds: float = 60) -> None:
    """Wait for the next state."""
    told = asyncio.Event()
    store.subscribe(lambda state: told.set())
    async with asyncio.timeout(seconds):
        await told.wait()


def usage_of(store: Store, service: str) -> Usage | None:
    found = store.state.service(ServiceName(service))
    return found.usage if found is not None else None


def _bytes(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(\w+)", text.strip()).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]


def docker_stats(name: str) -> dict[str, float]:
    """One sample by the docker CLI of a container."""
    argv = ["docker", "stats", "--no-stream", "--format", "{{json .}}", name]
    said = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout
    row = json.loads(said)
    used, limit = map(_bytes, row["MemUsage"].split("/"))
    received, sent = map(_bytes, row["NetIO"].split("/"))
    read, written = map(_bytes, row["BlockIO"].split("/"))
    return {
        "cpu": float(row["CPUPerc"].rstrip("%")),
        "memory": used,
        "limit": limit,
        "received": received,
        "sent": sent,
        "read": read,
        "written": written,
    }


async def test_the_figures_are_those_of_docker_stats(project: Project) -> None:
    """A busy service with limits, whose CPU share and network counters are known."""
    project.write_compose(
        {
            "busy": shell(_BUSY, mem_limit="64m", cpus=0.25),
            "idle": sleeper(network_mode="none"),
        }
    )
    await asyncio.to_thread(project.run, "up", "--detach")
    async with observed(project) as store, asyncio.timeout(120):
        for _ in range(6):
            await changed(store)
            while (busy := usage_of(store, "busy")) is None or usage_of(store, "idle") is None:
                await changed(store)
        said = await asyncio.to_thread(docker_stats, f"{project.name}-busy-1")
        await changed(store)
        busy, idle = usage_of(store, "busy"), usage_of(store, "idle")
        assert busy is not None and idle is not None
        assert 15 <= busy.cpu_percent <= 35 and 15 <= said["cpu"] <= 35  # a quarter of a core
        assert idle.cpu_percent < 5
        assert busy.memory_limit_bytes == said["limit"] == 64 << 20
        assert abs(busy.memory_bytes - said["memory"]) < max(1 << 20, said["memory"] * 0.2)
        assert busy.network is not None and idle.network is None
        assert abs(busy.network.in_bytes - said["received"]) <= max(2000, said["received"] * 0.5)
        written = busy.block.out_bytes if busy.block else 0  # some kernels count none
        assert abs(written - said["written"]) <= max(1 << 20, said["written"] * 0.5)
        history = store.state.usage_history[ServiceName("busy")]
        assert 3 <= len(history.cpu_percents) <= 60


async def test_what_is_sent_shows_as_a_rate(project: Project) -> None:
    """Datagrams from one container to another: both counters, and rates while they flow."""
    send = "for n in 1 2 3 4 5; do printf %01000d 0 >/dev/udp/sink/9; done"
    project.write_compose(
        {
            "source": {
                **sleeper(depends_on=["sink"]),
                "command": ["bash", "-c", f"while sleep 0.1; do {send}; done"],
            },
            "sink": sleeper(),
        }
    )
    await asyncio.to_thread(project.run, "up", "--detach")

    def network(service: str) -> Transfer:
        usage = usage_of(store, service)
        return usage.network or Transfer() if usage is not None else Transfer()

    async with observed(project) as store, asyncio.timeout(120):
        while network("source").out_rate < 5_000 or network("sink").in_rate < 5_000:
            await changed(store)
        said = await asyncio.to_thread(docker_stats, f"{project.name}-sink-1")
        while network("sink").in_bytes < said["received"]:
            await changed(store)
        # What came meanwhile is no more than some seconds' worth.
        assert network("sink").in_bytes - said["received"] < 2_000_000
        assert network("source").out_bytes > network("source").out_rate


async def test_replicas_are_one_service_and_a_new_second_is_one_state(project: Project) -> None:
    """Eight containers are measured in one action each second, and scaled ones are added up."""
    project.write_compose({f"s{number}": sleeper() for number in range(6)})
    await asyncio.to_thread(project.run, "up", "--detach")
    compose = find_compose(project.environ)
    argv = compose.argv("up", "--detach", "--no-recreate", "--scale", "s0=3", "s0")

    def scale() -> None:
        subprocess.run(
            argv, cwd=project.directory, env=project.environ, capture_output=True, check=True
        )

    async with observed(project) as store, asyncio.timeout(120):
        await asyncio.to_thread(scale)
        while len(store.state.usage) < 8:
            await changed(store)
        one = store.state.service(ServiceName("s0"))
        assert one is not None and one.usage is not None and len(one.containers) == 3
        parts = [store.state.usage[container.id] for container in one.containers]
        assert one.usage.memory_bytes == sum(part.memory_bytes for part in parts)
        revisions: list[float] = []
        store.subscribe(lambda state: revisions.append(time.monotonic()))
        await asyncio.sleep(0)
        started = time.monotonic()
        while time.monotonic() - started < 5:
            await changed(store)
        assert len(revisions) <= 8
