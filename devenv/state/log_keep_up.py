"""When a stream says more than can be taken: whether to go on from what it says now. Pure.

A view that takes every line of a flood falls behind for good: after a minute it shows what was
said half a minute ago. So a stream that stays behind is read on from its end, again and again
while the flood lasts.
"""

from __future__ import annotations

from devenv.values import dataclass

BEHIND_SECONDS = 2.0
"""A stream that is less late than this is in time."""
PATIENCE_SECONDS = 3.0
"""How long a stream may stay behind without getting nearer until it is read on from its end."""
AGAIN_SECONDS = 1.0
"""How late it may be after that, for as long as PATIENCE_SECONDS lie between two times."""
FRESH_SECONDS = 1.0
"""How long it counts how late a stream was."""


@dataclass(slots=True)
class Lateness:
    """How late one stream is, held against the least there was: clocks of engines differ."""

    _seconds: float = 0.0
    _noted_at: float = float("-inf")
    _least: float | None = None
    _is_first: bool = False
    """Nothing has come since it was read on from its end."""

    def note(self, age: float, now: float) -> None:
        """A batch has come. `age`: seconds from its last line's time, by the engine's clock, to
        now by this machine's; `now`: seconds of a clock that only goes on."""
        if self._least is None or age < self._least or self._is_first:
            # Late at its very end: the engine's clock was set back.
            self._least = age
        self._is_first = False
        self._seconds, self._noted_at = age - self._least, now

    def at(self, now: float) -> float:
        """Seconds; a stream from which nothing comes is not late."""
        return self._seconds if now - self._noted_at < FRESH_SECONDS else 0.0

    def leave(self) -> None:
        """The stream is read on from its end."""
        self._seconds, self._is_first = 0.0, True


@dataclass(slots=True)
class KeepUp:
    """Decides for streams that are merged by time: the latest one holds up all others."""

    _since: float | None = None
    """From when on one has been behind."""
    _late: float = 0.0
    """How late it was then."""
    _left_at: float = float("-inf")
    """When streams were last read on from their ends."""

    def is_lost(self, late: float, now: float) -> bool:
        """Whether all that are late are to be read on from their ends.

        `late`: seconds of the latest one; `now`: seconds of a clock that only goes on.
        """
        if now - self._left_at < PATIENCE_SECONDS and late > AGAIN_SECONDS:
            return self._leave(now)
        if late <= BEHIND_SECONDS:
            self._since = None
        elif self._since is None:
            self._since, self._late = now, late
        elif now - self._since >= PATIENCE_SECONDS:
            if late >= self._late:
                return self._leave(now)
            self._since, self._late = now, late
        return False

    def _leave(self, now: float) -> bool:
        self._left_at, self._since = now, None
        return True
