"""A view on Textual's Line API whose number of lines changes many times a second."""

from __future__ import annotations

from textual.geometry import Size
from textual.scroll_view import ScrollView

_BAR_STEPS = 8
"""How finely a scroll bar is drawn, for each of its rows. Source: Textual's ScrollBar."""


class LineView(ScrollView):
    """Lines that come are no new layout of the screen, and move the bar only where that shows."""

    def resize_lines(self, count: int) -> None:
        """There are `count` lines now, as wide as the view."""
        size, before = Size(self.size.width, count), self.virtual_size
        if size == before:
            return
        has_bar = count > self.size.height
        if size.width == before.width and before.height and has_bar == self.show_vertical_scrollbar:
            self.set_reactive(ScrollView.virtual_size, size)
            self.scroll_y = self.validate_scroll_y(self.scroll_y)
            self._move_bar()
        else:
            self.virtual_size = size

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        self._move_bar()
        if round(old_value) != round(new_value):
            self.refresh(self.size.region)

    def _move_bar(self) -> None:
        if not self.show_vertical_scrollbar:
            return
        bar, height = self.vertical_scrollbar, self.size.height
        lines, drawn = max(1, self.virtual_size.height), max(1, bar.window_virtual_size)
        moved = abs(self.scroll_y / lines - bar.position / drawn)
        grown = abs(height / lines - height / drawn)
        if max(moved, grown) * height * _BAR_STEPS >= 1:
            bar.window_virtual_size = lines
            bar.position = self.scroll_y
