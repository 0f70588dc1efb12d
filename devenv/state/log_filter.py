"""Which lines of a merged log are wanted, with lines of context around them, as grep has it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, TypeVar

from devenv.state.log_levels import Level, continues, find_level
from devenv.values import dataclass, field

T = TypeVar("T")


@dataclass(slots=True)
class LineFilter(Generic[T]):
    """Takes lines in order and gives those that are wanted, each once; None between two groups.

    A line is wanted where its text fits `pattern` (`invert`: does not) and its level is at least
    `level`; a line that goes on with the one before has that one's level.
    """

    pattern: re.Pattern[str] | None = None
    invert: bool = False
    level: Level = Level.NONE
    context: int = 0
    matched: int = 0
    """How many lines were wanted for themselves."""
    _levels: dict[Hashable, Level] = field(default_factory=dict)
    _before: deque[T] = field(default_factory=deque)
    _after: int = 0
    _left_out: bool = False
    """A line was left out since the last one given."""

    def take(self, lines: Iterable[tuple[T, Hashable, str]]) -> Iterator[T | None]:
        """Lines with the stream that each belongs to and its plain text."""
        for line, stream, text in lines:
            if self._wants(stream, text):
                self.matched += 1
                if self._left_out and self.context and self.matched > 1:
                    yield None
                self._left_out = False
                yield from self._before
                self._before.clear()
                yield line
                self._after = self.context
            elif self._after:
                self._after -= 1
                yield line
            elif self.context:
                self._before.append(line)
                if len(self._before) > self.context:
                    self._before.popleft()
                    self._left_out = True
            else:
                self._left_out = True

    def _wants(self, stream: Hashable, text: str) -> bool:
        if self.level:
            level = find_level(text[:400].encode(errors="replace"))
            if level is Level.NONE and continues(text[:400].encode(errors="replace")):
                level = self._levels.get(stream, Level.NONE)
            self._levels[stream] = level
            if level < self.level:
                return False
        if self.pattern is None:
            return True
        return (self.pattern.search(text) is not None) != self.invert
