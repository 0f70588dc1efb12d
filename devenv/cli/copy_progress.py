"""How far a copy of volumes is: one line on a terminal that is written over, or one a volume."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TextIO

from devenv.report.tables import render_bytes
from devenv.state.text import sanitize

_REDRAW_SECONDS = 0.1


class NoProgress:
    """Says nothing: for a screen that is somebody else's."""

    def expect(self, totals: Mapping[str, int]) -> None: ...

    def begin(self, words: str, key: str) -> None: ...

    def on_bytes(self, done: int) -> None: ...

    def end(self, done: int) -> None: ...


class CopyProgress:
    """Told of each volume as it goes; says so on stderr."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._totals: Mapping[str, int] = {}
        self._key = ""
        self._stream = stream or sys.stderr
        self._shows = self._stream.isatty()
        self._drawn = 0.0
        self._began = 0.0
        self._words = ""

    def expect(self, totals: Mapping[str, int]) -> None:
        """What each volume takes on the engine, by its key, where that is known."""
        self._totals = totals

    def begin(self, words: str, key: str) -> None:
        """The next volume: such as `saving` and its key."""
        self._words, self._key = sanitize(f"{words} {key}"), key
        self._began = self._drawn = time.monotonic()

    def on_bytes(self, done: int) -> None:
        """How much of it has passed."""
        now = time.monotonic()
        if not self._shows or now - self._drawn < _REDRAW_SECONDS:
            return
        self._drawn = now
        total = self._totals.get(self._key)
        share = f" of {render_bytes(total)}" if total and total >= done else ""
        rate = render_bytes(int(done / max(now - self._began, 1e-3)))
        self._stream.write(f"\r{self._words}  {render_bytes(done)}{share}, {rate}/s\x1b[K")
        self._stream.flush()

    def end(self, done: int) -> None:
        """It is whole."""
        seconds = time.monotonic() - self._began
        self.clear()
        self._stream.write(f"{self._words}  {render_bytes(done)} in {seconds:.1f} s\n")
        self._stream.flush()

    def clear(self) -> None:
        """Take the line away that is written over."""
        if self._shows:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
