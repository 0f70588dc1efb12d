"""The app's first screen: how often it is drawn, and by which compositor."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Any

from textual.screen import Screen

from devenv.tui.compositor import FrontCompositor

REPAINTS = 30
"""How often a second the screen is drawn at most, whatever changes on it."""


class _Repaints:
    """Stands for Textual's timer of a screen: draws at once, or as soon as REPAINTS allows.

    Textual's own lets what changes just after a repaint wait for up to two of its periods.
    """

    def __init__(self, screen: FrontScreen) -> None:
        self._screen = screen
        self._drawn_at = float("-inf")
        self._waiting: asyncio.TimerHandle | None = None
        self._asked = False

    def resume(self) -> None:
        """Something is to be drawn."""
        if self._waiting is None and not self._asked:
            wait = max(0.0, self._drawn_at + 1 / REPAINTS - perf_counter())
            self._waiting = asyncio.get_running_loop().call_later(wait, self._ask)

    def pause(self) -> None:
        """Nothing is to be drawn any more."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _ask(self) -> None:
        self._waiting, self._asked = None, True
        self._screen.call_next(self._draw)

    def _draw(self) -> None:
        self._asked = False
        self._drawn_at = perf_counter()
        if not self._screen.app._exit:  # the terminal may be gone, and takes no more
            self._screen._on_timer_update()


class FrontScreen(Screen[object]):
    """A screen that is drawn thirty times a second at most, and only where it has changed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._compositor = FrontCompositor()  # no public way to have another one
        self._repaints = _Repaints(self)

    @property
    def _update_timer(self) -> Any:
        return self._repaints
