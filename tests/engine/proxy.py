"""A socket between devenv and the real engine that can go away and come back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

_READ_BYTES = 65536


class EngineProxy:
    """Passes bytes between a socket of its own and the engine's while it is open.

    Without a `place` it listens on a free TCP port of this machine.
    """

    def __init__(self, place: Path | None, engine: str) -> None:
        self.place = place
        self.port = 0
        self._engine = engine
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Listen, as an engine that has started."""
        if self.place is not None:
            self._server = await asyncio.start_unix_server(self._serve, self.place)
            return
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Drop everything, as an engine that has died."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self.place is not None:
            self.place.unlink(missing_ok=True)
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.sleep(0)  # an abort closes its socket in the loop's next turn

    def change(self, data: bytes) -> bytes:
        """What devenv is given of what the engine says; as it is."""
        return data

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        both = {writer}
        self._open.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(self._engine)
            both.add(far_writer)
            self._open.add(far_writer)
            await asyncio.gather(
                _pass(reader, far_writer, bytes), _pass(far_reader, writer, self.change)
            )
        finally:
            self._open -= both
            for each in both:
                each.transport.abort()


async def _pass(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: Callable[[bytes], bytes]
) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_READ_BYTES):
            writer.write(change(data))
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


@contextlib.asynccontextmanager
async def engine_proxy(place: Path | None, engine: str) -> AsyncIterator[EngineProxy]:
    """An open proxy; closed at the end."""
    proxy = EngineProxy(place, engine)
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.close()
        await asyncio.sleep(0.05)  # what was accepted last is dropped, too
        await proxy.close()
