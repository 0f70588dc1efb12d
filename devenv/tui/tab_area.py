"""The tabs, at the right: one in front, or two side by side where there is room."""

from __future__ import annotations

from collections.abc import Callable

from textual.widgets import TabbedContent, TabPane, Tabs

from devenv.compose.names import ServiceName
from devenv.state.logs import LogStore
from devenv.state.model import State
from devenv.state.text import sanitize
from devenv.tui.tab import DevTab
from devenv.tui.tabs import find_tabs
from devenv.tui.titled import Titled

TWO_TABS_COLUMNS = 160
"""From this width of the screen on two tabs stand side by side."""


class TabFrame(Titled, TabPane):
    """What holds one tab; beside another one it has a border with the tab's title."""


class TabArea(Titled, TabbedContent):
    """All tabs; a state is drawn by those that are visible.

    On a wide screen the first tab, Logs, always stays in view: beside it is the tab in front, or
    the one that was in front last. Their places do not change, whichever has been asked for.
    """

    def __init__(self, logs: LogStore, clock: Callable[[], float]) -> None:
        super().__init__(id="tabs")
        self.tabs = [tab(logs) for tab in find_tabs()]
        self._frames: dict[str, TabFrame] = {}
        for tab in self.tabs:
            tab.clock = clock
            # The others are mounted after the first one is there, and shown then.
            own = [tab] if tab is self.tabs[0] else []
            frame = TabFrame(tab.TITLE, *own, id=f"tab-{tab.TITLE}")
            self._frames[tab.TITLE] = frame
            self.compose_add_child(frame)
        self._other = self.tabs[1]
        """The tab beside the first one."""
        self._chosen: ServiceName | None = None

    async def fill(self) -> None:
        """Mount the tabs that were not needed at once."""
        # Tab goes from the services into the pane: keys of their own choose the tabs.
        self.query_one(Tabs).can_focus = False
        for tab in self.tabs:
            pane = self.get_pane(f"tab-{tab.TITLE}")
            if not self.app.is_running or not pane.is_attached:
                return  # the screen is being taken down
            if not tab.is_attached:
                await pane.mount(tab)

    @property
    def visible_tab(self) -> DevTab:
        """The tab in front."""
        return next((tab for tab in self.tabs if f"tab-{tab.TITLE}" == self.active), self.tabs[0])

    @property
    def visible_tabs(self) -> tuple[DevTab, ...]:
        """The tab in front, and the one beside it where there is room."""
        front, first = self.visible_tab, self.tabs[0]
        if self.app.size.width < TWO_TABS_COLUMNS:
            return (front,)
        return (first, self._other) if front is first else (first, front)

    def find_tab(self, title: str) -> DevTab:
        """The tab of that title."""
        return next(tab for tab in self.tabs if title == tab.TITLE)

    def open_tab(self, tab: DevTab) -> None:
        """Bring a tab to the front."""
        self.active = f"tab-{tab.TITLE}"

    def _on_tab_pane_focused(self, event: TabPane.Focused) -> None:
        """Textual passes the focus of what is hidden to its neighbour in the same tab, and brings
        that tab back to the front with it."""
        pane = event.tab_pane
        if pane.display:
            return
        event.stop()
        event.prevent_default()
        focused = self.screen.focused
        if focused is not None and pane in focused.ancestors:
            self.screen.set_focus(None)

    def step_tab(self, step: int) -> None:
        """Bring the tab `step` places further to the front."""
        index = self.tabs.index(self.visible_tab) + step
        self.open_tab(self.tabs[index % len(self.tabs)])

    def show(self, state: State, chosen: ServiceName | None) -> None:
        """Draw the state for the chosen service, or for all."""
        self._chosen = chosen
        self._place_tabs()
        for tab in self.visible_tabs:
            if tab.is_ready:
                tab.show(state, chosen)
        self._show_caption()

    def _place_tabs(self) -> None:
        if self.visible_tab is not self.tabs[0]:
            self._other = self.visible_tab
        visible = self.visible_tabs
        self.set_class(len(visible) > 1, "-two")
        for tab in self.tabs:
            pane = self.get_pane(f"tab-{tab.TITLE}")
            pane.display = tab in visible
            pane.set_class(tab is self.visible_tab, "-front")

    def on_dev_tab_refreshed(self, message: DevTab.Refreshed) -> None:
        message.stop()
        self._show_caption()

    def _show_caption(self) -> None:
        visible, front = self.visible_tabs, self.visible_tab
        caption = "" if len(visible) > 1 else front.caption
        self.set_titles(sanitize(self._chosen or "all services"), caption)
        for tab in visible if len(visible) > 1 else ():
            words = f"{tab.TITLE} · {tab.caption}" if tab.caption else tab.TITLE
            self._frames[tab.TITLE].set_titles(words, "")
