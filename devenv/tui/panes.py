"""Everything on the screen but the footer: header, banner, services, tabs and status line."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Static, TabbedContent, TabPane, Tabs

from devenv.compose.names import ServiceName
from devenv.state.logs import LogStore
from devenv.state.model import State
from devenv.state.text import sanitize
from devenv.tui.services import ServiceList, render_banner, render_cause
from devenv.tui.tab import DevTab
from devenv.tui.tabs import find_tabs
from devenv.tui.text import render_header, render_status_line

TWO_TABS_COLUMNS = 160
"""From this width on two tabs stand side by side."""


class Panes(Vertical):
    """Shows a state; keeps what is drawn, and draws only what differs.

    On a wide screen the first tab, Logs, always stays in view: beside it is the tab in front, or
    the one that was in front last. Their places do not change, whichever has been asked for.
    """

    def __init__(self, logs: LogStore, clock: Callable[[], float]) -> None:
        super().__init__(id="panes")
        self.services = ServiceList()
        self.tabs = [tab(logs) for tab in find_tabs()]
        for tab in self.tabs:
            tab.clock = clock
        self._other = self.tabs[1]
        """The tab beside the first one."""
        self._chosen: ServiceName | None = None
        self._drawn: dict[str, Text] = {}
        self._titles: tuple[tuple[str, str], ...] = ()
        """What the borders say; setting a title draws the whole widget, so only what differs is."""

    def compose(self) -> ComposeResult:
        yield Static(id="header")
        yield Static(id="banner")
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield self.services
                with VerticalScroll(id="cause"):
                    yield Static(id="cause-text")
            with TabbedContent(id="tabs"):
                for tab in self.tabs:
                    with TabPane(tab.TITLE, id=f"tab-{tab.TITLE}"):
                        if tab is self.tabs[0]:
                            yield tab
        yield Static(id="status")

    def on_mount(self) -> None:
        """Tab goes from the services into the pane: keys of their own choose the tabs."""
        self.query_one(Tabs).can_focus = False
        self.call_after_refresh(self._fill_tabs)

    async def _fill_tabs(self) -> None:
        """Make the tabs that nobody sees in the first frame; the one in front is shown then."""
        for tab in self.tabs[1:]:
            pane = self.query_one(f"#tab-{tab.TITLE}", TabPane)
            if not pane.is_attached or not self.app.is_running:
                return
            await pane.mount(tab)

    @property
    def visible_tab(self) -> DevTab:
        """The tab in front."""
        active = self.query_one(TabbedContent).active
        return next((tab for tab in self.tabs if f"tab-{tab.TITLE}" == active), self.tabs[0])

    @property
    def visible_tabs(self) -> tuple[DevTab, ...]:
        """The tab in front, and the one beside it where there is room."""
        front, first = self.visible_tab, self.tabs[0]
        if self.size.width < TWO_TABS_COLUMNS:
            return (front,)
        return (first, self._other) if front is first else (first, front)

    def is_in_front(self, tab: DevTab) -> bool:
        """Whether the tab is the one in front; false before there are any."""
        return self.is_mounted and bool(self.query(TabbedContent)) and tab is self.visible_tab

    def find_tab(self, title: str) -> DevTab:
        """The tab of that title."""
        return next(tab for tab in self.tabs if title == tab.TITLE)

    def open_tab(self, tab: DevTab) -> None:
        """Bring a tab to the front."""
        self.query_one(TabbedContent).active = f"tab-{tab.TITLE}"

    def step_tab(self, step: int) -> None:
        """Bring the tab `step` places further to the front."""
        index = self.tabs.index(self.visible_tab) + step
        self.open_tab(self.tabs[index % len(self.tabs)])

    def show(self, state: State, now: float, chosen: ServiceName | None) -> None:
        """Draw the state for the chosen service, or for all."""
        if not self.services.is_attached:
            return
        self._chosen = chosen
        width = self.size.width
        self._update("#header", render_header(state, width))
        banner = render_banner(state)
        self._update("#banner", banner)
        self.query_one("#banner").display = banner is not None
        self.services.show(state, now)
        cause = render_cause(state, chosen)
        self._update("#cause-text", cause)
        self.query_one("#cause").display = cause is not None
        self._place_tabs()
        for tab in self.visible_tabs:
            if tab.is_ready:
                tab.show(state, chosen)
        self._update("#status", render_status_line(state, now, width))
        self._show_caption()

    def _place_tabs(self) -> None:
        if self.visible_tab is not self.tabs[0]:
            self._other = self.visible_tab
        visible = self.visible_tabs
        self.query_one(TabbedContent).set_class(len(visible) > 1, "-two")
        for tab in self.tabs:
            pane = self.query_one(f"#tab-{tab.TITLE}", TabPane)
            pane.display = tab in visible
            pane.set_class(tab is self.visible_tab, "-front")

    def on_dev_tab_refreshed(self, message: DevTab.Refreshed) -> None:
        message.stop()
        self._show_caption()

    def _show_caption(self) -> None:
        visible, front = self.visible_tabs, self.visible_tab
        titles = [("", sanitize(self._chosen or "all services"))]
        if len(visible) == 1:
            titles.append(("", front.caption))
        else:
            titles += [("", ""), *((tab.TITLE, tab.caption) for tab in visible)]
        if tuple(titles) == self._titles:
            return
        self._titles = tuple(titles)
        tabs = self.query_one(TabbedContent)
        tabs.border_title, tabs.border_subtitle = Text(titles[0][1]), Text(titles[1][1])
        for title, caption in titles[2:]:
            words = f"{title} · {caption}" if caption else title
            self.query_one(f"#tab-{title}", TabPane).border_title = Text(words)

    def _update(self, selector: str, text: Text | None) -> None:
        if text is not None and self._drawn.get(selector) != text:
            self._drawn[selector] = text
            self.query_one(selector, Static).update(text)
