"""Log lines on Textual's Line API: only what is on screen is rendered."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from devenv.compose.names import ServiceName
from devenv.state.logs import LogLine, LogStore
from devenv.state.text import sanitize
from devenv.tui.text import SERVICE_STYLES

REFRESH_SECONDS = 1 / 30
_LABEL_WIDTH = 16
_BYTES_PER_CELL = 16
"""How much of a line is looked at for each column: text and its colour sequences."""
_CACHED_ROWS = 500
_WRAPPED_ROWS = 40
"""The most rows that one wrapped line gets."""


class LogView(ScrollView, can_focus=True):
    """Pulls new lines from the store thirty times a second at most, and nothing while none come.

    It refers to lines that the store still holds and forgets those that the store has dropped,
    so the store's byte limit bounds both.
    """

    class Pulled(Message):
        """The counts differ, or following began or ended."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LogView.Pulled)

    def __init__(self, logs: LogStore) -> None:
        super().__init__(id="log-view")
        self._logs = logs
        self._next = 0
        self._lines: list[LogLine] = []
        self._sequences = array("Q")
        """The store's number of each line in `_lines`, ascending."""
        self._service: ServiceName | None = None
        self._needle = ""
        self._styles: dict[ServiceName, str] = {}
        self._label_width = 6
        self._following = True
        self._moving = False
        self._wrap = False
        self._ends = array("Q")
        """While wrapping: where each line's rows end, counted from before the lines now gone."""
        self._rows_gone = 0
        self._measured_width = 0
        self._rows: dict[int, Strip] = {}
        self._rows_width = 0

    def on_mount(self) -> None:
        self._pull_and_wait()

    def _wake(self) -> None:
        # The store is filled outside the app: only a message may go in from there.
        self.call_later(self._pull_soon)

    def _pull_soon(self) -> None:
        self.set_timer(REFRESH_SECONDS, self._pull_and_wait)

    def _pull_and_wait(self) -> None:
        self._logs.wake_once(self._wake)
        self.pull()

    @property
    def allow_vertical_scroll(self) -> bool:
        """As soon as there are lines. Textual's own waits for the scroll bar, which comes with a
        later layout, and until then drops what the user scrolls."""
        return self.max_scroll_y > 0

    def select(self, service: ServiceName | None, needle: str) -> None:
        """Show one service or all, and only lines that contain `needle` (case ignored)."""
        if (service, needle) == (self._service, self._needle):
            return
        self._service, self._needle = service, needle
        self._lines, self._sequences, self._next = [], array("Q"), 0
        self._ends, self._rows_gone = array("Q"), 0
        self._following = True
        self._take_new()

    def follow(self) -> None:
        """Go to the newest line and stay there."""
        self._following = True
        self._place(0)
        self.post_message(self.Pulled())

    def toggle_wrap(self) -> None:
        """Wrap long lines, or crop them again; the line at the top stays."""
        top = self._line_at(int(self.scroll_y))[0]
        self._wrap = not self._wrap
        self._measure()
        self._place(0)
        if not self._following:
            wrapped = self._wrap and 0 < top <= len(self._ends)
            self.scroll_to(y=self._ends[top - 1] if wrapped else top, animate=False, force=True)

    def _measure(self) -> None:
        """Count the rows of all lines anew: the width or the wrapping has changed."""
        self._rows_width, self._ends, self._rows_gone = self.size.width, array("Q"), 0
        self._measured_width = self._text_width
        self._measure_new()

    def _measure_new(self) -> None:
        """Count the rows of the lines that are not counted yet."""
        self._rows.clear()
        if not self._wrap:
            return
        width = self._measured_width
        total = self._ends[-1] if self._ends else self._rows_gone
        for line in self._lines[len(self._ends) :]:
            cells = cell_len(_plain(line.text[: width * _WRAPPED_ROWS]).expandtabs(4))
            total += min(_WRAPPED_ROWS, max(1, -(-cells // width)))
            self._ends.append(total)

    @property
    def _text_width(self) -> int:
        return max(10, self.size.width - self._label_width - 1)

    def _line_at(self, row: int) -> tuple[int, int]:
        """The line shown in a row, and which of its rows that is."""
        if not self._wrap:
            return row, 0
        row += self._rows_gone
        index = bisect_right(self._ends, row)
        return index, row - (self._ends[index - 1] if index else self._rows_gone)

    def pull(self) -> None:
        """Take what has come since the last call."""
        if self._next != self._logs.next_sequence:
            self._take_new()

    def _take_new(self) -> None:
        first = self._next = max(self._next, self._logs.dropped)
        needle = self._needle.lower()
        for sequence, line in enumerate(self._logs.since(first), start=first):
            if self._service is not None and line.service != self._service:
                continue
            if needle and needle not in _plain(line.text).lower():
                continue
            self._lines.append(line)
            self._sequences.append(sequence)
            if line.service not in self._styles:
                number = len(self._styles) % len(SERVICE_STYLES)
                self._styles[line.service] = SERVICE_STYLES[number]
                width = min(_LABEL_WIDTH, cell_len(sanitize(line.service)))
                self._label_width = max(self._label_width, width)
        self._next = self._logs.next_sequence
        gone = bisect_left(self._sequences, self._logs.dropped)
        gone_rows = gone
        if self._wrap:
            self._measure_new()
            if gone:
                gone_rows = self._ends[gone - 1] - self._rows_gone
                self._rows_gone = self._ends[gone - 1]
                del self._ends[:gone]
        del self._lines[:gone], self._sequences[:gone]
        self._rows.clear()
        if self._wrap and self._measured_width != self._text_width:
            self._measure()
        self._place(gone_rows)
        self.post_message(self.Pulled())

    def _place(self, gone: int) -> None:
        """Follow the end; else keep the same lines in view though `gone` lines above are lost."""
        self._moving = True
        try:
            rows = len(self._lines)
            if self._wrap:
                rows = self._ends[-1] - self._rows_gone if self._ends else 0
            self.virtual_size = Size(self.size.width, rows)
            if self._following:
                self.scroll_to(y=self.max_scroll_y, animate=False, force=True)
            elif gone:
                self.scroll_to(y=max(0.0, self.scroll_y - gone), animate=False, force=True)
        finally:
            self._moving = False
        self.refresh()

    @property
    def caption(self) -> str:
        """Counts for the border."""
        count = len(self._lines)
        parts = [f"{count:,} line{'' if count == 1 else 's'}"]
        if self._logs.dropped:
            parts.append(f"{self._logs.dropped:,} dropped")
        if self._needle:
            parts.append(f"/{sanitize(self._needle)}")
        parts.append("following" if self._following else "f follows")
        return " · ".join(parts)

    def on_resize(self) -> None:
        if self._rows_width != self.size.width:
            self._measure()
        self._place(0)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        following = new_value >= self.max_scroll_y
        if not self._moving and following != self._following:
            self._following = following
            self.post_message(self.Pulled())

    def render_line(self, y: int) -> Strip:
        index, part = self._line_at(self.scroll_offset.y + y)
        width = self.size.width
        style = self.rich_style
        if not self._lines and y == 0:
            hint = Text(self._empty_text(), style="dim", end="")
            blank = Strip(hint.render(self.app.console)).adjust_cell_length(width)
            return blank.apply_style(style)
        if index >= len(self._lines):
            return Strip.blank(width, style)
        if len(self._rows) > _CACHED_ROWS:
            self._rows.clear()
        row = self.scroll_offset.y + y
        strip = self._rows.get(row) or self._render_row(self._lines[index], part, width)
        self._rows[row] = strip
        return strip.apply_style(style)

    def _render_row(self, line: LogLine, part: int, width: int) -> Strip:
        text = self._render_text(line, width * (_WRAPPED_ROWS if self._wrap else 1))
        strip = Strip(text.render(self.app.console))
        if not self._wrap:
            return strip.adjust_cell_length(width)
        label, step = self._label_width + 1, self._text_width
        head = strip.crop(0, label) if part == 0 else Strip.blank(label)
        body = strip.crop(label + part * step, label + (part + 1) * step)
        return Strip.join([head, body]).adjust_cell_length(width)

    def _empty_text(self) -> str:
        if self._needle:
            return "No line contains the filter. Escape clears it."
        if self._service is not None:
            return "This service's log lines appear here. u starts it, Escape shows all."
        return "Log lines of all services appear here. u starts them."

    def _render_text(self, line: LogLine, width: int) -> Text:
        label = set_cell_size(sanitize(line.service).replace("\n", " "), self._label_width)
        text = Text(end="", no_wrap=True)
        text.append(f"{label} ", self._styles.get(line.service, "cyan"))
        # Without colours a coloured background would hide the text that it is behind.
        keep = not self.app.no_color
        cut = sanitize(line.text[: width * _BYTES_PER_CELL], keep_colours=keep)
        message = Text.from_ansi(cut.replace("\n", " ").expandtabs(4))
        if self._needle:
            message.highlight_words([self._needle], "reverse", case_sensitive=False)
        return text.append_text(message)


def _plain(text: str) -> str:
    return sanitize(text) if "\x1b" in text else text
