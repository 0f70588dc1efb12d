"""The log lines of an environment: bounded in bytes, oldest dropped first.

Kept apart from `State`: lines never go through the reducer. Readers ask for what came after a
sequence number, so nothing is copied for a view that is not shown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from devenv.compose.names import ServiceName
from devenv.values import dataclass

LINE_OVERHEAD_BYTES = 200
"""What one line costs beside its text."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of one container, escapes already neutralised; colours may be kept."""

    time_ns: int
    service: ServiceName
    text: str
    source: str = "stdout"
    """stdout, stderr, or `devenv` for what devenv itself says in the stream."""


class LogStore:
    """A ring of log lines in the order of their arrival batches, sorted inside each batch."""

    def __init__(self, limit_bytes: int = 128 * 1024 * 1024) -> None:
        self._limit_bytes = limit_bytes
        self._lines: deque[LogLine] = deque()
        self._first = 0
        self._size_bytes = 0
        self._waiting: list[Callable[[], None]] = []

    @property
    def next_sequence(self) -> int:
        """The sequence number that the next line will get."""
        return self._first + len(self._lines)

    @property
    def dropped(self) -> int:
        """How many lines the byte limit has pushed out so far."""
        return self._first

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def append(self, lines: Iterable[LogLine]) -> None:
        """Add a batch, sorted by time; lines of equal time keep their order."""
        for line in sorted(lines, key=lambda line: line.time_ns):
            self._lines.append(line)
            self._size_bytes += len(line.text) + LINE_OVERHEAD_BYTES
        while self._size_bytes > self._limit_bytes and len(self._lines) > 1:
            gone = self._lines.popleft()
            self._size_bytes -= len(gone.text) + LINE_OVERHEAD_BYTES
            self._first += 1
        waiting, self._waiting = self._waiting, []
        for wake in waiting:
            wake()

    def wake_once(self, wake: Callable[[], None]) -> None:
        """Call `wake` after the next batch, once; a reader that has caught up asks for it."""
        self._waiting.append(wake)

    def since(self, sequence: int) -> Iterator[LogLine]:
        """The lines from `sequence` on that are still held."""
        held = self.next_sequence - max(sequence, self._first)
        if held <= 0:
            return iter(())
        newest_first = list(islice(reversed(self._lines), held))
        return reversed(newest_first)

    def tail(self, service: ServiceName, count: int) -> tuple[LogLine, ...]:
        """The last `count` lines of one service, oldest first."""
        found = list(
            islice((line for line in reversed(self._lines) if line.service == service), count)
        )
        return tuple(reversed(found))
