"""The app: lays out the panes, turns keys into actions, and passes states on to what is visible."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, Static, TabbedContent, TabPane

from devenv.compose.names import ServiceName
from devenv.state.actions import Action, CancelRequested, OperationRequested
from devenv.state.logs import LogStore
from devenv.state.model import OperationKind, State
from devenv.state.store import Store
from devenv.state.text import sanitize
from devenv.tui import monochrome
from devenv.tui.keys import BINDINGS, PALETTE_LEAVES_OUT, render_key
from devenv.tui.outside import lend_terminal, open_in_browser
from devenv.tui.ports import UiPorts
from devenv.tui.screens import Help, Question
from devenv.tui.services import ServiceList, render_banner, render_cause
from devenv.tui.tab import DevTab
from devenv.tui.tabs import find_tabs
from devenv.tui.text import first_url, render_header, render_status_line


class StateChanged(Message):
    """A new state is there; only the last one of a burst is shown."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self.state = state

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, StateChanged)


class DevenvApp(App[str]):
    """Returns `leave` or `stop`: what is to become of the environment."""

    TITLE = "devenv"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012, Textual's own form
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [*BINDINGS]

    def __init__(self, store: Store, logs: LogStore, ports: UiPorts) -> None:
        super().__init__()
        if self.no_color:
            self.ansi_theme_dark, self.ansi_theme_light = monochrome.ON_DARK, monochrome.ON_LIGHT
        self._store = store
        self._ports = ports
        self._state = store.state
        self._chosen: ServiceName | None = None
        self._drawn: dict[str, Text] = {}
        self._service_list = ServiceList()
        self._tabs = [tab(logs) for tab in find_tabs()]

    def compose(self) -> ComposeResult:
        yield Static(id="header")
        yield Static(id="banner")
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield self._service_list
                with VerticalScroll(id="cause"):
                    yield Static(id="cause-text")
            with TabbedContent(id="tabs"):
                for tab in self._tabs:
                    with TabPane(tab.TITLE, id=f"tab-{tab.TITLE}"):
                        yield tab
        yield Static(id="status")
        yield Footer()

    def on_mount(self) -> None:
        self._store.subscribe(self._take_state)
        self._service_list.focus()
        self.set_interval(1.0, self._show)
        self._show()
        self.call_after_refresh(self._ports.on_ready)

    def _take_state(self, state: State) -> None:
        self.post_message(StateChanged(state))

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def on_state_changed(self, message: StateChanged) -> None:
        message.stop()
        self._state = message.state
        self._show()

    def on_service_list_chosen(self, message: ServiceList.Chosen) -> None:
        self._chosen = message.service
        self._show()

    def on_tabbed_content_tab_activated(self) -> None:
        self._show()

    def on_dev_tab_refreshed(self, message: DevTab.Refreshed) -> None:
        message.stop()
        self._show_caption()

    @property
    def visible_tab(self) -> DevTab:
        """The tab in front."""
        active = self._tab_pane.active
        return next((tab for tab in self._tabs if f"tab-{tab.TITLE}" == active), self._tabs[0])

    def _show(self) -> None:
        """Draw the state: header, services, the visible tab, the status line."""
        if not self._service_list.is_attached:
            return
        state, now, width = self._state, self._ports.clock(), self.size.width
        self._update("#header", render_header(state, width))
        banner = render_banner(state)
        self._update("#banner", banner)
        self._base.query_one("#banner").display = banner is not None
        self._service_list.show(state, now)
        cause = render_cause(state, self._chosen)
        self._update("#cause-text", cause)
        self._base.query_one("#cause").display = cause is not None
        self.visible_tab.show(state, self._chosen)
        self._update("#status", render_status_line(state, now, width))
        self._show_caption()

    def _update(self, selector: str, text: Text | None) -> None:
        if text is not None and self._drawn.get(selector) != text:
            self._drawn[selector] = text
            self._base.query_one(selector, Static).update(text)

    def _show_caption(self) -> None:
        subject = self._chosen or "all services"
        self._tab_pane.border_title = Text(sanitize(subject))
        self._tab_pane.border_subtitle = Text(self.visible_tab.caption)

    @property
    def _base(self) -> Screen[object]:
        """The panes' screen, whatever lies over it."""
        return self.screen_stack[0]

    @property
    def _tab_pane(self) -> TabbedContent:
        return self._base.query_one(TabbedContent)

    def _dispatch(self, action: Action) -> None:
        try:
            self._store.dispatch_soon(action)
        except asyncio.QueueFull:
            self.notify("devenv is busy; try again in a moment.", severity="warning")

    def _targets(self) -> tuple[ServiceName, ...]:
        return (self._chosen,) if self._chosen else ()

    def action_operate(self, kind: str) -> None:
        self._request(OperationKind(kind))

    def _request(self, kind: OperationKind) -> None:
        state = self._state
        if state.project is None and kind is OperationKind.UP:
            self.notify("The Compose files do not load: nothing can be started.", severity="error")
        elif state.busy and state.operation is not None:
            self.notify(f"{state.operation.kind.value} is under way; x cancels it.")
        else:
            self._dispatch(OperationRequested(kind, self._targets()))

    def action_down(self) -> None:
        name = self._state.environment.name

        def answered(answer: str | None) -> None:
            if answer == "down":
                self._dispatch(OperationRequested(OperationKind.DOWN))

        self.push_screen(
            Question(
                f"Stop and remove the containers of {sanitize(name)}? Data in volumes stays.",
                (("keep", "Keep"), ("down", "Remove")),
            ),
            answered,
        )

    def action_cancel(self) -> None:
        if not self._state.busy:
            self.notify("Nothing is under way.")
            return
        self._dispatch(CancelRequested())

    def action_shell(self) -> None:
        service = self._chosen
        if service is None:
            self.notify("Choose a service first: arrow keys, or a click.")
            return
        lend_terminal(self, self._ports, service)

    def _url(self) -> str | None:
        """The address of the chosen service, or the first that any service publishes."""
        services = [s for s in self._state.services if self._chosen in (None, s.name)]
        url = next((url for service in services if (url := first_url(service))), None)
        if url is None:
            name = sanitize(self._chosen or "Nothing")
            self.notify(f"{name} publishes no port now.", markup=False)
        return sanitize(url) if url else None

    def action_open(self) -> None:
        url = self._url()
        if url is not None:
            self.run_worker(open_in_browser(self, self._ports, url))

    def action_copy(self) -> None:
        url = self._url()
        if url is not None:
            self.copy_to_clipboard(url)
            self.notify(f"Copied {url}", markup=False)

    def action_show_tab(self, title: str) -> None:
        self._tab_pane.active = f"tab-{title}"

    def action_tab(self, step: int) -> None:
        index = (self._tabs.index(self.visible_tab) + step) % len(self._tabs)
        self.action_show_tab(self._tabs[index].TITLE)

    def action_move(self, step: int) -> None:
        if step > 0:
            self._service_list.action_cursor_down()
        else:
            self._service_list.action_cursor_up()

    def action_ask_tab(self, title: str, method: str, opens: bool) -> None:
        tab = next(tab for tab in self._tabs if title == tab.TITLE)
        if tab is not self.visible_tab and not opens:
            self.notify(f"That key works in the {title} tab: {tab.KEY}")
            return
        self.action_show_tab(title)
        getattr(tab, method)()
        self._show()

    def action_all(self) -> None:
        if not self.visible_tab.step_back():
            self._service_list.choose_all()
            self._service_list.focus()

    def action_help(self) -> None:
        rows = [(render_key(binding), binding.description) for binding in BINDINGS]
        self.push_screen(Help([*rows, ("↑ ↓", "Choose a service"), ("^p", "Palette")]))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every key's action, under its name, before Textual's own."""
        for binding in BINDINGS:
            if binding.key not in PALETTE_LEAVES_OUT:
                run = partial(self.run_action, binding.action)
                yield SystemCommand(binding.description, f"key {render_key(binding)}", run)
        for command in super().get_system_commands(screen):
            if command.title != "Quit":
                yield command

    async def action_quit(self) -> None:
        self.action_leave()

    def action_leave(self) -> None:
        state = self._state
        running = any(c.state in ("running", "restarting") for c in state.containers.values())
        if isinstance(self.screen, Question) or (not running and not state.busy):
            self.exit("leave")
            return
        words = "The environment is running."
        if state.busy and state.operation is not None:
            words = f"{state.operation.kind.value} is under way; leaving cancels it."
        answers = (("leave", "Leave running"), ("stop", "Stop"), ("cancel", "Cancel"))
        self.push_screen(Question(words, answers), self._answer_leave)

    def _answer_leave(self, answer: str | None) -> None:
        if answer in ("leave", "stop"):
            self.exit(answer)
