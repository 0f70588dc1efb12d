"""The Engine API over a plain connection: short queries, and the long streams.

Owns transports (unix, tcp, TLS, ssh), HTTP as far as the engine speaks it, and deadlines.
Requests are HTTP/1.0, so that streams arrive without chunked coding. Iterators hold a
connection: leave them with `contextlib.aclosing`, or cancel the task that reads them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import ssl
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from devenv.engine.context import Endpoint, EndpointKind
from devenv.engine.demux import Demux, LogLine
from devenv.errors import DevenvError, EngineUnavailable, ExitCode

PROJECT_LABEL = "com.docker.compose.project"
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0
"""Deadline of a whole short call, and of a stream's first answer."""
_READ_BYTES = 256 * 1024
_MAX_HEAD_BYTES = 64 * 1024
_MAX_JSON_LINE_BYTES = 16 * 1024 * 1024

QueryValue = str | int | bool | Mapping[str, Any] | list[Any] | None
"""A truth value becomes 1 or 0, a mapping or list JSON; None is left out."""


class ApiError(DevenvError):
    """The engine answered a request with an error."""

    exit_code = ExitCode.FAILED

    def __init__(self, method: str, path: str, status: int, engine_message: str) -> None:
        super().__init__(f"The Docker engine refused {method} {path} ({status}): {engine_message}")
        self.status = status
        self.engine_message = engine_message
        """The engine's own words."""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What the engine says about itself."""

    version: str
    api_version: str
    os: str


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer with a status below 400."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    def json(self) -> Any:
        """The body as JSON; None for an empty one."""
        return json.loads(self.body) if self.body.strip() else None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a container uses now, by the docker CLI's formulas."""

    cpu_percent: float
    """100 is one core."""
    memory_bytes: int
    """Without the inactive file cache."""
    memory_limit_bytes: int


