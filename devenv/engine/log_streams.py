"""Follows the logs of many containers, and brings their lines into a `LogStore` by time.

One connection for each container. A service is one stream, whatever happens to its containers:
a line of devenv's own says that one started again or was replaced. Nothing is lost or doubled
when a container or the engine comes back; `Resume` says how.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from time import perf_counter, process_time

from devenv.compose.names import ServiceName
from devenv.engine.api import ApiError, EngineClient
from devenv.engine.log_history import LogHistory
from devenv.errors import EngineUnavailable
from devenv.state.containers import Container, ContainerId
from devenv.state.log_keep_up import AGAIN_SECONDS, KeepUp, Lateness
from devenv.state.log_merge import Ascending, LogMerger, Resume
from devenv.state.logs import LogStore, Origin, RawRow
from devenv.state.text import sanitize
from devenv.values import dataclass, field

BATCH_SECONDS = 0.05
"""How long lines are collected before they go into the store."""
PATIENCE_SECONDS = 0.1
"""How long the lines of one container wait for older ones of another."""
WAITING_BYTES = 4 * 1024 * 1024
"""What lines that wait for those of other containers may hold; then the readers wait."""
LEAST_WAITING_BYTES = 64 * 1024
"""What one container's lines may hold at least, however many containers there are."""
MOST_PAUSE_SECONDS = 0.2
SLICE_LINES = 1_000
"""Lines that go into the store at once; keys are answered between two slices."""
END_LINES = 500
"""How many lines before its end a stream is read on from that says more than can be taken."""
SETTLED_NS = 500_000_000
"""A mark whose container has printed nothing for so long is shown without waiting for a line."""

Clock = Callable[[], float]


@dataclass(slots=True)
class _Followed:
    """One container whose log is read."""

    container: Container
    started_ns: int
    tail: int | None = None
    """How many lines at first; of a container that came later, all."""
    resume: Resume = field(default_factory=Resume)
    ascending: Ascending = field(default_factory=Ascending)
    marks: list[tuple[int, int, str]] = field(default_factory=list)
    """Marks to come: the time that they stand before, their own time, their text."""
    task: asyncio.Task[None] | None = None
    again: bool = False
    """It started or ended since the reading began: read on where that ended."""
    ended_ns: int = 0
    exit_code: str = ""
    event_ns: int = 0
    """The time of the last event that was taken; replayed ones are not taken twice."""
    unreadable: bool = False
    lateness: Lateness = field(default_factory=Lateness)
    is_lost: bool = False
    """It is to be read on from its end."""
    left_ns: int = 0
    """The time of the last line before it is read on from its end; 0: that was long ago."""
    known: int = 0
    """How many lines have come since that were known."""
    has_gap: bool = False
    """No line that was known has come since."""


