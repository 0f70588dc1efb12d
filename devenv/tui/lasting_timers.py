"""One-shot timers that always fire."""

from __future__ import annotations

from textual.message_pump import MessagePump
from textual.timer import Timer, TimerCallback


class LastingTimers(MessagePump):
    """Textual 8.2 drops a one-shot timer whose time has passed before its first look at the clock.

    On a busy machine that happens to short ones: the app's own, of 8 ms, after which it takes a new
    size, was lost, and with it every later size of the terminal.
    """

    def set_timer(
        self,
        delay: float,
        callback: TimerCallback | None = None,
        *,
        name: str | None = None,
        pause: bool = False,
    ) -> Timer:
        timer = super().set_timer(delay, callback, name=name, pause=pause)
        timer._skip = False  # no public way: its task looks at it first in the next turn
        return timer