class EngineClient:
    """One engine. It holds no connection: each call opens its own and closes it."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        api_version: str | None = None,
        timeout_seconds: float = ANSWER_SECONDS,
    ) -> None:
        """Without `api_version` (such as `1.41`) the engine uses its newest."""
        self.endpoint = endpoint
        self._prefix = f"/v{api_version}" if api_version else ""
        self._timeout_seconds = timeout_seconds

    async def ping(self) -> EngineInfo:
        """Version and system of the engine; raises EngineUnavailable when none answers."""
        found = await self.get_json("/version")
        if not isinstance(found, dict) or "ApiVersion" not in found:
            raise _not_an_engine(self.endpoint)
        return EngineInfo(
            version=str(found.get("Version", "")),
            api_version=str(found["ApiVersion"]),
            os=str(found.get("Os", "")),
        )

    async def get_json(self, path: str, **query: QueryValue) -> Any:
        """GET and decode. Raises ApiError, EngineUnavailable."""
        response = await self.request("GET", path, query)
        try:
            return response.json()
        except ValueError:
            raise _not_an_engine(self.endpoint) from None

    async def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, QueryValue] | None = None,
        body: bytes | Mapping[str, Any] | None = None,
        *,
        content_type: str | None = None,
        timeout_seconds: float | None = None,
    ) -> Response:
        """One short call; a mapping is sent as JSON. Raises ApiError, EngineUnavailable.

        `path` stands without query and version, its parts already quoted.
        """
        limit = self._timeout_seconds if timeout_seconds is None else timeout_seconds
        try:
            async with asyncio.timeout(limit), _Exchange(self.endpoint) as exchange:
                await exchange.send(method, self._prefix + path, query, body, content_type)
                data = b"".join([chunk async for chunk in exchange.chunks()])
                status, headers = exchange.status, exchange.headers
        except TimeoutError:
            raise _no_answer(self.endpoint, limit) from None
        if status >= 400:
            raise ApiError(method, path, status, _engine_message(data))
        return Response(status, headers, data)

    async def open_stream(
        self, path: str, query: Mapping[str, QueryValue] | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The body of a GET as it comes, in chunks of at most 256 KiB, without a deadline.

        Raises ApiError and EngineUnavailable at the first step, EngineUnavailable later when
        the connection breaks.
        """
        limit = self._timeout_seconds
        async with _Exchange(self.endpoint) as exchange:
            try:
                async with asyncio.timeout(limit):
                    await exchange.send("GET", self._prefix + path, query, None, None)
                    if exchange.status >= 400:
                        data = b"".join([chunk async for chunk in exchange.chunks()])
                        raise ApiError("GET", path, exchange.status, _engine_message(data))
            except TimeoutError:
                raise _no_answer(self.endpoint, limit) from None
            async with contextlib.aclosing(exchange.chunks()) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def containers(self, project: str | None = None) -> list[dict[str, Any]]:
        """The engine's rows for all containers, stopped ones too; of one Compose project."""
        filters = {"label": [f"{PROJECT_LABEL}={project}"]} if project is not None else None
        rows = await self.get_json("/containers/json", all=True, filters=filters)
        return list(rows or [])

    async def inspect(self, container_id: str) -> dict[str, Any]:
        """Everything about one container; ApiError 404 when it is gone."""
        found: dict[str, Any] = await self.get_json(f"/containers/{_part(container_id)}/json")
        return found

    async def events(
        self,
        filters: Mapping[str, list[str]] | None = None,
        since_ns: int | None = None,
        until_ns: int | None = None,
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The engine's events from now on, or from a past time that still is in its memory.

        Ends at `until_ns`, at once where that is past by the engine's clock.
        """
        query: dict[str, QueryValue] = {
            "filters": filters,
            "since": _seconds(since_ns),
            "until": _seconds(until_ns),
        }
        async with contextlib.aclosing(self._json_lines("/events", query)) as lines:
            async for line in lines:
                yield line

    async def logs(
        self,
        container_id: str,
        *,
        follow: bool = True,
        since_ns: int | None = None,
        tail: int | None = None,
        tty: bool = False,
    ) -> AsyncGenerator[list[LogLine], None]:
        """A container's log lines in batches, one for each read; no batch is empty.

        `since_ns` is inclusive. `tty` must be the container's `Config.Tty`: its stream has
        no frames. Ends when the container ends (with `follow`), or at the end of the log.
        """
        query: dict[str, QueryValue] = {
            "stdout": True,
            "stderr": True,
            "timestamps": True,
            "follow": follow,
            "since": _seconds(since_ns),
            "tail": "all" if tail is None else tail,
        }
        demux = Demux(tty=tty)
        path = f"/containers/{_part(container_id)}/logs"
        async with contextlib.aclosing(self.open_stream(path, query)) as chunks:
            async for chunk in chunks:
                if batch := demux.feed(chunk):
                    yield batch
        if batch := demux.finish():
            yield batch

    async def stats(self, container_id: str) -> AsyncGenerator[Usage, None]:
        """What a container uses, about once a second."""
        path = f"/containers/{_part(container_id)}/stats"
        async with contextlib.aclosing(self._json_lines(path, {"stream": True})) as samples:
            async for sample in samples:
                yield parse_usage(sample)

    async def images_present(self, references: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The given references that the engine has as images -> what it says about each.

        Missing ones are left out; the engine decides what a short name means.
        """
        found: dict[str, dict[str, Any]] = {}
        gate = asyncio.Semaphore(8)

        async def look(reference: str) -> None:
            async with gate:
                try:
                    found[reference] = await self.get_json(
                        f"/images/{quote(reference, safe='/:@')}/json"
                    )
                except ApiError as error:
                    # 400: not a valid reference, so no image can have it.
                    if error.status not in (400, 404):
                        raise

        try:
            async with asyncio.TaskGroup() as group:
                for reference in dict.fromkeys(references):
                    group.create_task(look(reference))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return found

    async def volume(self, name: str) -> dict[str, Any] | None:
        """What the engine says about a volume; None when there is none of this name."""
        try:
            found: dict[str, Any] = await self.get_json(f"/volumes/{_part(name)}")
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        return found

    async def _json_lines(
        self, path: str, query: Mapping[str, QueryValue]
    ) -> AsyncGenerator[dict[str, Any], None]:
        rest = b""
        async with contextlib.aclosing(self.open_stream(path, query)) as chunks:
            async for chunk in chunks:
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line.strip():
                        yield self._object(line)
                if len(rest) > _MAX_JSON_LINE_BYTES:
                    raise _not_an_engine(self.endpoint)
        if rest.strip():
            yield self._object(rest)

    def _object(self, line: bytes) -> dict[str, Any]:
        try:
            value = json.loads(line)
        except ValueError:
            raise _not_an_engine(self.endpoint) from None
        if not isinstance(value, dict):
            raise _not_an_engine(self.endpoint)
        return value


def parse_usage(sample: Mapping[str, Any]) -> Usage:
    """One sample of the stats stream by the docker CLI's formulas.

    The first sample of a stream has no sample before it: its CPU share is 0, not the mean
    since the container started. Spec: docker/cli cli/command/container/stats_helpers.go.
    """
    cpu = sample.get("cpu_stats") or {}
    before = sample.get("precpu_stats") or {}
    used = cpu.get("cpu_usage") or {}
    used_before = before.get("cpu_usage") or {}
    percent = 0.0
    system_before = before.get("system_cpu_usage") or 0
    if system_before:
        share = used.get("total_usage", 0) - used_before.get("total_usage", 0)
        system = cpu.get("system_cpu_usage", 0) - system_before
        cores = cpu.get("online_cpus") or len(used.get("percpu_usage") or ()) or 1
        if share > 0 and system > 0:
            percent = share / system * cores * 100
    memory = sample.get("memory_stats") or {}
    usage = int(memory.get("usage") or 0)
    details = memory.get("stats") or {}
    # cgroup v1 has total_inactive_file, v2 inactive_file.
    cache = int(details.get("total_inactive_file", details.get("inactive_file", 0)) or 0)
    if cache < usage:
        usage -= cache
    return Usage(percent, usage, int(memory.get("limit") or 0))


class _Exchange:
    """One connection for one request; leaving it closes the connection, and ends ssh."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._process: asyncio.subprocess.Process | None = None
        self.status = 0
        self.headers: dict[str, str] = {}

    async def __aenter__(self) -> _Exchange:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._connect()
        except TimeoutError:
            await self._close()
            raise _no_answer(self._endpoint, CONNECT_SECONDS) from None
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self._close()

    async def _connect(self) -> None:
        endpoint = self._endpoint
        try:
            match endpoint.kind:
                case EndpointKind.UNIX:
                    self._reader, self._writer = await asyncio.open_unix_connection(
                        endpoint.address, limit=_READ_BYTES
                    )
                case EndpointKind.SSH:
                    self._process = await asyncio.create_subprocess_exec(
                        *ssh_argv(endpoint.address),
                        stdin=asyncio.subprocess.PIPE,
                        stdout=asyncio.subprocess.PIPE,
                        stderr=asyncio.subprocess.PIPE,
                        start_new_session=True,
                        limit=_READ_BYTES,
                    )
                    self._reader, self._writer = self._process.stdout, self._process.stdin
                case _:
                    host, port = endpoint.host_port()
                    self._reader, self._writer = await asyncio.open_connection(
                        host, port, ssl=_ssl_context(endpoint), limit=_READ_BYTES
                    )
        except OSError as error:
            raise _cannot_connect(endpoint, error) from error

    async def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, QueryValue] | None,
        body: bytes | Mapping[str, Any] | None,
        content_type: str | None,
    ) -> None:
        """Send the request and read the head of the answer."""
        writer = self._writer
        assert writer is not None
        if isinstance(body, Mapping):
            body, content_type = json.dumps(body).encode(), content_type or "application/json"
        pairs = {key: _query_text(value) for key, value in (query or {}).items()}
        text = urlencode({key: value for key, value in pairs.items() if value is not None})
        head = [f"{method} {path}{'?' + text if text else ''} HTTP/1.0", "Host: docker"]
        if body is not None:
            head.append(f"Content-Type: {content_type or 'application/octet-stream'}")
        if body is not None or method != "GET":
            head.append(f"Content-Length: {len(body or b'')}")
        try:
            writer.write(("\r\n".join(head) + "\r\n\r\n").encode() + (body or b""))
            await writer.drain()
        except (BrokenPipeError, ConnectionResetError) as error:
            # An engine may refuse before it has read the body: its answer says why.
            if self._process is None and body is None:
                raise _cannot_connect(self._endpoint, error) from error
        await self._read_head()

    async def _read_head(self) -> None:
        reader = self._reader
        assert reader is not None
        lines: list[bytes] = []
        size = 0
        try:
            while True:
                line = await reader.readline()
                if not line.endswith(b"\n"):
                    raise await self._cut_off()
                size += len(line)
                if line in (b"\r\n", b"\n"):
                    break
                if size > _MAX_HEAD_BYTES:
                    raise _not_an_engine(self._endpoint)
                lines.append(line)
        except ValueError:
            raise _not_an_engine(self._endpoint) from None
        except OSError as error:
            raise _cannot_connect(self._endpoint, error) from error
        first = lines[0].split(None, 2) if lines else []
        if len(first) < 2 or not first[0].startswith(b"HTTP/1.") or not first[1].isdigit():
            raise _not_an_engine(self._endpoint)
        self.status = int(first[1])
        for line in lines[1:]:
            name, _, value = line.decode("latin-1").partition(":")
            self.headers[name.strip().lower()] = value.strip()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body's bytes as they come."""
        reader = self._reader
        assert reader is not None
        if self.status in (204, 304):
            return
        try:
            if "chunked" in self.headers.get("transfer-encoding", "").lower():
                while size := int((await reader.readline()).partition(b";")[0], 16):
                    while size:
                        data = await reader.read(min(size, _READ_BYTES))
                        if not data:
                            raise await self._cut_off()
                        size -= len(data)
                        yield data
                    await reader.readline()
            elif self.headers.get("content-length", "").isdigit():
                left = int(self.headers["content-length"])
                while left:
                    data = await reader.read(min(left, _READ_BYTES))
                    if not data:
                        raise await self._cut_off()
                    left -= len(data)
                    yield data
            else:
                while data := await reader.read(_READ_BYTES):
                    yield data
        except ValueError:
            raise _not_an_engine(self._endpoint) from None
        except OSError as error:
            raise _cannot_connect(self._endpoint, error) from error

    async def _cut_off(self) -> EngineUnavailable:
        """Why the connection ended too early; ssh says it on stderr."""
        where = self._endpoint.describe()
        if self._process is None or self._process.stderr is None:
            return EngineUnavailable(
                f"The Docker engine at {where} closed the connection.",
                fix="see whether it still runs: `docker info`.",
            )
        said = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                while len(said) < 4096 and (data := await self._process.stderr.read(4096)):
                    said += data
        text = said.decode(errors="replace").strip()
        return EngineUnavailable(
            f"ssh to {where} failed.",
            excerpt=text or None,
            fix="try `ssh HOST docker version`: it must work without asking for a password.",
        )

    async def _close(self) -> None:
        process, self._process = self._process, None
        writer, self._writer = self._writer, None
        if process is not None:
            await _end_ssh(process)
        elif writer is not None:
            writer.transport.abort()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await writer.wait_closed()


async def _end_ssh(process: asyncio.subprocess.Process) -> None:
    try:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await process.communicate()
                break
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        transport = getattr(process, "_transport", None)
        if transport is not None:
            transport.close()


def ssh_argv(url: str) -> tuple[str, ...]:
    """The command that carries the engine's byte stream over ssh.

    Spec: docker/cli cli/connhelper. BatchMode: ssh has no terminal here to ask on.
    """
    parts = urlsplit(url)
    argv = ["ssh", "-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_SECONDS:.0f}"]
    if parts.username:
        argv += ["-l", parts.username]
    if parts.port:
        argv += ["-p", str(parts.port)]
    argv += ["--", parts.hostname or "", "docker"]
    if parts.path.strip("/"):
        argv += ["--host", f"unix://{parts.path}"]
    return (*argv, "system", "dial-stdio")


def _ssl_context(endpoint: Endpoint) -> ssl.SSLContext | None:
    if endpoint.kind is not EndpointKind.TLS:
        return None
    try:
        context = ssl.create_default_context(cafile=endpoint.ca_file)
        if not endpoint.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if endpoint.cert_file:
            context.load_cert_chain(endpoint.cert_file, endpoint.key_file)
    except OSError as error:
        raise EngineUnavailable(
            f"The TLS files for {endpoint.describe()} cannot be used: {error}.",
            fix="check ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH or in the context.",
        ) from error
    return context


def _query_text(value: QueryValue) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Mapping | list):
        return json.dumps(value)
    return str(value)


