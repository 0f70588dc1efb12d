"""Rows of the log view as strips: time, service, mark, text. Keeps those that are in view."""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.strip import Strip

from devenv.state.log_search import Query
from devenv.state.logs import LogStore
from devenv.tui.log_render import (
    BYTES_PER_CELL,
    TIME_WIDTHS,
    TimeMode,
    render_label,
    render_message,
    render_time,
)
from devenv.tui.log_rows import WRAPPED_ROWS, Place
from devenv.tui.text import SERVICE_STYLES
from devenv.values import dataclass

_LABEL_WIDTH = 16
_LEAST_LABEL_WIDTH = 6
_KEPT_ROWS = 150


@dataclass(frozen=True, slots=True)
class Look:
    """What all rows have in common."""

    width: int
    times: TimeMode
    now: float
    """For ages, seconds since the epoch."""
    start_ns: int
    query: Query
    wrap_width: int
    """Columns of text; 0: lines are cropped."""
    colours: bool


class LogStrips:
    """Draws rows; one that looks as it did is not drawn again."""

    def __init__(self, logs: LogStore) -> None:
        self._logs = logs
        self._label_styles: dict[str, str] = {}
        self._label_width = _LEAST_LABEL_WIDTH
        self._origins_seen = 0
        self._kept: dict[tuple[object, ...], Strip] = {}

    def forget(self) -> None:
        """All rows are to be drawn anew."""
        self._kept.clear()

    def name_services(self) -> None:
        """Give services that are new their colours, and all labels the width of the longest."""
        for origin in self._logs.origins[self._origins_seen :]:
            label = origin.label
            if label not in self._label_styles:
                style = SERVICE_STYLES[len(self._label_styles) % len(SERVICE_STYLES)]
                self._label_styles[label] = style
                width = max(self._label_width, min(_LABEL_WIDTH, cell_len(label)))
                if width != self._label_width:
                    self._label_width = width
                    self.forget()
        self._origins_seen = len(self._logs.origins)

    def head_width(self, times: TimeMode) -> int:
        """How many columns stand before the text."""
        time_width = TIME_WIDTHS[times]
        return self._label_width + 1 + (time_width + 1 if time_width else 0)

    def draw(
        self,
        console: Console,
        look: Look,
        place: Place,
        *,
        part: int,
        folded: int,
        marked: bool,
        under: Style,
    ) -> Strip:
        """A row in its full width. `part`: which of a wrapped line's rows; `folded`: how many
        lines of a trace it stands for besides; `under`: the style below its own."""
        block, index = place.block, place.index
        cells = look.width * (WRAPPED_ROWS if look.wrap_width else 1)
        whole = block.styled.get(index) or block.plain(index)
        raw = whole[: cells * BYTES_PER_CELL]
        time_ns, number = block.times[index], block.origins[index]
        key = (time_ns, number, raw, len(whole), part, folded, marked, under)
        strip = self._kept.get(key)
        if strip is None:
            if len(self._kept) >= _KEPT_ROWS:
                self._kept.clear()
            text = _plain_text(raw, look, folded)
            origin = self._logs.origins[number]
            room = look.width - self.head_width(look.times)
            if part or text is None or room < 1 or origin.source == "devenv":
                strip = self._draw_any(console, look, place, whole, part, folded, marked, under)
            else:
                segments = [
                    *self._head(look, time_ns, origin.label, marked, under),
                    Segment(text[: look.wrap_width or room].ljust(room), under),
                ]
                strip = Strip(segments, look.width)
            self._kept[key] = strip
        return strip

    def _head(
        self, look: Look, time_ns: int, label: str, marked: bool, under: Style
    ) -> list[Segment]:
        parts = [
            (render_label(label, self._label_width), self._label_styles[label]),
            ("●" if marked else " ", "bold yellow"),
        ]
        if TIME_WIDTHS[look.times]:
            stamp = render_time(time_ns, look.times, look.now, look.start_ns)
            parts.insert(0, (f"{stamp} ", "dim"))
        return [Segment(text, _combine(under, style)) for text, style in parts]

    def _draw_any(
        self,
        console: Console,
        look: Look,
        place: Place,
        whole: bytes,
        part: int,
        folded: int,
        marked: bool,
        under: Style,
    ) -> Strip:
        """Of a line with colours, matches, JSON, or further rows."""
        block, index = place.block, place.index
        origin = self._logs.origins[block.origins[index]]
        # Without colours a coloured background would hide the text that it is behind.
        message = render_message(
            whole,
            look.width * (WRAPPED_ROWS if look.wrap_width else 1),
            look.query,
            colours=look.colours,
            folded=folded,
        )
        if origin.source == "devenv":
            message.stylize("dim")
        body = Strip(message.render(console))
        head_width = self.head_width(look.times)
        if step := look.wrap_width:
            body = body.crop(part * step, (part + 1) * step)
        if part:
            left = Strip.blank(head_width)
        else:
            time_ns = block.times[index]
            segments = self._head(look, time_ns, origin.label, marked, Style.null())
            left = Strip(segments).adjust_cell_length(head_width)
        return Strip.join([left, body]).adjust_cell_length(look.width).apply_style(under)


def _plain_text(raw: bytes, look: Look, folded: int) -> str | None:
    """The text of a line that needs no more than to be written; None of any other."""
    if look.query or folded or raw[:1] == b"{" or not raw.isascii():
        return None
    text = raw.decode("ascii")
    return text if text.isprintable() else None


@lru_cache(256)
def _combine(under: Style, words: str) -> Style:
    return under + Style.parse(words)


def render_hint(console: Console, words: str, width: int, style: Style) -> Strip:
    """What stands where there is no line."""
    hint = Text(words, style="dim", end="")
    return Strip(hint.render(console)).adjust_cell_length(width).apply_style(style)
