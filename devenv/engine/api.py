"""The Engine API: short queries, and the long streams.

Owns what is asked and how the answers read, and the deadlines; connections and HTTP are
`transport.py` and `exchange.py`. Iterators hold a connection: leave them with
`contextlib.aclosing`, or cancel the task that reads them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
)
from typing import Any
from urllib.parse import quote

from devenv.engine.context import Endpoint, EndpointKind
from devenv.engine.demux import MAX_LINE_BYTES, Demux, LogLine
from devenv.engine.exchange import Exchange, QueryValue
from devenv.engine.unavailable import no_answer, not_an_engine, wants_tls
from devenv.engine.usage import parse_usage
from devenv.errors import DevenvError, ExitCode
from devenv.state.usage import Usage
from devenv.values import dataclass

PROJECT_LABEL = "com.docker.compose.project"
ANSWER_SECONDS = 30.0
"""Deadline of a whole short call, and of a stream's first answer."""
_SSH_AT_ONCE = 4
"""How many ssh connections may be in their beginnings: sshd drops more (its MaxStartups is 10)."""
_TURN_BYTES = 64 * 1024
"""What is decoded in one turn: half a millisecond's work."""
_MAX_JSON_LINE_BYTES = 16 * 1024 * 1024


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
        ssh = endpoint.kind is EndpointKind.SSH
        self._gate = asyncio.Semaphore(_SSH_AT_ONCE) if ssh else contextlib.nullcontext()

    async def ping(self) -> EngineInfo:
        """Version and system of the engine; raises EngineUnavailable when none answers."""
        found = await self.get_json("/version")
        if not isinstance(found, dict) or "ApiVersion" not in found:
            raise not_an_engine(self.endpoint)
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
            raise not_an_engine(self.endpoint) from None

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
            async with (
                self._gate,
                asyncio.timeout(limit),
                Exchange(self.endpoint) as exchange,
            ):
                await exchange.send(method, self._prefix + path, query, body, content_type)
                data = b"".join([chunk async for chunk in exchange.chunks()])
                if exchange.status >= 400:
                    raise self._refusal(method, path, exchange, data)
                return Response(exchange.status, exchange.headers, data)
        except TimeoutError:
            raise no_answer(self.endpoint, limit) from None

    async def upload(
        self,
        path: str,
        query: Mapping[str, QueryValue] | None,
        body: AsyncIterable[bytes],
        *,
        content_type: str = "application/x-tar",
    ) -> None:
        """PUT a body as it comes, without a deadline. Raises ApiError, EngineUnavailable, and what
        `body` raises: the engine then sees that the end is missing."""
        async with Exchange(self.endpoint) as exchange:
            await exchange.send_chunks("PUT", self._prefix + path, query, body, content_type)
            data = b"".join([chunk async for chunk in exchange.chunks()])
            if exchange.status >= 400:
                raise self._refusal("PUT", path, exchange, data)

    @contextlib.asynccontextmanager
    async def open_exchange(
        self, method: str, path: str, body: Mapping[str, Any]
    ) -> AsyncGenerator[Exchange, None]:
        """A call whose connection stays open after the head of the answer, to be written to.

        Raises ApiError, EngineUnavailable. Leaving it closes the connection.
        """
        limit = self._timeout_seconds
        async with contextlib.AsyncExitStack() as stack:
            try:
                async with self._gate, asyncio.timeout(limit):
                    exchange = await stack.enter_async_context(Exchange(self.endpoint))
                    await exchange.send(method, self._prefix + path, None, body, None)
                    if exchange.status >= 400:
                        data = b"".join([chunk async for chunk in exchange.chunks()])
                        raise self._refusal(method, path, exchange, data)
            except TimeoutError:
                raise no_answer(self.endpoint, limit) from None
            yield exchange

    async def open_stream(
        self, path: str, query: Mapping[str, QueryValue] | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The body of a GET as it comes, in chunks of at most 256 KiB, without a deadline.

        Raises ApiError and EngineUnavailable at the first step, EngineUnavailable later when
        the connection breaks.
        """
        limit = self._timeout_seconds
        async with contextlib.AsyncExitStack() as stack:
            try:
                async with self._gate, asyncio.timeout(limit):
                    exchange = await stack.enter_async_context(Exchange(self.endpoint))
                    await exchange.send("GET", self._prefix + path, query, None, None)
                    if exchange.status >= 400:
                        data = b"".join([chunk async for chunk in exchange.chunks()])
                        raise self._refusal("GET", path, exchange, data)
            except TimeoutError:
                raise no_answer(self.endpoint, limit) from None
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
        until_ns: int | None = None,
        tail: int | None = None,
        tty: bool = False,
        max_line_bytes: int = MAX_LINE_BYTES,
        turn: Callable[[], Awaitable[None]] | None = None,
    ) -> AsyncGenerator[list[LogLine], None]:
        """A container's log lines in batches, one for each read; no batch is empty.

        `since_ns` and `until_ns` are inclusive; the engine takes the `tail` before it looks at
        them. `tty` must be the container's `Config.Tty`: its stream has no frames. `turn` is
        waited for before each read is decoded, so that many streams share a loop fairly. Ends
        when the container ends (with `follow`), or at the end of the log.
        """
        query: dict[str, QueryValue] = {
            "stdout": True,
            "stderr": True,
            "timestamps": True,
            "follow": follow,
            "since": _seconds(since_ns),
            "until": _seconds(until_ns),
            "tail": "all" if tail is None else tail,
        }
        demux = Demux(tty=tty, max_line_bytes=max_line_bytes)
        path = f"/containers/{_part(container_id)}/logs"
        async with contextlib.aclosing(self.open_stream(path, query)) as chunks:
            async for chunk in chunks:
                for at in range(0, len(chunk), _TURN_BYTES if turn else len(chunk)):
                    if turn is not None:
                        await turn()
                    part = chunk[at : at + _TURN_BYTES] if turn else chunk
                    if batch := demux.feed(part):
                        yield batch
        if batch := demux.finish():
            yield batch

    async def stats(self, container_id: str) -> AsyncGenerator[Usage, None]:
        """What a container uses, about once a second, as far as one sample tells: no rates."""
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

    def _refusal(self, method: str, path: str, exchange: Exchange, body: bytes) -> DevenvError:
        json_said = "json" in exchange.headers.get("content-type", "")
        if exchange.status == 400 and self.endpoint.kind is EndpointKind.TCP and not json_said:
            return wants_tls(self.endpoint)
        return ApiError(method, path, exchange.status, _engine_message(body))

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
                    raise not_an_engine(self.endpoint)
        if rest.strip():
            yield self._object(rest)

    def _object(self, line: bytes) -> dict[str, Any]:
        try:
            value = json.loads(line)
        except ValueError:
            raise not_an_engine(self.endpoint) from None
        if not isinstance(value, dict):
            raise not_an_engine(self.endpoint)
        return value


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
