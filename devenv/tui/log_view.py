"""Log lines on Textual's Line API: only what is on screen is rendered."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from devenv.compose.names import ServiceName
from devenv.state.logs import LogLine, LogStore
from devenv.tui.text import SERVICE_STYLES

REFRESH_SECONDS = 1 / 30
KEPT_LINES = 200_000
"""How many lines the view refers to; the store bounds the bytes."""
_DROP_LINES = 20_000


class LogView(ScrollView, can_focus=True):
    """Pulls new lines from the store thirty times a second at most, while there are any."""

    def __init__(self, logs: LogStore) -> None:
        super().__init__(id="log-view")
        self._logs = logs
        self._next = 0
        self._lines: list[LogLine] = []
        self._service: ServiceName | None = None
        self._needle = ""
        self._styles: dict[ServiceName, str] = {}
        self._label_width = 6
        self._follow = True

    def on_mount(self) -> None:
        self.set_interval(REFRESH_SECONDS, self.pull)

    def select(self, service: ServiceName | None, needle: str) -> None:
        """Show one service or all, and only lines that contain `needle` (case ignored)."""
        if (service, needle) != (self._service, self._needle):
            self._service, self._needle = service, needle.casefold()
            self._lines, self._next, self._follow = [], 0, True
            self.pull()
            self.refresh()

    def pull(self) -> None:
        """Take what has come since the last call."""
        if self._next == self._logs.next_sequence:
            return
        for line in self._logs.since(self._next):
            if self._service is not None and line.service != self._service:
                continue
            if self._needle and self._needle not in line.text.casefold():
                continue
            self._lines.append(line)
            if line.service not in self._styles:
                number = len(self._styles) % len(SERVICE_STYLES)
                self._styles[line.service] = SERVICE_STYLES[number]
                self._label_width = min(16, max(self._label_width, len(line.service)))
        self._next = self._logs.next_sequence
        if len(self._lines) > KEPT_LINES:
            del self._lines[:_DROP_LINES]
        self.virtual_size = Size(self.size.width, len(self._lines))
        if self._follow:
            self.scroll_end(animate=False, immediate=True)
        self.refresh()

    @property
    def caption(self) -> str:
        """Counts for the border."""
        parts = [f"{len(self._lines):,} lines"]
        if self._logs.dropped:
            parts.append(f"{self._logs.dropped:,} dropped")
        if self._needle:
            parts.append(f"/{self._needle}")
        if not self._follow:
            parts.append("End follows again")
        return " · ".join(parts)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._follow = new_value >= self.max_scroll_y - 1

    def render_line(self, y: int) -> Strip:
        index = self.scroll_offset.y + y
        width = self.size.width
        if not self._lines and y == 0:
            return Strip([Segment("Log lines appear here as services start.", Style(dim=True))])
        if index >= len(self._lines):
            return Strip.blank(width)
        line = self._lines[index]
        label = Text(f"{line.service[: self._label_width]:<{self._label_width}} ")
        label.stylize(self._styles.get(line.service, "cyan"))
        # A terminal row is never wider than this, whatever the line's length.
        label.append_text(Text.from_ansi(line.text[: width * 4].replace("\t", "    ")))
        segments = label.render(self.app.console, end="")
        return Strip(segments).crop(0, width)
