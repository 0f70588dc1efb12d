"""The Engine API client: against a small server of the test's own, and a real engine."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devenv.engine.api import ApiError, EngineClient
from devenv.engine.context import Endpoint, EndpointKind
from devenv.engine.transport import ssh_argv
from devenv.engine.usage import parse_usage
from devenv.errors import EngineUnavailable

IMAGE = "devenv-offline/redis"


@contextlib.asynccontextmanager
async def serve(path: Path, answer: bytes, *, hold: bool = False) -> AsyncIterator[EngineClient]:
    closed = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        if hold:
            with contextlib.suppress(ConnectionResetError):
                await reader.read()
        closed.set()
        writer.close()

    server = await asyncio.start_unix_server(handle, path)
    try:
        yield EngineClient(Endpoint(EndpointKind.UNIX, str(path)), timeout_seconds=1)
        async with asyncio.timeout(5):
            await closed.wait()
    finally:
        server.close()


CHUNKED = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n3\r\n:1}\r\n0\r\n\r\n'


async def test_chunked(tmp_path: Path) -> None:
    async with serve(tmp_path / "s", CHUNKED) as client:
        assert await client.get_json("/x") == {"a": 1}


async def test_api_error(tmp_path: Path) -> None:
    answer = b'HTTP/1.0 404 Not Found\r\n\r\n{"message": "no such thing"}'
    async with serve(tmp_path / "s", answer) as client:
        with pytest.raises(ApiError, match="no such thing") as caught:
            await client.get_json("/x")
    assert caught.value.status == 404


async def test_silence_has_a_deadline(tmp_path: Path) -> None:
    async with serve(tmp_path / "s", b"", hold=True) as client:
        with pytest.raises(EngineUnavailable, match="did not answer within 1 s"):
            await client.get_json("/x")


async def test_leaving_a_stream_closes_the_connection(tmp_path: Path) -> None:
    answer = b'HTTP/1.0 200 OK\r\n\r\n{"a":1}\n'
    async with (
        serve(tmp_path / "s", answer, hold=True) as client,
        contextlib.aclosing(client.events()) as events,
    ):
        assert await anext(events) == {"a": 1}


async def test_no_socket(tmp_path: Path) -> None:
    client = EngineClient(Endpoint(EndpointKind.UNIX, str(tmp_path / "gone")))
    with pytest.raises(EngineUnavailable, match="does not exist"):
        await client.ping()


async def test_refused() -> None:
    with pytest.raises(EngineUnavailable, match="refuses connections"):
        await EngineClient(Endpoint(EndpointKind.TCP, "127.0.0.1:1")).ping()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ssh://Far", "-- Far docker system dial-stdio"),
        ("ssh://me@far:2222", "-l me -p 2222 -- far docker system dial-stdio"),
        ("ssh://a%40b@[::1]:22", "-l a@b -p 22 -- ::1 docker system dial-stdio"),
        (
            "ssh://far/run/user/1/a%20b;c.sock",
            "-- far docker --host 'unix:///run/user/1/a b;c.sock' system dial-stdio",
        ),
        ("ssh://-oProxyCommand=x", "-- -oProxyCommand=x docker system dial-stdio"),
    ],
)
def test_ssh_command(url: str, words: str) -> None:
    assert " ".join(ssh_argv(url)[6:]) == words


def test_usage() -> None:
    sample = {
        "cpu_stats": {
            "cpu_usage": {"total_usage": 300},
            "system_cpu_usage": 2000,
            "online_cpus": 2,
        },
        "precpu_stats": {"cpu_usage": {"total_usage": 100}, "system_cpu_usage": 1000},
        "memory_stats": {"usage": 100, "limit": 500, "stats": {"inactive_file": 40}},
    }
    usage = parse_usage(sample)
    assert (usage.cpu_percent, usage.memory_bytes, usage.memory_limit_bytes) == (40.0, 60, 500)
    assert parse_usage({}).cpu_percent == 0


async def test_real_engine(docker_engine: Endpoint) -> None:
    client = EngineClient(docker_engine)
    assert (await client.ping()).os
    assert await client.volume("devenv-test-" + uuid.uuid4().hex) is None
    assert set(await client.images_present([IMAGE, "devenv-test-gone/x"])) == {IMAGE}
    project = "devenvtest" + uuid.uuid4().hex[:8]
    script = "echo out; echo err >&2; while true; do sleep 1; done"
    made = await client.request(
        "POST",
        "/containers/create",
        body={
            "Image": IMAGE,
            "Cmd": ["sh", "-c", script],
            "Labels": {"com.docker.compose.project": project},
        },
    )
    container = made.json()["Id"]
    try:
        await client.request("POST", f"/containers/{container}/start")
        assert [row["Id"] for row in await client.containers(project)] == [container]
        assert (await client.inspect(container))["State"]["Running"]
        seen = set()
        async with asyncio.timeout(20), contextlib.aclosing(client.logs(container)) as batches:
            async for batch in batches:
                seen |= {(stream, line) for stream, time, line in batch if time > 0}
                if len(seen) == 2:
                    break
        assert seen == {("stdout", b"out"), ("stderr", b"err")}
        async with asyncio.timeout(20), contextlib.aclosing(client.stats(container)) as samples:
            assert (await anext(samples)).memory_limit_bytes >= 0
        filters = {"label": [f"com.docker.compose.project={project}"]}
        since = 1_000_000_000
        async with (
            asyncio.timeout(20),
            contextlib.aclosing(client.events(filters, since)) as events,
        ):
            assert (await anext(events))["Action"] == "create"
    finally:
        await client.request("DELETE", f"/containers/{container}", {"force": True, "v": True})
