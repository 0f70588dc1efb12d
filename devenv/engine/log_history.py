"""Reads lines from the engine that are older than those in the store, when they are wanted.

The engine counts a `tail` from the log's end. So a page is asked for as the lines held and some
more; the first of those held tells where the page ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque

from devenv.engine.api import ApiError, EngineClient
from devenv.errors import EngineUnavailable
from devenv.state.containers import Container, ContainerId
from devenv.state.log_merge import STEP_NS, Resume
from devenv.state.logs import LogStore, Origin, RawRow
from devenv.state.text import clean_line
from devenv.values import dataclass

PAGE_LINES = 2_000
_LINE_BYTES = 400
"""What a line takes at most, as a rule; a page is asked for only where it has room."""


@dataclass(slots=True)
class _Source:
    container: Container
    resume: Resume
    complete: bool = False
    """The engine has no older line of it."""


class LogHistory:
    """Serves the store's wish for older lines, one page of each container at a time."""

    def __init__(self, client: EngineClient, logs: LogStore, tail: int | None) -> None:
        self._client = client
        self._logs = logs
        self._complete = tail is None
        self._sources: dict[ContainerId, _Source] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Serve from now on."""
        self._logs.history_wanted = self._want

    async def end(self) -> None:
        """Stop serving; a read that is under way ends."""
        self._logs.history_wanted = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def add(self, container: Container, resume: Resume) -> None:
        """A container whose lines are followed."""
        self._sources[container.id] = _Source(container, resume, self._complete)
        self._logs.complete_since_ns = 1  # known once it is asked for

    def remove(self, container_id: ContainerId) -> None:
        """The container is gone, and its log with it."""
        self._sources.pop(container_id, None)

    def _want(self, time_ns: int) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._read(time_ns))

    async def _read(self, time_ns: int) -> None:
        """Read until every container's lines reach back beyond `time_ns`, or one page of each."""
        logs = self._logs
        logs.history_busy = True
        try:
            oldest = {source.container.id: self._oldest(source) for source in self._open()}
            if not oldest:
                logs.complete_since_ns = 0
                return
            wanted = [s for s in self._open() if oldest[s.container.id][0] >= time_ns]
            if not wanted:
                latest = max(oldest.values(), default=(0, b""))[0]
                wanted = [s for s in self._open() if oldest[s.container.id][0] == latest]
            for source in wanted:
                if logs.room_bytes < PAGE_LINES * _LINE_BYTES:
                    return
                with contextlib.suppress(ApiError, EngineUnavailable):
                    await self._read_page(source, *oldest[source.container.id])
            still = [self._oldest(source)[0] for source in self._open()]
            logs.complete_since_ns = max(still, default=0)
        finally:
            logs.history_busy = False
            logs.changed()

    def _open(self) -> list[_Source]:
        return [source for source in self._sources.values() if not source.complete]

    def _oldest(self, source: _Source) -> tuple[int, bytes]:
        """Time and text of a container's oldest line that is held; the store's own without one."""
        logs = self._logs
        cid = source.container.id
        numbers = {n for n, origin in enumerate(logs.origins) if origin.container == cid}
        for block in logs.blocks:
            if any(block.counts[number] for number in numbers):
                index = next(i for i, number in enumerate(block.origins) if number in numbers)
                return block.times[index], block.plain(index)
        return logs.oldest_ns, b""

    async def _read_page(self, source: _Source, time_ns: int, text: bytes) -> None:
        logs = self._logs
        held = logs.count_of(source.container.id) if text or not logs.dropped else logs.received
        rows: list[RawRow] = []
        # The log may have grown by more than a page since, or lines were left out in between.
        for tail in (held + PAGE_LINES, 8 * (held + PAGE_LINES), None):
            before, rows = len(rows), await self._read_before(source, tail, time_ns, text)
            if len(rows) >= PAGE_LINES // 2 or (rows and len(rows) == before):
                break
        source.complete = len(rows) < PAGE_LINES // 2
        logs.append_rows(rows)

    async def _read_before(
        self, source: _Source, tail: int | None, time_ns: int, text: bytes
    ) -> list[RawRow]:
        """The newest page of a log's last `tail` lines that are before the line of that time."""
        container, logs = source.container, self._logs
        rows: deque[RawRow] = deque(maxlen=PAGE_LINES)
        numbers = {
            name: logs.number(Origin(container.service, name, container.id, container.number))
            for name in ("stdout", "stderr")
        }
        batches = self._client.logs(
            container.id,
            follow=False,
            until_ns=time_ns + STEP_NS,
            tail=tail,
            tty=container.tty,
        )
        found = False
        async with contextlib.aclosing(batches):
            async for batch in batches:
                for name, line_ns, raw in batch:
                    if line_ns >= time_ns and (line_ns > time_ns or clean_line(raw)[0] == text):
                        found = True
                        break
                    rows.append((line_ns, numbers[name], raw))
                if found:
                    break
        return list(rows)