def _part(name: str) -> str:
    return quote(name, safe="")


def _seconds(time_ns: int | None) -> str | None:
    """A time as the engine takes it: seconds, a dot, nine digits."""
    return None if time_ns is None else "{}.{:09d}".format(*divmod(time_ns, 1_000_000_000))


def _engine_message(body: bytes) -> str:
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if isinstance(value, dict) and isinstance(value.get("message"), str):
        return str(value["message"]).strip()
    return body.decode(errors="replace").strip()[:2000] or "no message"


def _no_answer(endpoint: Endpoint, seconds: float) -> EngineUnavailable:
    return EngineUnavailable(
        f"The Docker engine at {endpoint.describe()} did not answer within {seconds:g} s.",
        fix="see whether `docker info` answers; if not, restart Docker.",
    )


def _not_an_engine(endpoint: Endpoint) -> EngineUnavailable:
    return EngineUnavailable(
        f"What answers at {endpoint.describe()} is not a Docker engine.",
        fix="check DOCKER_HOST and the current context (`docker context ls`).",
    )


def _cannot_connect(endpoint: Endpoint, error: OSError) -> EngineUnavailable:
    where = endpoint.describe()
    reason = error.strerror or str(error)
    if endpoint.kind is EndpointKind.SSH:
        return EngineUnavailable(
            f"ssh to {where} cannot be started: {reason}.", fix="install an ssh client."
        )
    start = "start Docker: `sudo systemctl start docker`, or open Docker Desktop."
    if endpoint.kind is not EndpointKind.UNIX:
        start = "check that the engine runs there, and DOCKER_HOST or the current context."
    match error:
        case ssl.SSLError():
            return EngineUnavailable(
                f"The TLS connection to {where} failed: {reason}.",
                fix="check ca.pem, cert.pem and key.pem, and that the engine uses TLS.",
            )
        case FileNotFoundError():
            return EngineUnavailable(
                f"No Docker engine runs here: the socket {endpoint.address} does not exist.",
                fix=start,
            )
        case PermissionError():
            return EngineUnavailable(
                f"You may not use the Docker engine at {where}: permission denied.",
                fix="join the docker group (`sudo usermod -aG docker $USER`), then log in again.",
            )
        case ConnectionRefusedError():
            return EngineUnavailable(
                f"The Docker engine at {where} refuses connections: it is not running.", fix=start
            )
    return EngineUnavailable(f"No connection to the Docker engine at {where}: {reason}.", fix=start)
