"""Everything on the screen but the footer: header, banner, services, tabs and status line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Static

from devenv.compose.names import ServiceName
from devenv.state.logs import LogStore
from devenv.state.model import State
from devenv.tui.services import ServiceList, render_banner, render_cause
from devenv.tui.text import render_header, render_status_line

if TYPE_CHECKING:
    from devenv.tui.tab_area import TabArea


class Panes(Vertical):
    """Shows a state; keeps what is drawn, and draws only what differs.

    The first frame has no tabs: it is there in two thirds of the time that they need.
    """

    class Filled(Message):
        """The tabs are there."""

        def __init__(self, tabs: TabArea) -> None:
            super().__init__()
            self.tabs = tabs

    def __init__(self, logs: LogStore, clock: Callable[[], float]) -> None:
        super().__init__(id="panes")
        self.services = ServiceList()
        self._logs = logs
        self._clock = clock
        self._tabs: TabArea | None = None
        self._drawn: dict[str, Text] = {}

    def compose(self) -> ComposeResult:
        yield Static(id="header")
        yield Static(id="banner")
        with Horizontal(id="body"), Vertical(id="left"):
            yield self.services
        yield Static(id="status")

    def on_mount(self) -> None:
        self.query_one("#banner").display = False
        self.call_after_refresh(self._add_tabs)

    async def _add_tabs(self) -> None:
        """Mount what the first frame leaves out: the tabs, and the place of a failure's cause."""
        if not self.app.is_running or not self.is_attached:
            return  # the screen is being taken down
        from devenv.tui.tab_area import TabArea

        self.app.stylesheet.read(Path(__file__).with_name("app.tcss"))
        cause = VerticalScroll(Static(id="cause-text"), id="cause")
        cause.display = False
        tabs = TabArea(self._logs, self._clock)
        await self.query_one("#left").mount(cause)
        await self.query_one("#body").mount(tabs)
        if tabs.is_attached:
            self._tabs = tabs
            self.post_message(self.Filled(tabs))
            await tabs.fill()

    def show(self, state: State, now: float, chosen: ServiceName | None) -> None:
        """Draw the state for the chosen service, or for all."""
        if not self.services.is_attached:
            return
        width = self.app.size.width
        self._update("#header", render_header(state, width, chosen))
        banner = render_banner(state)
        self._update("#banner", banner)
        self.query_one("#banner").display = banner is not None
        self.services.show(state, now)
        self._update("#status", render_status_line(state, now, width))
        if self._tabs is not None:
            cause = render_cause(state, chosen)
            self._update("#cause-text", cause)
            self.query_one("#cause").display = cause is not None
            self._tabs.show(state, chosen)

    def _update(self, selector: str, text: Text | None) -> None:
        if text is not None and self._drawn.get(selector) != text:
            self._drawn[selector] = text
            self.query_one(selector, Static).update(text)
