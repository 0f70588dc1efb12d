"""Logs on the real engine: every line once, whatever happens to its container."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shlex
import signal
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from devenv.compose.names import EnvironmentName, ServiceName
from devenv.engine.api import EngineClient
from devenv.engine.observe import Observer
from devenv.state.logs import LogStore
from tests.engine.project import Project, Running, devenv_argv, shell, sleeper, wait_for

LINES = 12_500
COUNTER = """i=$(cat /n 2>/dev/null || echo 0)
while sleep 0.02; do i=$((i+1)); echo $i >/n; echo n$i; done"""


def printer(lines: int, **more: Any) -> dict[str, Any]:
    """A service that prints numbered lines as fast as it can, and stays."""
    return shell(f"seq -f 'line %.0f' {lines}; echo all said; exec sleep 600", **more)


def read(running: Running) -> list[dict[str, Any]]:
    return [json.loads(line) for line in running.stdout.splitlines() if line.endswith("}")]


async def engine_lines(client: EngineClient, container: str) -> list[str]:
    """What the engine itself holds of a container's log."""
    out: list[str] = []
    async with contextlib.aclosing(client.logs(container, follow=False)) as batches:
        async for batch in batches:
            out += [text.decode() for _, _, text in batch]
    return out


def test_no_line_is_skipped_merged_from_eight_services(project: Project) -> None:
    """The full million is counted by benchmarks/logs.py."""
    names = [f"s{number}" for number in range(8)]
    project.write_compose({name: printer(LINES) for name in names})
    project.run("up", "--detach")

    def said() -> bool:
        done = project.run("logs", "--tail", "1").stdout
        return done.count("all said") == len(names)

    wait_for(said, what="all lines")
    out = project.run("logs").stdout.splitlines()
    by_service: dict[str, list[str]] = defaultdict(list)
    for line in out:
        service, _, text = line.partition(" | ")
        by_service[service.strip()].append(text)
    wanted = [f"line {number}" for number in range(1, LINES + 1)] + ["all said"]
    assert {name: lines == wanted for name, lines in by_service.items()} == dict.fromkeys(
        names, True
    )
    times = [
        json.loads(t)["time"]
        for t in project.run("logs", "--json", "-n", "500").stdout.splitlines()
    ]
    assert times == sorted(times) and len(times) == 8 * 500


def test_grep_exits_as_grep_does(project: Project) -> None:
    project.write_compose(
        {"a": shell("echo one; echo TWO; echo three; exec sleep 600"), "b": sleeper()}
    )
    project.run("up", "--detach")
    wait_for(lambda: "three" in project.run("logs").stdout, what="the lines")
    assert project.run("logs", "--grep", "two", "-i").stdout == "a | TWO\n"
    assert project.run("logs", "--grep", "two", code=1).stdout == ""
    assert project.run("logs", "--grep", "t", "-v").stdout == "a | one\na | TWO\n"
    assert project.run("logs", "--grep", "TWO", "-C", "1").stdout.count("\n") == 3
    assert project.run("logs", "b", "--grep", ".", code=1).stdout == ""
    assert "--grep '\\('" in project.run("logs", "--grep", "(", code=2).stderr
    assert project.run("logs", "--until", "10m").stdout == ""
    for wrong in (["-v"], ["-f", "--until", "1m"], ["-C", "-1"], ["-n", "-1"], ["--since", "x"]):
        assert project.run("logs", *wrong, code=2).stdout == ""


def test_a_reader_that_goes_away_ends_it_quietly(project: Project) -> None:
    project.write_compose({"a": printer(50_000)})
    project.run("up", "--detach")
    for command in ("devenv logs", "devenv logs -f"):
        words = command.replace("devenv", shlex.join(devenv_argv()))
        completed = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {words} | head -n 2"],
            cwd=project.directory,
            env=project.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (completed.returncode, completed.stderr) == (0, "")
        assert completed.stdout == "a | line 1\na | line 2\n"


def test_one_stream_across_restarts_and_a_new_container(project: Project) -> None:
    project.write_compose({"app": shell(COUNTER)})
    project.run("up", "--detach")
    client = project.client
    with project.running("logs", "--follow", "--json") as following:
        texts: list[str] = []

        def grown(by: int) -> Callable[[], bool]:
            before = len(read(following))
            return lambda: len(read(following)) >= before + by

        wait_for(grown(20), what="lines")
        first = project.ids()["app"]
        for _ in range(3):
            asyncio.run(client.request("POST", f"/containers/{first}/restart", {"t": 0}))
            wait_for(grown(20), what="lines after a restart")
        asyncio.run(client.request("POST", f"/containers/{first}/stop", {"t": 0}))
        old = asyncio.run(engine_lines(client, first))
        wait_for(
            lambda: old[-1] in [line["text"] for line in read(following)], what="the last line"
        )
        asyncio.run(client.request("DELETE", f"/containers/{first}", {"force": True}))
        project.run("up", "--detach")
        second = project.ids()["app"]
        wait_for(grown(20), what="lines of the new container")
        project.run("stop", "app")
        new = asyncio.run(engine_lines(client, second))
        said = [line for line in read(following) if line["stream"] != "devenv"]
        wait_for(
            lambda: len([s for s in read(following) if s["stream"] != "devenv"]) >= len(old + new),
            what="the last line",
        )
        said = read(following)
        texts = [line["text"] for line in said if line["stream"] != "devenv"]
        assert texts == old + new
        marks = [line["text"] for line in said if line["stream"] == "devenv"]
        assert sum("started again" in mark for mark in marks) == 3
        assert sum("was removed" in mark for mark in marks) == 1
        assert sum("replaced" in mark or "one more" in mark for mark in marks) == 1
        # Each mark stands between the runs.
        again = [n for n, line in enumerate(said) if "started again" in line["text"]]
        for at in again:
            before = said[at - 1]["text"]
            assert before.startswith("n") and said[at + 1]["text"].startswith("n")
        following.process.send_signal(signal.SIGINT)
        assert following.process.wait(20) == 130


