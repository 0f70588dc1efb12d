"""The engine goes away in the middle, and comes back."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from devenv.engine.context import Endpoint, EndpointKind
from tests.engine.project import Project, shell
from tests.engine.proxy import EngineProxy, engine_proxy


async def wait_until(look: Callable[[], bool], what: str) -> None:
    """Wait for `look`, with a deadline; the loop goes on meanwhile."""
    try:
        async with asyncio.timeout(30):
            while not look():  # noqa: ASYNC110, what is waited for is another process's output
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"waited 30 s for {what}")


async def test_a_lost_engine_is_said_and_survived(
    project: Project, docker_engine: Endpoint, tmp_path: Path
) -> None:
    if docker_engine.kind is not EndpointKind.UNIX:
        pytest.skip("the proxy speaks to a unix socket")
    project.write_compose({"web": shell("i=0; while sleep 0.2; do i=$((i+1)); echo n$i; done")})
    async with engine_proxy(tmp_path / "engine.sock", docker_engine.address) as proxy:
        project.environ["DOCKER_HOST"] = f"unix://{proxy.place}"
        with project.running("up", "--plain") as up:
            await wait_until(lambda: "Ready" in up.stderr and "n3" in up.stdout, "the start")
            await proxy.close()
            await wait_until(lambda: "engine lost" in up.stderr, "the loss to be said")
            seen = up.stdout.count("\n")
            await proxy.open()
            await wait_until(lambda: "engine is back" in up.stderr, "the return to be said")
            await wait_until(lambda: up.stdout.count("\n") > seen + 5, "new lines")
            up.process.send_signal(signal.SIGINT)
            assert await asyncio.to_thread(up.process.wait, 20) == 130
        lines = [line.rsplit("n", 1)[1] for line in up.stdout.splitlines() if "| n" in line]
        assert lines == [str(number) for number in range(1, len(lines) + 1)]
        project.environ.pop("DOCKER_HOST")
    assert await asyncio.to_thread(project.running_services) == {"web"}


SLOW_PROBE = {"test": ["CMD", "false"], "interval": "60s"}


@pytest.fixture
async def proxy(
    project: Project, docker_engine: Endpoint, tmp_path: Path
) -> AsyncIterator[EngineProxy]:
    """The engine behind a socket that the project's commands use."""
    if docker_engine.kind is not EndpointKind.UNIX:
        pytest.skip("the proxy speaks to a unix socket")
    async with engine_proxy(tmp_path / "engine.sock", docker_engine.address) as found:
        project.environ["DOCKER_HOST"] = f"unix://{found.place}"
        yield found
    project.environ.pop("DOCKER_HOST")


@pytest.mark.parametrize("moment", ["being created", "health check under way"])
async def test_lost_while_starting(project: Project, proxy: EngineProxy, moment: str) -> None:
    project.write_compose({"web": shell("exec sleep 600", healthcheck=SLOW_PROBE)})
    with project.running("up", "--detach", "--wait") as up:
        await wait_until(lambda: moment in up.stdout, moment)
        await proxy.close()
        assert await asyncio.to_thread(up.process.wait, 40) == 3
    assert "engine lost" in up.stderr
    assert "engine.sock" in up.stderr
    assert "fix: start Docker" in up.stderr
    assert "Traceback" not in up.stderr


async def test_lost_while_reading_logs(project: Project, proxy: EngineProxy) -> None:
    project.write_compose({"web": shell("while sleep 0.2; do echo tick; done")})
    await asyncio.to_thread(project.up)
    with project.running("logs", "-f") as logs:
        await wait_until(lambda: "tick" in logs.stdout, "the first line")
        await proxy.close()
        await wait_until(lambda: "engine lost" in logs.stderr, "the loss to be said")
        seen = logs.stdout.count("\n")
        await proxy.open()
        await wait_until(lambda: logs.stdout.count("\n") > seen + 5, "new lines")
        assert "engine is back" in logs.stderr
        logs.process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(logs.process.wait, 20) == 130
    assert logs.stderr.count("engine lost") == 1


async def test_lost_under_a_command(project: Project, proxy: EngineProxy) -> None:
    project.write_compose({"web": shell("exec sleep 600")})
    await asyncio.to_thread(project.up)
    with project.running("exec", "web", "sh", "-c", "echo going; sleep 600") as run:
        await wait_until(lambda: "going" in run.stdout, "the command")
        await proxy.close()
        assert await asyncio.to_thread(run.process.wait, 40) == 3
    assert "No Docker engine runs here" in run.stderr
