"""When the user pressed a key last: what can wait waits for the answer to it to be on screen."""

from __future__ import annotations

from time import perf_counter

ANSWER_SECONDS = 0.1
"""How long after a key nothing else is drawn."""
MOST_SECONDS = 0.5
"""How long drawing waits at most, however fast keys come."""


class Attention:
    """Shared by the app, which notes keys, and by views that draw what nobody asked for."""

    def __init__(self) -> None:
        self._key_at = float("-inf")

    def note_key(self) -> None:
        """A key has just come."""
        self._key_at = perf_counter()

    def wait_seconds(self, drawn_at: float) -> float:
        """How long a view that was drawn at `drawn_at` (by perf_counter) is to wait; 0: not."""
        now = perf_counter()
        if now - drawn_at >= MOST_SECONDS:
            return 0.0
        return max(0.0, self._key_at + ANSWER_SECONDS - now)
