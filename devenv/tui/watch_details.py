"""One activity of the watch in full, with its build's output; grows while it is under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from devenv.state.build_logs import BuildLogs
from devenv.state.watch import Activity
from devenv.tui.watch_text import render_details

REDRAW_SECONDS = 0.3


class WatchDetails(ModalScreen[None]):
    """Why, where the time went, the steps and the output; `y` copies all of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss_details", "Close"),
        Binding("y", "copy", "Copy"),
    ]

    def __init__(
        self, find: Callable[[], Activity | None], builds: BuildLogs, clock: Callable[[], float]
    ) -> None:
        """`find` gives the activity as it is now, None once it is forgotten."""
        super().__init__()
        self._find = find
        self._builds = builds
        self._clock = clock
        self._drawn = Text()

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="details"):
            yield Static(id="watch-details-text")

    def on_mount(self) -> None:
        self._draw()
        self.set_interval(REDRAW_SECONDS, self._draw)

    def _draw(self) -> None:
        activity = self._find()
        if activity is None:
            return
        number = activity.number
        text = render_details(
            activity, self._builds.lines(number), self._builds.dropped(number), now=self._clock()
        )
        if text == self._drawn:
            return
        scroll = self.query_one("#details", VerticalScroll)
        follows = scroll.scroll_offset.y > 0 and scroll.is_vertical_scroll_end
        self._drawn = text
        self.query_one("#watch-details-text", Static).update(text)
        if follows:
            self.call_after_refresh(scroll.scroll_end, animate=False)

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self._drawn.plain)
        self.notify("Copied what is shown.")

    def action_dismiss_details(self) -> None:
        self.dismiss(None)
