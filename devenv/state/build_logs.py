"""What the watch's builds print: a bounded text for each, outside of the state."""

from __future__ import annotations

from collections import deque

LIMIT_BYTES = 4 * 1024 * 1024
"""For all builds together, after which the oldest build is forgotten."""
LIMIT_LINES = 5_000
"""For one build, after which its first lines are dropped."""


class BuildLogs:
    """Lines by the number of the activity that builds, as `state.watch.Activity` has it."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._lines: dict[int, deque[str]] = {}
        self._dropped: dict[int, int] = {}
        self.size_bytes = 0
        self.version = 0
        """Differs after every change."""

    def append(self, number: int, line: str) -> None:
        """Add a harmless line to a build's text."""
        lines = self._lines.setdefault(number, deque())
        lines.append(line)
        self.size_bytes += len(line)
        self.version += 1
        if len(lines) > LIMIT_LINES:
            self._drop_first(number)
        while self.size_bytes > self._limit_bytes:
            oldest = next(iter(self._lines))
            if oldest == number:
                self._drop_first(number)
            else:
                self.size_bytes -= sum(map(len, self._lines.pop(oldest)))
                self._dropped.pop(oldest, None)

    def lines(self, number: int) -> tuple[str, ...]:
        """What is kept of a build's output."""
        return tuple(self._lines.get(number, ()))

    def dropped(self, number: int) -> int:
        """How many of its first lines are not."""
        return self._dropped.get(number, 0)

    def _drop_first(self, number: int) -> None:
        self.size_bytes -= len(self._lines[number].popleft())
        self._dropped[number] = self._dropped.get(number, 0) + 1
