"""The log lines of an environment: ordered by time, bounded in bytes, oldest dropped in blocks.

Kept apart from `State`: lines never go through the reducer. Views read the blocks, which are
immutable, so nothing is copied for a view that is not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from devenv.compose.names import ServiceName
from devenv.state.build_logs import BuildLogs
from devenv.state.log_block import (
    BLOCK_BYTES,
    Block,
    Row,
    build_block,
    by_time,
    cut_rows,
    make_rows,
)
from devenv.values import dataclass

RawRow = tuple[int, int, bytes]
"""Time in ns, number of the origin, the line as the engine gave it."""

ENGINE = ServiceName("engine")
"""The name under which devenv says that the engine is gone or back."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where lines come from: one stream of one container."""

    service: ServiceName
    source: str = "stdout"
    """stdout, stderr, or `devenv` for what devenv itself says in the stream."""
    container: str = ""
    """The container's id; empty where devenv itself speaks."""
    number: int = 1
    """The replica."""

    @property
    def label(self) -> str:
        """The service's name, with the replica's number from the second on."""
        return f"{self.service}-{self.number}" if self.number > 1 else self.service


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line, escapes already neutralised; colours may be kept."""

    time_ns: int
    service: ServiceName
    text: str
    source: str = "stdout"
    number: int = 1


class LogStore:
    """Blocks of log lines by time; lines of equal time stay in the order of their arrival.

    With `arrivals` it keeps no blocks, only what a printer has not taken yet.
    """

    def __init__(self, limit_bytes: int = 128 * 1024 * 1024, *, arrivals: bool = False) -> None:
        self._limit_bytes = limit_bytes
        self._block_bytes = min(BLOCK_BYTES, limit_bytes // 32)
        self.blocks: list[Block] = []
        """Ascending in time; readers must not change it."""
        self.origins: list[Origin] = []
        self._numbers: dict[Origin, int] = {}
        self._open: list[Row] = []
        """The rows of the last block, which may still grow."""
        self.size_bytes = 0
        self.line_count = 0
        self.dropped = 0
        """How many lines the byte limit has pushed out so far."""
        self.received = 0
        """How many lines have ever come."""
        self.version = 0
        """Differs after every change."""
        self.history_wanted: Callable[[int], None] | None = None
        """Asks the engine for lines around a time and before; set by who follows the engine."""
        self.hold_seconds: Callable[[float], float] = lambda since: 0.0
        """How long whoever reads lines, and last did so at a time by perf_counter, is to leave the
        processor to the answer to a key; set by a view."""
        self.history_busy = False
        self.complete_since_ns = 0
        """From this time on all lines that the engine has are held; 0: all there are."""
        self._waiting: list[Callable[[], None]] = []
        self._arrivals: list[RawRow] | None = [] if arrivals else None
        self._newest_ns = 0
        self.builds = BuildLogs()
        """The output of the watch's builds."""

    def number(self, origin: Origin) -> int:
        """The number by which rows name an origin."""
        found = self._numbers.get(origin)
        if found is None:
            found = self._numbers[origin] = len(self.origins)
            self.origins.append(origin)
        return found

    @property
    def room_bytes(self) -> int:
        """How much more fits before the oldest lines are dropped."""
        return max(0, self._limit_bytes - self.size_bytes)

    @property
    def newest_ns(self) -> int:
        """The time of the newest line; 0 where there is none."""
        return self._newest_ns

    @property
    def oldest_ns(self) -> int:
        """The time of the oldest line; 0 where there is none."""
        return self.blocks[0].times[0] if self.blocks else 0

    def append(self, lines: Iterable[LogLine]) -> None:
        """Add lines of devenv's own or of a test."""
        rows = []
        for line in lines:
            origin = Origin(line.service, line.source, number=line.number)
            text = line.text.encode(errors="replace")
            rows.append((line.time_ns, self.number(origin), text))
        self.append_rows(rows)

    def append_rows(self, raw: Sequence[RawRow]) -> None:
        """Add lines in any order; each goes to its place in time.

        Where they are too many, the oldest go: an eighth of the limit at once, so that lines
        read again from the engine have room for a while.
        """
        self.received += len(raw)
        if self._arrivals is not None:
            self._arrivals += raw
            if raw:
                self._newest_ns = max(self._newest_ns, raw[-1][0])
        elif raw:
            times, numbers, texts = zip(*raw, strict=True)
            rows = make_rows(numbers, times, list(texts))
            rows.sort(key=by_time)
            self._newest_ns = max(self._newest_ns, rows[-1][0])
            self._insert(rows)
            self._drop()
        self.changed()

    def changed(self) -> None:
        """Wake who waits."""
        self.version += 1
        waiting, self._waiting = self._waiting, []
        for wake in waiting:
            wake()

    def _insert(self, rows: list[Row]) -> None:
        """Put sorted rows into their places; late ones rebuild the blocks that they fall into."""
        blocks = self.blocks
        self.line_count += len(rows)
        end = len(rows)
        index = len(blocks) - 1
        while index >= 0 and rows[0][0] < blocks[index].times[0]:
            index -= 1
        # All blocks before `index` are older than the first row.
        last = len(blocks) - 1
        first = max(index, 0)
        start = 0
        replaced: list[Block] = []
        for at in range(first, last):
            bound = blocks[at + 1].times[0]
            stop = start
            while stop < end and rows[stop][0] < bound:
                stop += 1
            if stop == start:
                replaced.append(blocks[at])
                continue
            merged = [*blocks[at].rows(), *rows[start:stop]]
            merged.sort(key=by_time)
            replaced += self._build(merged, blocks[at])
            start = stop
        if start < end:
            late = self._open and rows[start][0] < self._open[-1][0]
            old = blocks[last] if blocks else None
            self._open += rows[start:]
            if late:
                self._open.sort(key=by_time)
            *full, rest = cut_rows(self._open, self._block_bytes)
            replaced += self._build([row for part in full for row in part], old)
            self._open = list(rest)
            replaced += self._build(self._open, None)
        elif blocks:
            replaced.append(blocks[last])
        blocks[first:] = replaced

    def _build(self, rows: Sequence[Row], instead: Block | None) -> list[Block]:
        built = [build_block(part) for part in cut_rows(rows, self._block_bytes)]
        self.size_bytes += sum(block.size_bytes for block in built)
        if instead is not None:
            self.size_bytes -= instead.size_bytes
        return built

    def _drop(self) -> None:
        gone = 0
        if self.size_bytes <= self._limit_bytes:
            return
        while self.size_bytes > self._limit_bytes * 7 // 8 and gone < len(self.blocks) - 1:
            self.size_bytes -= self.blocks[gone].size_bytes
            self.dropped += len(self.blocks[gone])
            self.line_count -= len(self.blocks[gone])
            gone += 1
        if gone:
            del self.blocks[:gone]
            self.complete_since_ns = max(self.complete_since_ns, self.oldest_ns)

    def wake_once(self, wake: Callable[[], None]) -> None:
        """Call `wake` after the next batch, once; a reader that has caught up asks for it."""
        self._waiting.append(wake)

    def count_of(self, container: str) -> int:
        """How many of the lines held are a container's."""
        numbers = [n for n, origin in enumerate(self.origins) if origin.container == container]
        return sum(block.counts[number] for block in self.blocks for number in numbers)

    def take_arrivals(self) -> list[RawRow]:
        """The lines that came since the last call, late ones where they came."""
        rows, self._arrivals = self._arrivals or [], []
        return rows

    def line(self, block: Block, index: int) -> LogLine:
        """One line, with its colours."""
        text = block.styled.get(index) or block.plain(index)
        origin = self.origins[block.origins[index]]
        shown = text.decode(errors="replace")
        return LogLine(block.times[index], origin.service, shown, origin.source, origin.number)

    def lines(self) -> Iterator[LogLine]:
        """All lines held, oldest first."""
        for block in list(self.blocks):
            for index in range(len(block)):
                yield self.line(block, index)
