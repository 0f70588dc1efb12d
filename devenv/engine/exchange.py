"""One HTTP request and its answer, as far as the engine speaks HTTP.

Requests are HTTP/1.0, so that streams arrive without chunked coding; where an engine or a proxy
before it chunks all the same, that is undone. A body of unknown length needs HTTP/1.1.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

from devenv.engine.context import Endpoint
from devenv.engine.transport import READ_BYTES, Connection, open_connection
from devenv.engine.unavailable import cannot_connect, not_an_engine

_MAX_HEAD_BYTES = 64 * 1024

QueryValue = str | int | bool | Mapping[str, Any] | list[Any] | None
"""A truth value becomes 1 or 0, a mapping or list JSON; None is left out."""


class Exchange:
    """One connection for one request; leaving it closes the connection."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._connection: Connection | None = None
        self.status = 0
        self._has_body = True
        self.headers: dict[str, str] = {}
        """Names in lower case."""

    async def __aenter__(self) -> Exchange:
        self._connection = await open_connection(self._endpoint)
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._connection is not None:
            await self._connection.close()

    @property
    def _open(self) -> Connection:
        assert self._connection is not None
        return self._connection

    async def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, QueryValue] | None,
        body: bytes | Mapping[str, Any] | None,
        content_type: str | None,
    ) -> None:
        """Send the request and read the head of the answer."""
        writer = self._open.writer
        if isinstance(body, Mapping):
            body, content_type = json.dumps(body).encode(), content_type or "application/json"
        head = [f"{method} {path}{_render_query(query)} HTTP/1.0", "Host: docker"]
        if body is not None:
            head.append(f"Content-Type: {content_type or 'application/octet-stream'}")
        if body is not None or method != "GET":
            head.append(f"Content-Length: {len(body or b'')}")
        try:
            writer.write(("\r\n".join(head) + "\r\n\r\n").encode() + (body or b""))
            await writer.drain()
        except (BrokenPipeError, ConnectionResetError) as error:
            # An engine may refuse before it has read the body: its answer says why.
            if not self._open.over_ssh and body is None:
                raise cannot_connect(self._endpoint, error) from error
        await self._read_head()
        self._has_body = method != "HEAD"

    async def send_chunks(
        self,
        method: str,
        path: str,
        query: Mapping[str, QueryValue] | None,
        body: AsyncIterable[bytes],
        content_type: str,
    ) -> None:
        """Send a body as it comes, then read the head of the answer.

        Where `body` raises, the connection is left without the body's end: close it.
        """
        writer = self._open.writer
        head = (
            f"{method} {path}{_render_query(query)} HTTP/1.1\r\nHost: docker\r\n"
            f"Connection: close\r\nContent-Type: {content_type}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n"
        )
        try:
            writer.write(head.encode())
            async for chunk in body:
                if chunk:
                    writer.writelines((b"%x\r\n" % len(chunk), chunk, b"\r\n"))
                    await writer.drain()
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        except (BrokenPipeError, ConnectionResetError) as error:
            # An engine may refuse before it has read the body: its answer says why.
            if self._open.reader.at_eof():
                raise cannot_connect(self._endpoint, error) from error
        await self._read_head()

    async def write(self, data: bytes) -> None:
        """More bytes after the head of the answer: to a command that reads them (hijacked)."""
        try:
            self._open.writer.write(data)
            await self._open.writer.drain()
        except OSError as error:
            raise cannot_connect(self._endpoint, error) from error

    async def _read_head(self) -> None:
        reader = self._open.reader
        lines: list[bytes] = []
        size = 0
        try:
            while True:
                line = await reader.readline()
                if not line.endswith(b"\n"):
                    raise await self._open.cut_off()
                size += len(line)
                if not lines and not line.startswith(b"HTTP/1."):
                    raise not_an_engine(self._endpoint)
                if line in (b"\r\n", b"\n"):
                    break
                if size > _MAX_HEAD_BYTES:
                    raise not_an_engine(self._endpoint)
                lines.append(line)
        except ValueError:
            raise not_an_engine(self._endpoint) from None
        except OSError as error:
            raise cannot_connect(self._endpoint, error) from error
        first = lines[0].split(None, 2) if lines else []
        if len(first) < 2 or not first[1].isdigit():
            raise not_an_engine(self._endpoint)
        self.status = int(first[1])
        for line in lines[1:]:
            name, _, value = line.decode("latin-1").partition(":")
            self.headers[name.strip().lower()] = value.strip()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body's bytes as they come."""
        reader = self._open.reader
        if not self._has_body or self.status in (204, 304):
            return
        try:
            if "chunked" in self.headers.get("transfer-encoding", "").lower():
                while size := int((await reader.readline()).partition(b";")[0], 16):
                    while size:
                        data = await reader.read(min(size, READ_BYTES))
                        if not data:
                            raise await self._open.cut_off()
                        size -= len(data)
                        yield data
                    await reader.readline()
            elif self.headers.get("content-length", "").isdigit():
                left = int(self.headers["content-length"])
                while left:
                    data = await reader.read(min(left, READ_BYTES))
                    if not data:
                        raise await self._open.cut_off()
                    left -= len(data)
                    yield data
            else:
                while data := await reader.read(READ_BYTES):
                    yield data
        except ValueError:
            raise not_an_engine(self._endpoint) from None
        except OSError as error:
            raise cannot_connect(self._endpoint, error) from error


def _render_query(query: Mapping[str, QueryValue] | None) -> str:
    pairs = {key: _query_text(value) for key, value in (query or {}).items()}
    text = urlencode({key: value for key, value in pairs.items() if value is not None})
    return f"?{text}" if text else ""


def _query_text(value: QueryValue) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Mapping | list):
        return json.dumps(value)
    return str(value)