def test_a_crash_loop_loses_nothing(project: Project) -> None:
    """Its runs are shorter than it takes to look at the container."""
    project.write_compose({"app": shell("echo start $(cat /n 2>/dev/null); echo x >>/n; exit 3")})
    project.run("up", "--detach")
    client, cid = project.client, project.ids()["app"]
    runs = 25
    with project.running("logs", "--follow", "--json") as following:
        wait_for(lambda: "start" in following.stdout, what="the first run")
        for _ in range(runs):
            asyncio.run(client.request("POST", f"/containers/{cid}/start"))
            asyncio.run(client.request("POST", f"/containers/{cid}/wait"))
        held = asyncio.run(engine_lines(client, cid))
        assert len(held) == runs + 1
        wait_for(
            lambda: [s["text"] for s in read(following) if s["stream"] != "devenv"] == held,
            what="every run's line, once",
        )
        wait_for(
            lambda: following.stdout.count("started again") == runs, what="a mark for each run"
        )
        assert "after exit code 3" in following.stdout


@pytest.mark.parametrize("driver", ["json-file", "local"])
@pytest.mark.parametrize("tty", [False, True])
def test_log_drivers_and_terminals(project: Project, driver: str, tty: bool) -> None:
    long = "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end >&2; exec sleep 600"
    project.write_compose({"app": shell(long, tty=tty, logging={"driver": driver})})
    project.run("up", "--detach")

    def load() -> list[str] | None:
        lines = project.run("logs").stdout.splitlines()
        return lines if len(lines) == 2 else None

    lines = wait_for(load, what="two lines")
    assert sorted(map(len, lines)) == [len("app | end"), len("app | ") + 3_000_000]


def test_a_driver_that_keeps_nothing_is_said(project: Project) -> None:
    project.write_compose(
        {
            "app": shell("echo x; exec sleep 600", logging={"driver": "none"}),
            "b": shell("echo seen; exec sleep 600"),
        }
    )
    project.run("up", "--detach")
    wait_for(lambda: "seen" in project.run("logs").stdout, what="the other service")
    assert "does not support reading" in project.run("logs").stderr
    with project.running("logs", "--follow") as following:
        wait_for(lambda: "cannot be read" in following.stdout, what="the reason")
        assert following.stdout.count("cannot be read") == 1


@contextlib.asynccontextmanager
async def observing(project: Project, logs: LogStore, **options: Any) -> AsyncIterator[Observer]:
    async def ignore(action: object) -> None:
        return None

    observer = Observer(
        project.client, EnvironmentName(project.name), ignore, logs, clock=time.time, **options
    )
    task = asyncio.create_task(observer.run())
    try:
        yield observer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(seen: Callable[[], bool]) -> None:
    """Let the loop run until `seen` is true; fails after 30 s."""
    async with asyncio.timeout(30):
        while not seen():  # noqa: ASYNC110, what is waited for tells nobody
            await asyncio.sleep(0.02)


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_ending_leaves_no_socket_thread_or_task(project: Project) -> None:
    project.write_compose({f"s{n}": shell("while sleep 0.05; do echo x; done") for n in range(4)})
    await asyncio.to_thread(project.run, "up", "--detach")
    await asyncio.sleep(0)
    files, threads, tasks = _open_files(), threading.active_count(), len(asyncio.all_tasks())
    for _ in range(3):
        logs = LogStore()
        async with observing(project, logs):
            await until(lambda logs=logs: len({e.service for e in logs.lines()}) == 4)  # type: ignore[misc]
        assert (_open_files(), threading.active_count(), len(asyncio.all_tasks())) == (
            files,
            threads,
            tasks,
        )
        assert logs.history_wanted is None


async def test_older_lines_come_back_from_the_engine(project: Project) -> None:
    """Of each service, in their places, to the very first."""
    project.write_compose({"a": printer(5000), "b": printer(3000, labels={"x": "y"})})
    await asyncio.to_thread(project.run, "up", "--detach")

    def said() -> bool:
        return project.run("logs", "-n", "1").stdout.count("all said") == 2

    await asyncio.to_thread(wait_for, said, what="all lines")
    logs = LogStore()
    async with observing(project, logs, tail=100), asyncio.timeout(60):
        await until(lambda: logs.line_count >= 200)
        assert logs.line_count == 200 and logs.complete_since_ns
        while logs.complete_since_ns:
            assert logs.history_wanted is not None
            if not logs.history_busy:
                logs.history_wanted(logs.oldest_ns)
            await asyncio.sleep(0.02)
        for name, count in (("a", 5000), ("b", 3000)):
            texts = [e.text for e in logs.lines() if e.service == ServiceName(name)]
            assert texts == [f"line {n}" for n in range(1, count + 1)] + ["all said"]
        times = [entry.time_ns for entry in logs.lines()]
        assert times == sorted(times)
