"""A crash loop counted: no line lost or doubled, memory flat, nothing left open.

Usage: python -m benchmarks.restarts [RESTARTS]. Needs a running engine and the offline images.
Eight containers that end at once are started again in parallel, RESTARTS (default 1000) times in
all, while their logs are followed as `devenv up` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from benchmarks.logs import say
from devenv.compose.names import EnvironmentName
from devenv.engine.api import EngineClient
from devenv.engine.compose import find_compose
from devenv.engine.context import load_endpoint
from devenv.engine.observe import Observer
from devenv.state.logs import LogStore

LOOPS = 8
NAME = f"devenvbench-restarts-{os.getpid()}"
FILE = f"name: {NAME}\nservices:\n" + "".join(
    f"  s{n}:\n    image: devenv-offline/base\n    network_mode: none\n"
    '    command: ["date", "+%s.%N"]\n'
    for n in range(LOOPS)
)


def held() -> str:
    """What this process holds now."""
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    files = len(list(Path("/proc/self/fd").iterdir()))
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return (
        f"{resident / 2**20:.1f} MiB, {threading.active_count()} threads, {files} open files, "
        f"{len(children)} child processes"
    )


async def texts_of(client: EngineClient, container: str) -> list[bytes]:
    """What the engine itself holds of a container's log."""
    async with contextlib.aclosing(client.logs(container, follow=False)) as batches:
        return [text async for batch in batches for _, _, text in batch]


async def run(restarts: int) -> None:
    client, logs = EngineClient(load_endpoint(os.environ, Path.home())), LogStore()
    ids = container_ids_of(await client.containers(NAME))

    async def ignore(action: object) -> None:
        return None

    observer = Observer(client, EnvironmentName(NAME), ignore, logs, clock=time.time, tail=None)
    before = held()
    following = asyncio.create_task(observer.run())
    while logs.line_count < LOOPS:  # noqa: ASYNC110, what is waited for tells nobody
        await asyncio.sleep(0.1)
    done: Counter[str] = Counter()
    started = time.monotonic()

    async def crash(name: str) -> None:
        for _ in range(restarts // LOOPS):
            await client.request("POST", f"/containers/{ids[name]}/start")
            await client.request("POST", f"/containers/{ids[name]}/wait", timeout_seconds=120)
            done[name] += 1
            if done.total() in (restarts // 10, restarts // 2):
                say(f"  after {done.total():>5,}: {held()}")

    await asyncio.gather(*map(crash, ids))
    seconds = time.monotonic() - started
    wanted = {name: await texts_of(client, ids[name]) for name in ids}
    ended = time.monotonic()
    deadline = ended + 120
    while time.monotonic() < deadline:
        seen: dict[str, list[bytes]] = {name: [] for name in ids}
        marked: Counter[str] = Counter()
        for line in logs.lines():
            if line.source == "devenv":
                marked[line.service] += "started again" in line.text
            else:
                seen[line.service].append(line.text.encode())
        if seen == wanted and marked == done:
            break
        await asyncio.sleep(0.2)
    say(f"  after {done.total():>5,}: {held()}; seen {time.monotonic() - ended:.1f} s later")
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    say(f"  before {before}; closed {held()}")
    lines = sum(map(len, wanted.values()))
    good = seen == wanted and lines == done.total() + LOOPS
    say(f"{done.total():,} restarts in {seconds:.0f} s: {lines:,} lines, {marked.total():,} marks")
    if not good:
        raise SystemExit("lines were lost, doubled, or out of order")
    say("no line lost, doubled or out of order")
    if marked != done:
        raise SystemExit(f"starts without a mark: {done - marked}; other marks: {marked - done}")


def container_ids_of(rows: list[dict[str, object]]) -> dict[str, str]:
    """Service name -> container id."""
    found = {}
    for row in rows:
        labels = row["Labels"]
        assert isinstance(labels, dict)
        found[str(labels["com.docker.compose.service"])] = str(row["Id"])
    return dict(sorted(found.items()))


def main() -> None:
    restarts = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    compose = find_compose(os.environ)
    argv = compose.argv("--file", "-", "--project-name", NAME)
    try:
        up = [*argv, "up", "--detach"]
        subprocess.run(up, input=FILE, text=True, check=True, capture_output=True)
        asyncio.run(run(restarts))
    finally:
        down = [*argv, "down", "--timeout", "0"]
        subprocess.run(down, input=FILE, text=True, check=False, capture_output=True)


if __name__ == "__main__":
    main()
