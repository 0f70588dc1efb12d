"""Lines of several streams merged by time, and where a stream goes on after a break. Pure."""

from __future__ import annotations

from bisect import bisect_right

from devenv.state.log_block import by_time
from devenv.state.logs import RawRow
from devenv.values import dataclass, field

STEP_NS = 1_000_000_000
"""A stream whose time goes back by more than this has seen the engine's clock set back."""


ROW_BYTES = 150
"""What a line takes beside its text while it waits: tuple, numbers, the object of the text."""


def _text_bytes(rows: list[RawRow]) -> int:
    return sum(len(text) for _, _, text in rows)


@dataclass(slots=True)
class _Stream:
    heard: float
    rows: list[RawRow] = field(default_factory=list)
    size_bytes: int = 0
    """Of the texts of `rows`."""
    last: int = 0
    """The time of the newest line that came."""
    ended: bool = False


class LogMerger:
    """Takes batches of several streams and gives all lines by time.

    Each stream must be ascending in itself. A stream that has said nothing for
    `patience_seconds` is not waited for (None: waited for until it ends), so a line of it may
    then come late.
    """

    def __init__(self, patience_seconds: float | None) -> None:
        self._patience = patience_seconds
        self._streams: dict[str, _Stream] = {}

    def open(self, stream: str, now: float) -> None:
        """A stream begins; opening it again is no change."""
        found = self._streams.setdefault(stream, _Stream(now))
        found.ended = False

    def put(self, stream: str, rows: list[RawRow], now: float) -> None:
        """Lines of an open stream."""
        if rows:
            found = self._streams[stream]
            found.rows += rows
            found.size_bytes += _text_bytes(rows)
            found.last = rows[-1][0]
            found.heard = now

    def close(self, stream: str) -> None:
        """The stream says nothing more; what it has said still comes."""
        if stream in self._streams:
            self._streams[stream].ended = True

    def waiting(self, stream: str) -> int:
        """How many lines of a stream wait for others."""
        return len(self._streams[stream].rows) if stream in self._streams else 0

    def waiting_bytes(self, stream: str) -> int:
        """What lines of a stream that wait for others hold, beside their text too."""
        found = self._streams.get(stream)
        return found.size_bytes + ROW_BYTES * len(found.rows) if found is not None else 0

    @property
    def stream_count(self) -> int:
        """How many streams are open or have lines that wait."""
        return len(self._streams)

    def take(self, now: float) -> list[RawRow]:
        """What no stream that is waited for can come before, ascending in time."""
        limit: int | None = None
        for stream in self._streams.values():
            if stream.ended:
                continue
            quiet = self._patience is not None and now - stream.heard >= self._patience
            if quiet and not stream.rows:
                continue
            limit = stream.last if limit is None else min(limit, stream.last)
        taken: list[RawRow] = []
        for name, stream in list(self._streams.items()):
            count = len(stream.rows)
            if limit is not None and count and stream.rows[-1][0] > limit:
                count = bisect_right(stream.rows, limit, key=by_time)
            if count == len(stream.rows):
                taken += stream.rows
                stream.rows, stream.size_bytes = [], 0
            else:
                some = stream.rows[:count]
                taken += some
                stream.size_bytes -= _text_bytes(some)
                del stream.rows[:count]
            if stream.ended and not stream.rows:
                del self._streams[name]
        taken.sort(key=by_time)
        return taken

    @property
    def idle(self) -> bool:
        """Whether no line waits."""
        return not any(stream.rows for stream in self._streams.values())


@dataclass(slots=True)
class Resume:
    """What a container's log stream has given out, so that it goes on exactly there.

    The engine takes only a time to start from, and several lines can have the same one, or one
    that is a little older than the line before. So this holds a time of a while ago, and how
    many lines of that time or later have come since: the engine keeps its order. Only after the
    engine's clock was set back can lines come twice: their times say too little.
    """

    whole: bool = True
    """The first read was of the whole log: nothing that is older was left out."""
    since_ns: int = 0
    seen: int = 0
    """Lines not before `since_ns` that have come."""
    _next_ns: int = 0
    _next_seen: int = 0
    _highest_ns: int = 0
    _to_skip: int = 0
    last_ns: int = 0
    """The time of the last line that came."""

    def start(self) -> int | None:
        """Where to read from (None: from the beginning); the lines that came are skipped then."""
        self._to_skip = self.seen
        return self.since_ns or None

    def take(self, times: list[int]) -> int:
        """How many of the next lines came before, once their times are noted."""
        skipped = min(self._to_skip, len(times))
        self._to_skip -= skipped
        fresh = times[skipped:]
        if fresh:
            self._note(fresh)
        return skipped

    def _note(self, times: list[int]) -> None:
        lowest, highest = min(times), max(times)
        if not self.since_ns:
            slack = STEP_NS if self.whole else 0
            self.since_ns = self._next_ns = max(1, lowest - slack)
            self.seen = self._next_seen = 0
        for_now = len(times) if lowest >= self.since_ns else _count(times, self.since_ns)
        for_next = len(times) if lowest >= self._next_ns else _count(times, self._next_ns)
        self.seen += for_now
        self._next_seen += for_next
        if self.last_ns and lowest < self.last_ns - STEP_NS:
            # The clock was set back: only lines from here on are sure to be asked for again.
            self.since_ns, self.seen = lowest, _count(times, lowest)
            self._next_ns, self._next_seen = self.since_ns, self.seen
            self._highest_ns = highest
        elif highest > max(self._highest_ns, self._next_ns + STEP_NS):
            self.since_ns, self.seen = self._next_ns, self._next_seen
            self._next_ns, self._next_seen = highest, _count(times, highest)
        self._highest_ns = max(self._highest_ns, highest)
        self.last_ns = times[-1]


def _count(times: list[int], bound: int) -> int:
    return sum(1 for time in times if time >= bound)


@dataclass(slots=True)
class Ascending:
    """Makes a stream's times ascend: a line keeps its place after the one before it.

    stdout and stderr of one container may be a few microseconds out of order. After the engine's
    clock was set back by more than a second, lines stand after the newest of all until the clock
    has caught up.
    """

    last_ns: int = 0
    stepped_ns: int = 0
    """By how much the clock was set back, while that lasts."""

    def order(self, times: list[int], newest_ns: int) -> list[int]:
        """The times to sort by; `newest_ns` is the newest of all streams."""
        if not times:
            return times
        last = self.last_ns
        if not self.stepped_ns and times[0] >= last and times == sorted(times):
            self.last_ns = times[-1]
            return times
        ordered = []
        for time in times:
            if time >= last:
                self.stepped_ns = 0
                last = time
            elif time < last - STEP_NS and not self.stepped_ns:
                self.stepped_ns = last - time
                last = max(last, newest_ns)
            ordered.append(last)
        self.last_ns = last
        return ordered
