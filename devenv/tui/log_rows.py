"""Which lines of the store the log view shows, and in which rows.

Works block by block and remembers what it worked out, newest block first, a little at a time:
a filter over a million lines holds up no key.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from rich.cells import cell_len

from devenv.compose.names import ServiceName
from devenv.state.log_block import Block
from devenv.state.log_levels import Level, continues, find_level, may_be_severe
from devenv.state.log_search import Query
from devenv.state.log_traces import find_folds
from devenv.state.logs import LogStore
from devenv.values import dataclass, field, replace

WRAPPED_ROWS = 40
"""The most rows that one wrapped line gets."""
_TAB = 4


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is shown, and how it is broken into rows."""

    services: frozenset[ServiceName] | None = None
    level: Level = Level.NONE
    query: Query = field(default_factory=lambda: Query(""))
    only_matches: bool = False
    context: int = 0
    fold: bool = True
    wrap_width: int = 0
    """Columns of text; 0: lines are cropped."""


@dataclass(slots=True)
class Part:
    """What is shown of one block."""

    block: Block
    lines: Sequence[int]
    hits: array[int]
    """The lines that fit the search, of those that the filters let through."""
    folds: dict[int, list[int]]
    ends: array[int] | None
    """While wrapping: how many rows there are up to the end of each of `lines`."""

    @property
    def height(self) -> int:
        return self.ends[-1] if self.ends else len(self.lines) if self.ends is None else 0


@dataclass(frozen=True, slots=True)
class Place:
    """One line: its block and its index there."""

    block: Block
    index: int


