"""The app: lays out the panes, turns keys into actions, and passes states on to what is visible."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App, ComposeResult, SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Footer, Static, TabbedContent, TabPane

from devenv.compose.names import ServiceName
from devenv.state.actions import CancelRequested, OperationRequested
from devenv.state.logs import LogStore
from devenv.state.model import OperationKind, State
from devenv.state.store import Store
from devenv.state.text import sanitize
from devenv.tui.ports import UiPorts
from devenv.tui.screens import Help, Question
from devenv.tui.services import ServiceList, render_cause
from devenv.tui.tab import DevTab
from devenv.tui.tabs import config as config_tab
from devenv.tui.tabs import find_tabs
from devenv.tui.tabs import logs as logs_tab
from devenv.tui.text import first_url, render_header, render_status_line


class StateChanged(Message):
    """A new state is there; only the last one of a burst is shown."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, StateChanged)


class DevenvApp(App[str]):
    """Returns `leave` or `stop`: what is to become of the environment."""

    TITLE = "devenv"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012, Textual's own form
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("u", "operate('up')", "Up"),
        Binding("r", "operate('restart')", "Restart"),
        Binding("s", "operate('stop')", "Stop"),
        Binding("S", "operate('start')", "Start", show=False),
        Binding("d", "down", "Down", show=False),
        Binding("e", "shell", "Shell"),
        Binding("E", "shell", "Shell", show=False),
        Binding("o", "open", "Open"),
        Binding("y", "copy", "Copy address", show=False),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("v", "reveal", "Show or mask secrets", show=False),
        Binding("x", "cancel", "Cancel", show=False),
        Binding("right_square_bracket", "tab(1)", "Next tab", show=False, key_display="]"),
        Binding("left_square_bracket", "tab(-1)", "Previous tab", show=False, key_display="["),
        Binding("j", "move(1)", "Next service", show=False),
        Binding("k", "move(-1)", "Previous service", show=False),
        Binding("escape", "all", "All services", show=False),
        Binding("q,ctrl+c", "leave", "Quit", priority=True, key_display="q"),
        *[
            Binding(tab.KEY, f"show_tab('{tab.TITLE}')", tab.TITLE, show=False)
            for tab in find_tabs()
        ],
    ]

    def __init__(self, store: Store, logs: LogStore, ports: UiPorts) -> None:
        super().__init__()
        self._store = store
        self._ports = ports
        self._chosen: ServiceName | None = None
        self._service_list = ServiceList()
        self._tabs = [tab(logs) for tab in find_tabs()]

    def compose(self) -> ComposeResult:
        yield Static(id="header")
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield self._service_list
                yield Static(id="cause")
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
        self.post_message(StateChanged())

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def on_state_changed(self, message: StateChanged) -> None:
        message.stop()
        self._show()

    def on_service_list_chosen(self, message: ServiceList.Chosen) -> None:
        self._chosen = message.service
        self._show()

    def on_tabbed_content_tab_activated(self) -> None:
        self._show()

    @property
    def visible_tab(self) -> DevTab:
        """The tab in front."""
        active = self.query_one(TabbedContent).active
        return next((tab for tab in self._tabs if f"tab-{tab.TITLE}" == active), self._tabs[0])

    def _show(self) -> None:
        """Draw the state: header, services, the visible tab, the status line."""
        if not self._service_list.is_attached:
            return
        state, now = self._store.state, self._ports.clock()
        self.query_one("#header", Static).update(render_header(state, self.size.width))
        self._service_list.show(state, now)
        cause = self.query_one("#cause", Static)
        text = render_cause(state, self._chosen)
        cause.display = text is not None
        if text is not None:
            cause.update(text)
        self.visible_tab.show(state, self._chosen)
        self.query_one("#status", Static).update(render_status_line(state, now))
        tabs = self.query_one(TabbedContent)
        tabs.border_title = sanitize(self._chosen) if self._chosen else "all services"
        view = self.visible_tab
        tabs.border_subtitle = view.view.caption if isinstance(view, logs_tab.Tab) else ""

    def _targets(self) -> tuple[ServiceName, ...]:
        return (self._chosen,) if self._chosen else ()

    def action_operate(self, kind: str) -> None:
        self._request(OperationKind(kind))

    def _request(self, kind: OperationKind) -> None:
        state: State = self._store.state
        if state.project is None and kind is OperationKind.UP:
            self.notify("The Compose files do not load: nothing can be started.", severity="error")
        elif state.busy and state.operation is not None:
            self.notify(f"{state.operation.kind.value} is under way; x cancels it.")
        else:
            self._store.dispatch_soon(OperationRequested(kind, self._targets()))

    def action_down(self) -> None:
        name = self._store.state.environment.name

        def answered(answer: str | None) -> None:
            if answer == "down":
                self._chosen = None
                self._store.dispatch_soon(OperationRequested(OperationKind.DOWN))

        self.push_screen(
            Question(
                f"Stop and remove the containers of {sanitize(name)}? Data in volumes stays.",
                (("keep", "Keep"), ("down", "Remove")),
            ),
            answered,
        )

    def action_cancel(self) -> None:
        self._store.dispatch_soon(CancelRequested())

    def action_shell(self) -> None:
        service = self._chosen or self._service_list.current
        if service is None:
            self.notify("Choose a service first.")
            return
        try:
            with self.suspend():
                code = self._ports.run_shell(service)
        except SuspendNotSupported:
            self.notify(f"This terminal cannot be lent: devenv shell {service}", severity="warning")
            return
        if code:
            self.notify(f"The shell in {service} ended with exit code {code}.", markup=False)

    def _url(self) -> str | None:
        name = self._chosen or self._service_list.current
        service = self._store.state.service(name) if name else None
        url = first_url(service) if service else None
        if url is None:
            self.notify(f"{name or 'Nothing'} publishes no port now.", markup=False)
        return url

    def action_open(self) -> None:
        url = self._url()
        if url is not None and not self._ports.open_url(url):
            self.notify(f"No browser could be started: {url}", markup=False)

    def action_copy(self) -> None:
        url = self._url()
        if url is not None:
            self.copy_to_clipboard(url)
            self.notify(f"Copied {url}", markup=False)

    def action_show_tab(self, title: str) -> None:
        self.query_one(TabbedContent).active = f"tab-{title}"

    def action_tab(self, step: int) -> None:
        index = (self._tabs.index(self.visible_tab) + step) % len(self._tabs)
        self.action_show_tab(self._tabs[index].TITLE)

    def action_move(self, step: int) -> None:
        if step > 0:
            self._service_list.action_cursor_down()
        else:
            self._service_list.action_cursor_up()

    def action_filter(self) -> None:
        tab = next(tab for tab in self._tabs if isinstance(tab, logs_tab.Tab))
        self.action_show_tab(tab.TITLE)
        tab.open_filter()

    def action_reveal(self) -> None:
        tab = self.visible_tab
        if isinstance(tab, config_tab.Tab):
            tab.reveal = not tab.reveal
            self._show()

    def action_all(self) -> None:
        tab = self.visible_tab
        if isinstance(tab, logs_tab.Tab) and tab.close_filter():
            return
        self._service_list.choose_all()
        self._service_list.focus()

    def action_help(self) -> None:
        rows = [
            (binding.key_display or binding.key, binding.description)
            for binding in self.BINDINGS
            if isinstance(binding, Binding)
        ]
        self.push_screen(Help([*rows, ("Enter", "Choose a service"), ("ctrl+p", "Palette")]))

    def action_leave(self) -> None:
        state = self._store.state
        running = any(c.state in ("running", "restarting") for c in state.containers.values())
        if isinstance(self.screen, Question) or (not running and not state.busy):
            self.exit("leave")
        else:
            answers = (("leave", "Leave running"), ("stop", "Stop"), ("cancel", "Cancel"))
            self.push_screen(Question("The environment is running.", answers), self._answer_leave)

    def _answer_leave(self, answer: str | None) -> None:
        if answer in ("leave", "stop"):
            self.exit(answer)