class LogStreams:
    """Reads what it is told to follow until `end`."""

    def __init__(
        self,
        client: EngineClient,
        logs: LogStore,
        *,
        clock: Clock,
        tail: int | None,
        since_ns: int | None = None,
        services: frozenset[ServiceName] | None = None,
        fair: bool = False,
    ) -> None:
        """`tail`: how many lines of each container at first; None: all. `services`: only theirs.

        `fair`: leave the processor to whoever draws the lines, and lines with the engine where
        they come faster than they can be taken.
        """
        self._client = client
        self._logs = logs
        self._clock = clock
        self._tail = tail
        self._since_ns = since_ns
        self._services = services
        self._fair = fair
        self._pause = 0.0
        self._turned_at = 0.0
        self._keep_up = KeepUp()
        self._merger = LogMerger(PATIENCE_SECONDS)
        self._followed: dict[ContainerId, _Followed] = {}
        self._replicas: dict[tuple[ServiceName, int], ContainerId] = {}
        self._settled = False
        """What ran at the beginning is known: containers from now on are new."""
        self._room = asyncio.Event()
        self._come = asyncio.Event()
        """Lines or marks wait."""
        self._turns = asyncio.Lock()
        self._history = LogHistory(client, logs, tail)

    async def run(self) -> None:
        """Bring lines into the store until cancelled."""
        self._history.start()
        try:
            while True:
                # Nothing to do while nothing comes: an idle engine costs nothing.
                if self._merger.idle and not any(f.marks for f in self._followed.values()):
                    self._come.clear()
                    await self._come.wait()
                await asyncio.sleep(BATCH_SECONDS)
                await self._flush()
        finally:
            await self._history.end()

    async def _flush(self) -> None:
        now = asyncio.get_running_loop().time()
        self._emit_settled_marks(now)
        rows = self._merger.take(now)
        if not rows:
            return
        for at in range(0, len(rows), SLICE_LINES):
            self._logs.append_rows(rows[at : at + SLICE_LINES])
            await self._turn()
        self._room.set()

    async def drain(self) -> None:
        """Wait until the lines read so far are in the store."""
        while not self._merger.idle:  # noqa: ASYNC110, the merger's own patience ends this
            await asyncio.sleep(BATCH_SECONDS)

    def follow(self, container: Container, *, by_event: bool = False) -> None:
        """Read a container's log; called again whenever it may have changed.

        `by_event`: after `take_event`, which knows of each start, however short the run was.
        """
        if container.started_at is None:
            return
        if self._services is not None and container.service not in self._services:
            return
        started_ns = int(container.started_at * 1e9)
        found = self._followed.get(container.id)
        if found is None:
            found = self._followed[container.id] = _Followed(container, started_ns)
            found.tail = None if self._settled else self._tail
            found.resume.whole = self._settled or (self._tail is None and not self._since_ns)
            self._history.add(container, found.resume)
            self._mark_new(found)
        elif not by_event and started_ns > found.started_ns + SETTLED_NS:
            self._mark_again(found, started_ns)
        found.container = container
        ended = found.task is None or found.task.done()
        if ended and (container.state == "running" or found.again or found.task is None):
            found.task = asyncio.create_task(self._read(found), name="logs")

    def settle(self) -> None:
        """All that ran at the beginning is followed: what comes from now on is new."""
        self._settled = True

    def take_event(self, container_id: ContainerId, action: str, time_ns: int, code: str) -> None:
        """An engine event of a container, before it is looked at again."""
        found = self._followed.get(container_id)
        if found is None or time_ns <= found.event_ns or action not in ("start", "die"):
            return
        found.event_ns = time_ns
        found.again = True
        if action == "die":
            found.ended_ns, found.exit_code = time_ns, code
        elif found.ended_ns > found.started_ns or time_ns > found.started_ns + SETTLED_NS:
            self._mark_again(found, time_ns)

    def forget(self, container_id: ContainerId) -> None:
        """The container was removed: what it said stays."""
        found = self._followed.pop(container_id, None)
        if found is None:
            return
        self._history.remove(container_id)
        if found.task is not None:
            found.task.cancel()
        self._merger.close(container_id)
        name = sanitize(found.container.name)
        self.say(found.container.service, f"{name} was removed", found.container.number)

    def say(self, service: ServiceName, text: str, number: int = 1) -> None:
        """A line of devenv's own, now."""
        now_ns = max(int(self._clock() * 1e9), self._logs.newest_ns)
        origin = self._logs.number(Origin(service, "devenv", number=number))
        self._logs.append_rows([(now_ns, origin, _mark(text))])

    async def pause(self) -> None:
        """End all reading; `follow` takes it up where it ended."""
        tasks = [found.task for found in self._followed.values() if found.task is not None]
        for found in self._followed.values():
            found.again = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _mark_new(self, found: _Followed) -> None:
        container = found.container
        replica = (container.service, container.number)
        before = self._replicas.get(replica)
        self._replicas[replica] = container.id
        if before is not None:
            text = f"{sanitize(container.name)} was replaced: a new container"
        elif self._settled and container.number > 1:
            text = f"{sanitize(container.name)}: one more container"
        else:
            return
        found.marks.append((0, found.started_ns, text))
        self._come.set()

    def _mark_again(self, found: _Followed, started_ns: int) -> None:
        found.started_ns = started_ns
        # Between its end and its start: lines of the run before come before the mark.
        ended = found.ended_ns if 0 < found.ended_ns < started_ns else started_ns - 50_000_000
        code = f" after exit code {found.exit_code}" if found.exit_code else ""
        text = f"{sanitize(found.container.name)} started again{code}"
        found.exit_code = ""
        found.marks.append(((ended + started_ns) // 2, started_ns, text))
        self._come.set()

    async def _turn(self) -> None:
        """One read of one stream for each round of the loop, so that keys are answered between.

        With `fair`, and where this process waits for a processor, it reads less: the engine holds
        the lines meanwhile, and a process that sleeps gets its turn at once when a key comes.
        """
        async with self._turns:
            if not self._fair:
                await asyncio.sleep(0)
                return
            wall, used = perf_counter(), process_time()
            pause = max(self._pause, self._logs.hold_seconds(self._turned_at))
            await asyncio.sleep(pause)
            self._turned_at = perf_counter()
            waited = self._turned_at - wall - pause - (process_time() - used)
            wanted = min(MOST_PAUSE_SECONDS, 4 * waited) if waited > 0.002 else 0.0
            self._pause = max(wanted, self._pause * 0.8 - 0.0001, 0.0)

    async def _read(self, found: _Followed) -> None:
        loop = asyncio.get_running_loop()
        container = found.container
        numbers = {
            source: self._logs.number(
                Origin(container.service, source, container.id, container.number)
            )
            for source in ("stdout", "stderr")
        }
        self._merger.open(container.id, loop.time())
        found.again = True
        try:
            while found.again:
                found.again = False
                since = found.resume.start()
                batches = self._client.logs(
                    container.id,
                    since_ns=since or self._since_ns,
                    tail=None if since else found.tail,
                    tty=container.tty,
                    turn=self._turn,
                )
                async with contextlib.aclosing(batches):
                    async for batch in batches:
                        sources, stamps, texts = zip(*batch, strict=True)
                        times = list(stamps)
                        skip = found.resume.take(times)
                        if skip == len(times):
                            continue
                        if found.left_ns:
                            skip = self._go_on(found, times, skip)
                            if skip == len(times):
                                continue
                        keys = found.ascending.order(times[skip:], self._logs.newest_ns)
                        origins = [numbers[source] for source in sources[skip:]]
                        rows: list[RawRow] = list(zip(keys, origins, texts[skip:], strict=True))
                        if found.marks:
                            rows = self._with_marks(found, rows)
                        await self._put(container.id, rows)
                        if self._is_lost(found, times[-1]):
                            break
        except ApiError as error:
            if error.status != 404 and not found.unreadable:
                found.unreadable = True
                self.say(
                    container.service,
                    f"the log of {sanitize(container.name)} cannot be read: "
                    f"{sanitize(error.engine_message)}",
                    container.number,
                )
        except EngineUnavailable:
            found.again = True  # the event stream says whether the engine is gone
        finally:
            self._merger.close(container.id)

    def _is_lost(self, found: _Followed, time_ns: int) -> bool:
        """Whether to read on from the stream's end; what lies between is left out then."""
        if not self._fair:
            return False
        now = asyncio.get_running_loop().time()
        found.lateness.note(self._clock() - time_ns / 1e9, now)
        late = {cid: one.lateness.at(now) for cid, one in self._followed.items()}
        if self._keep_up.is_lost(max(late.values(), default=0.0), now):
            for cid, one in self._followed.items():
                one.is_lost = late[cid] > AGAIN_SECONDS
        is_lost, found.is_lost = found.is_lost, False
        if not is_lost or found.lateness.at(now) <= AGAIN_SECONDS:
            return False
        found.lateness.leave()
        found.left_ns, found.has_gap, found.known = time_ns, True, 0
        found.resume, found.tail, found.again = Resume(whole=False), END_LINES, True
        return True

    def _go_on(self, found: _Followed, times: list[int], skip: int) -> int:
        """How many of the first lines from a stream's end were known; a mark where some were left
        out."""
        known = next((n for n, time in enumerate(times) if time > found.left_ns), len(times))
        if known:
            found.has_gap = False
        elif found.has_gap:
            text = f"left out {_time_of(found.left_ns)} to {_time_of(times[0])}: too fast"
            found.marks.append((times[0], times[0], text))
        found.known += known
        if known < len(times) or found.known > END_LINES:
            found.left_ns = 0
        return max(skip, known)

    async def _put(self, stream: ContainerId, rows: list[RawRow]) -> None:
        self._merger.put(stream, rows, asyncio.get_running_loop().time())
        self._come.set()
        while self._merger.waiting_bytes(stream) > max(
            LEAST_WAITING_BYTES, WAITING_BYTES // self._merger.stream_count
        ):
            self._room.clear()
            await self._room.wait()

    def _with_marks(self, found: _Followed, rows: list[RawRow]) -> list[RawRow]:
        """The rows, each mark before the first line that is later."""
        out: list[RawRow] = []
        last = 0
        for row in rows:
            while found.marks and found.marks[0][0] <= row[0]:
                out.append(self._mark_row(found, last, row[0]))
            out.append(row)
            last = row[0]
        return out

    def _mark_row(self, found: _Followed, after: int, before: int) -> RawRow:
        _, time_ns, text = found.marks.pop(0)
        container = found.container
        origin = Origin(container.service, "devenv", number=container.number)
        return min(max(time_ns, after), before), self._logs.number(origin), _mark(text)

    def _emit_settled_marks(self, now: float) -> None:
        """Marks of containers that have printed nothing since."""
        time_ns = int(self._clock() * 1e9)
        for stream, found in self._followed.items():
            while found.marks and found.marks[0][1] < time_ns - SETTLED_NS:
                last = found.ascending.last_ns
                row = self._mark_row(found, last, max(time_ns, last))
                found.ascending.last_ns = row[0]
                self._merger.open(stream, now)
                self._merger.put(stream, [row], now)


def _time_of(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 1_000_000_000).strftime("%H:%M:%S")


def _mark(text: str) -> bytes:
    return f"──── {text} ────".encode()