class LogRows:
    """Rows from 0 at the oldest shown line; `update` brings them in step with the store."""

    def __init__(self, logs: LogStore) -> None:
        self._logs = logs
        self.criteria = Criteria()
        self._parts: list[Part] = []
        """Of the newest blocks, as far as they are worked out; ascending."""
        self._starts: list[int] = [0]
        self._levels: dict[int, tuple[Block, bytes]] = {}
        self._wider: dict[int, Part] = {}
        """What a search found of which the one of now is a part: nothing else can fit this one."""

    def choose(self, criteria: Criteria) -> bool:
        """Take new criteria; whether they differ."""
        before = self.criteria
        if criteria == before:
            return False
        self.criteria = criteria
        if criteria.query.narrows(before.query) and replace(criteria, query=before.query) == before:
            self._wider |= {id(part.block): part for part in self._parts}
        else:
            self._wider = {}
        self._parts = []
        return True

    def update(self, clock: Callable[[], float], seconds: float) -> bool:
        """Work out what has changed, for about so long; whether something is left to do."""
        known = {id(part.block): part for part in self._parts}
        blocks = self._logs.blocks
        parts: list[Part] = []
        deadline = clock() + seconds
        left = False
        for block in reversed(blocks):
            part = known.get(id(block))
            if part is None:
                if parts and clock() > deadline:
                    left = True
                    continue
                part = self._work_out(block)
            parts.append(part)
        parts.reverse()
        self._parts = parts
        self._starts = [0, *accumulate(part.height for part in parts)]
        if len(self._levels) > len(blocks) + 64:
            held = set(map(id, blocks))
            self._levels = {key: value for key, value in self._levels.items() if key in held}
        # Of blocks that the store has dropped nothing is kept.
        known = self._wider if left else {}
        self._wider = {key: known[key] for block in blocks if (key := id(block)) in known}
        return left

    @property
    def height(self) -> int:
        """How many rows there are."""
        return self._starts[-1]

    @property
    def line_count(self) -> int:
        """How many lines are shown."""
        return sum(len(part.lines) for part in self._parts)

    @property
    def hit_count(self) -> int:
        """How many lines fit the search."""
        return sum(len(part.hits) for part in self._parts)

    def at(self, row: int) -> tuple[Place, int] | None:
        """The line in a row, and which of its rows that is."""
        if not 0 <= row < self.height:
            return None
        number = bisect_right(self._starts, row) - 1
        part = self._parts[number]
        row -= self._starts[number]
        if part.ends is None:
            return Place(part.block, part.lines[row]), 0
        position = bisect_right(part.ends, row)
        first = part.ends[position - 1] if position else 0
        return Place(part.block, part.lines[position]), row - first

    def row_of(self, place: Place) -> int:
        """The first row of a line; of the next one shown where it is not."""
        number = next((n for n, p in enumerate(self._parts) if p.block is place.block), None)
        if number is None:
            return self._row_of_lost(place)
        return self._row_in(number, place.index)

    def _row_in(self, number: int, index: int) -> int:
        part = self._parts[number]
        position = bisect_left(part.lines, index)
        if part.ends is None:
            return self._starts[number] + position
        return self._starts[number] + (part.ends[position - 1] if position else 0)

    def _row_of_lost(self, place: Place) -> int:
        """Its block was rebuilt around late lines, or dropped: look for it by time and text."""
        found = self.find(place)
        return self.row_of(found) if found is not None else 0

    def find(self, place: Place) -> Place | None:
        """The same line in the blocks of now."""
        block, index = place.block, place.index
        time_ns, origin, text = block.times[index], block.origins[index], block.plain(index)
        times = [part.block.times[0] for part in self._parts]
        start = max(0, bisect_left(times, time_ns) - 1)
        nearest: Place | None = None
        for part in self._parts[start:]:
            other = part.block
            if other.times[0] > time_ns:
                break
            at = bisect_left(other.times, time_ns)
            while at < len(other) and other.times[at] == time_ns:
                nearest = nearest or Place(other, at)
                if other.origins[at] == origin and other.plain(at) == text:
                    return Place(other, at)
                at += 1
        return nearest

    def next_hit(self, place: Place | None, step: int) -> Place | None:
        """The next line that fits the search, or the one before; around the end once."""
        return self._next(place, step, lambda part: part.hits)

    def next_level(self, place: Place | None, step: int, level: Level) -> Place | None:
        """The next shown line of at least a level, or the one before."""

        def severe(part: Part) -> Sequence[int]:
            if level >= Level.ERROR and not may_be_severe(part.block.text):
                return ()
            levels = self._levels_of(part.block)
            return [i for i in part.lines if levels[i] >= level and not levels[i] & 0x80]

        return self._next(place, step, severe)

    def _next(
        self, place: Place | None, step: int, wanted: Callable[[Part], Sequence[int]]
    ) -> Place | None:
        parts = self._parts
        if not parts:
            return None
        here = next((n for n, p in enumerate(parts) if place and p.block is place.block), None)
        if here is None or place is None:
            here = len(parts) - 1 if step < 0 else 0
            index = len(parts[here].block) if step < 0 else -1
        else:
            index = place.index
        for moved in range(len(parts) + 1):
            part = parts[(here + step * moved) % len(parts)]
            lines = wanted(part)
            if moved == 0:
                lines = [i for i in lines if (i > index if step > 0 else i < index)]
            if lines:
                return Place(part.block, lines[0] if step > 0 else lines[-1])
        return None

    def hit_number(self, place: Place) -> int:
        """Which of the hits a line is, from 1; 0 where it is none."""
        before = 0
        for part in self._parts:
            if part.block is place.block:
                position = bisect_left(part.hits, place.index)
                here = position < len(part.hits) and part.hits[position] == place.index
                return before + position + 1 if here else 0
            before += len(part.hits)
        return 0

    def fold_of(self, place: Place) -> list[int]:
        """The further lines of the folded trace that a line stands for."""
        part = next((p for p in self._parts if p.block is place.block), None)
        return part.folds.get(place.index, []) if part is not None else []

    def places(self, first: int, last: int) -> list[Place]:
        """The lines that rows from `first` to `last` show."""
        found: list[Place] = []
        for row in range(max(0, first), min(self.height - 1, last) + 1):
            here = self.at(row)
            if here is not None and (not found or found[-1] != here[0]):
                found.append(here[0])
        return found

    def _levels_of(self, block: Block) -> bytes:
        """Each line's level; 128 more for a line that goes on with the one before."""
        known = self._levels.get(id(block))
        if known is not None and known[0] is block:
            return known[1]
        last: dict[int, int] = {}
        levels = bytearray()
        for text, origin in zip(block.text.split(b"\n"), block.origins, strict=False):
            level = int(find_level(text))
            if not level and continues(text):
                levels.append(last.get(origin, 0) | 0x80)
            else:
                last[origin] = level
                levels.append(level)
        self._levels[id(block)] = (block, bytes(levels))
        return bytes(levels)

    def _find_hits(self, block: Block) -> array[int]:
        """The lines that fit the search; where one letter more was typed, only of those before."""
        query, wider = self.criteria.query, self._wider.get(id(block))
        if wider is None or wider.block is not block:
            return query.find_lines(block)
        return query.find_lines(block, among=wider.hits)

    def _work_out(self, block: Block) -> Part:
        wanted = self.criteria
        lines: Sequence[int] = range(len(block))
        if wanted.services is not None:
            origins = self._logs.origins
            numbers = {n for n in block.counts if origins[n].service in wanted.services}
            if len(numbers) < len(block.counts):
                lines = [i for i, n in enumerate(block.origins) if n in numbers] if numbers else ()
        if wanted.level and lines:
            levels = self._levels_of(block)
            lines = [i for i in lines if levels[i] & 0x7F >= wanted.level]
        hits = self._find_hits(block) if wanted.query and lines else array("H")
        if hits and len(lines) < len(block):
            kept = set(lines)
            hits = array("H", [i for i in hits if i in kept])
        folds: dict[int, list[int]] = {}
        if wanted.query and wanted.only_matches:
            lines = _around(lines, hits, wanted.context)
        elif wanted.fold and not wanted.query and lines:
            folds = find_folds(block)
            if folds:
                hidden = {index for rest in folds.values() for index in rest}
                lines = [i for i in lines if i not in hidden]
        if len(lines) < len(block):
            lines = array("H", lines)
        ends = _measure(block, lines, wanted.wrap_width) if wanted.wrap_width else None
        return Part(block, lines, hits, folds, ends)


def _around(lines: Sequence[int], hits: array[int], context: int) -> Sequence[int]:
    """The hits, and `context` shown lines before and after each."""
    if not context:
        return hits
    wanted: set[int] = set()
    for hit in hits:
        position = bisect_left(lines, hit)
        wanted.update(lines[max(0, position - context) : position + context + 1])
    return sorted(wanted)


def _measure(block: Block, lines: Sequence[int], width: int) -> array[int]:
    """How many rows the lines take, added up."""
    ends = block.ends
    if block.text.isascii() and b"\t" not in block.text:
        sizes = [ends[i] - block.start(i) for i in lines]
    else:
        sizes = [cell_len(_start_of(block, i, width)) for i in lines]
    rows = [min(WRAPPED_ROWS, max(1, -(-size // width))) for size in sizes]
    return array("I", accumulate(rows))


def _start_of(block: Block, index: int, width: int) -> str:
    """As much of a line as can be shown."""
    raw = block.plain(index)[: width * 4 * WRAPPED_ROWS]
    return raw.decode(errors="replace").expandtabs(_TAB)
