"""A table on Textual's Line API: only what is in view is rendered, only what differs is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from devenv.tui.stats_columns import Column, render_row
from devenv.tui.stats_rows import StatsRow


class StatsTable(ScrollView, can_focus=True):
    """Shows rows; holds no more than it was given last."""

    def __init__(self) -> None:
        super().__init__(id="stats-table")
        self._rows: Sequence[StatsRow] = ()
        self._columns: Sequence[Column] = ()

    def show(self, rows: Sequence[StatsRow], columns: Sequence[Column]) -> None:
        """Take new rows; lines that are as before are not drawn."""
        before, self._rows = self._rows, rows
        moved = columns != self._columns or len(rows) != len(before)
        self._columns = columns
        if not moved:
            for y, (old, new) in enumerate(zip(before, rows, strict=True)):
                if old != new:
                    self.refresh_line(y)
            return
        self.virtual_size = Size(self.size.width, len(rows))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        row = int(self.scroll_offset.y) + y
        width, style = self.size.width, self.rich_style
        if row >= len(self._rows):
            return Strip.blank(width, style)
        cells = render_row(self._rows[row], self._columns)
        segments = [Segment(text, _combine(style, words)) for text, words in cells]
        return Strip(segments).adjust_cell_length(width, style)


@lru_cache(256)
def _combine(base: Style, words: str) -> Style:
    return base + Style.parse(words) if words else base
