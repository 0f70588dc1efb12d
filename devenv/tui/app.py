"""The app: lays out the panes, turns keys into actions, and passes states on to what is visible."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.driver import Driver
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input

from devenv.compose.names import ServiceName
from devenv.state.actions import (
    Action,
    CancelRequested,
    HooksRequested,
    OperationRequested,
    WatchCancelRequested,
)
from devenv.state.hooks import find_failed, is_under_way
from devenv.state.logs import LogStore
from devenv.state.model import OperationKind, State
from devenv.state.store import Store
from devenv.state.text import sanitize
from devenv.tui import keys, monochrome
from devenv.tui.attention import Attention
from devenv.tui.ends import Ends
from devenv.tui.front_screen import FrontScreen
from devenv.tui.lasting_timers import LastingTimers
from devenv.tui.obstacles import (
    find_reason_left_alone,
    find_reason_to_stay,
    find_work_under_way,
    is_copying,
)
from devenv.tui.outside import open_editor, open_in_browser, open_pager, open_shell
from devenv.tui.panes import Panes
from devenv.tui.ports import UiPorts
from devenv.tui.proposals import Proposals
from devenv.tui.screens import Help, Question, StateScreen
from devenv.tui.services import ServiceList
from devenv.tui.tab import DevTab
from devenv.tui.text import first_url, render_problem
from devenv.tui.themes import HIGH_CONTRAST

if TYPE_CHECKING:
    from devenv.state.switcher import SwitchTarget
    from devenv.tui.tab_area import TabArea

_OLD_SECONDS = 0.9
"""From which age on what is shown is drawn anew, for the times in it."""


class StateChanged(Message):
    """A new state is there; only the last one of a burst is shown."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self.state = state

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, StateChanged)


class DevenvApp(LastingTimers, Ends):
    """Returns what is to become of the environment: `leave`, `stop`, `switch`, or the text of a
    `SwitchTarget`."""

    TITLE = "devenv"
    CSS_PATH = Path(__file__).with_name("frame.tcss")
    """What the first frame needs; app.tcss is read when the tabs are made."""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide"), (160, "-widest")]  # noqa: RUF012, Textual's own form
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [*keys.FIXED]

    def __init__(
        self,
        store: Store,
        logs: LogStore,
        ports: UiPorts,
        load_bindings: Callable[[], Sequence[Binding]] = keys.load_bindings,
    ) -> None:
        super().__init__()
        self.bindings: tuple[Binding, ...] = ()
        """Empty in the first frame; keys that come before they are bound are held."""
        self._load_bindings = load_bindings
        self._held: list[events.Key] = []
        if self.no_color:
            self.ansi_theme_dark, self.ansi_theme_light = monochrome.ON_DARK, monochrome.ON_LIGHT
        self.register_theme(HIGH_CONTRAST)
        self._store = store
        self._ports = ports
        self._state = store.state
        self._chosen: ServiceName | None = None
        self._panes = Panes(logs, ports.clock)
        self._attention = Attention()
        self._tabs: TabArea | None = None
        """None in the first frame."""
        self._proposals = Proposals(self, self._dispatch, auto_switch=ports.auto_switch)
        self._shown_at = 0.0

    def get_driver_class(self) -> type[Driver]:
        own = super().get_driver_class()
        if own.__name__ != "LinuxDriver":
            return own
        from devenv.tui.lasting_driver import LastingDriver

        return LastingDriver

    def get_default_screen(self) -> Screen[object]:
        return FrontScreen(id="_default")

    def compose(self) -> ComposeResult:
        yield self._panes

    def on_mount(self) -> None:
        self._store.subscribe(self._take_state)
        self._panes.services.focus()
        self.set_interval(1.0, self._tick)
        self._show()
        self.call_after_refresh(self._ports.on_ready)

    def _tick(self) -> None:
        """Times grow even where nothing happens; where something does, that has drawn them."""
        if self._ports.clock() - self._shown_at >= _OLD_SECONDS:
            self._show()

    def _take_state(self, state: State) -> None:
        self.post_message(StateChanged(state))

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def on_state_changed(self, message: StateChanged) -> None:
        message.stop()
        before, self._state = self._state, message.state
        self._show()
        for screen in self.screen_stack:
            if isinstance(screen, StateScreen):
                screen.show(self._state)
        self._proposals.take(before, self._state)

    def on_service_list_chosen(self, message: ServiceList.Chosen) -> None:
        self._chosen = message.service
        self._show()

    def on_tabbed_content_tab_activated(self) -> None:
        self._show()
        self.refresh_bindings()

    async def on_panes_filled(self, message: Panes.Filled) -> None:
        """The keys work, and are shown, as soon as there is what they act on."""
        message.stop()
        self._tabs = message.tabs
        for tab in self._tabs.tabs:
            tab.attend(self._attention)
        from textual.widgets import Footer

        self._bind_keys()
        self._show()
        await self.screen_stack[0].mount(Footer())
        self.refresh_bindings()
        if self._ports.notice is not None:
            words = render_problem(self._ports.notice).plain
            self.notify(words, severity="error", markup=False, timeout=20)
        held, self._held = self._held, []
        for event in held:
            self.post_message(event)

    def _bind_keys(self) -> None:
        self.bindings = tuple(self._load_bindings())
        for binding in (*keys.find_front_bindings(self.bindings), *self.bindings):
            if binding.key:
                self._bindings.bind(
                    binding.key,
                    binding.action,
                    binding.description,
                    show=binding.show,
                    key_display=keys.render_key(binding),
                    priority=binding.priority,
                )

    async def on_event(self, event: events.Event) -> None:
        """Keys that are typed ahead wait until there are tabs to take them."""
        if isinstance(event, events.Key):
            self._attention.note_key()
        if isinstance(event, events.Key) and not self.bindings:
            self._held.append(event)
        else:
            await super().on_event(event)

    def on_dev_tab_ready(self, message: DevTab.Ready) -> None:
        message.stop()
        self._show()

    def on_dev_tab_asks(self, message: DevTab.Asks) -> None:
        message.stop()
        self._dispatch(message.action)

    def on_dev_tab_edits(self, message: DevTab.Edits) -> None:
        message.stop()
        open_editor(self, self._ports, message.path, message.line)

    def on_dev_tab_saves(self, message: DevTab.Saves) -> None:
        message.stop()
        try:
            path = self._ports.save_lines(message.path, message.lines)
        except OSError as error:
            words = f"{sanitize(message.path)}: {error.strerror or error}"
            self.notify(f"Not saved: {words}", severity="error", markup=False)
        else:
            self.notify(f"Saved {sanitize(path)}", markup=False)

    def on_dev_tab_pages(self, message: DevTab.Pages) -> None:
        message.stop()
        open_pager(self, self._ports, message.lines)

    def _show(self) -> None:
        self._shown_at = now = self._ports.clock()
        with suppress(NoMatches):  # the screen is being taken down
            self._panes.show(self._state, now, self._chosen)

    def _dispatch(self, action: Action) -> None:
        try:
            self._store.dispatch_soon(action)
        except asyncio.QueueFull:
            self.notify("devenv is busy; try again in a moment.", severity="warning")

    def action_operate(self, word: str) -> None:
        kind = OperationKind(word)
        state = self._state
        if state.project is None and state.model_problem is None and kind is OperationKind.UP:
            self.notify("The Compose files are still being read.")
        elif self._says(find_reason_left_alone(state, self._chosen)):
            return
        elif not self._is_busy():
            chosen = (self._chosen,) if self._chosen else ()
            self._dispatch(OperationRequested(kind, chosen))

    def _says(self, words: str | None) -> bool:
        """Whether there is anything to say; it is said then."""
        if words is not None:
            self.notify(words, markup=False)
        return words is not None

    def _is_busy(self) -> bool:
        return self._says(find_work_under_way(self._state))

    def action_switch(self) -> None:
        from devenv.tui.switcher import SwitcherScreen

        def answered(target: SwitchTarget | None) -> None:
            if target is not None:
                self.exit(target.render())

        self.push_screen(SwitcherScreen(self._state, self._dispatch), answered)

    def action_environments(self) -> None:
        from devenv.tui.environments import EnvironmentsScreen

        self.push_screen(EnvironmentsScreen(self._state, self._ports, self._dispatch))

    def action_down(self) -> None:
        if self._is_busy():
            return
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

    def action_recreate(self) -> None:
        """The chosen service, or all that are stale, without what they depend on."""
        services = [s for s in self._state.services if self._chosen in (None, s.name)]
        stale = tuple(service.name for service in services if service.drift is not None)
        if not stale:
            name = sanitize(self._chosen or "")
            words = f"{name} does not run otherwise" if name else "Nothing runs otherwise"
            self.notify(f"{words} than the files say.", markup=False)
        elif not self._is_busy():
            self._dispatch(OperationRequested(OperationKind.RECREATE, stale))

    def action_cancel(self) -> None:
        state = self._state
        if state.busy or is_copying(state) or is_under_way(state.hooks):
            self._dispatch(CancelRequested())
        elif state.watch is not None and state.watch.can_cancel(self._chosen):
            self._dispatch(WatchCancelRequested((self._chosen,) if self._chosen else ()))
        else:
            self.notify("Nothing is under way.")

    def action_run_hook(self) -> None:
        if find_failed(self._state.hooks) is None:
            self.notify("No hook has failed.")
        elif not self._is_busy():
            self._dispatch(HooksRequested())

    def action_snapshot_save(self) -> None:
        from devenv.tui.snapshots import ask_to_save

        if not self._is_busy():
            ask_to_save(self, self._ports, self._state, self._dispatch)

    def action_snapshot_restore(self) -> None:
        from devenv.tui.snapshots import choose_to_restore

        if not self._is_busy():
            choose_to_restore(self, self._ports, self._state, self._dispatch)

    def action_shell(self) -> None:
        service = self._chosen
        if service is None:
            self.notify("Choose a service first: arrow keys, or a click.")
            return
        open_shell(self, self._ports, service)

    def _url(self) -> str | None:
        """The address of the chosen service, or the first that any service publishes."""
        services = [s for s in self._state.services if self._chosen in (None, s.name)]
        url = next((url for service in services if (url := first_url(service))), None)
        if url is None:
            name = sanitize(self._chosen or "No service")
            what = "no port" if self._chosen else "a port"
            self.notify(f"{name} publishes {what} now.", markup=False)
        return sanitize(url) if url else None

    def action_open(self) -> None:
        url = self._url()
        if url is not None:
            self.run_worker(open_in_browser(self, self._ports, url))

    def action_copy(self) -> None:
        selected = self.screen.get_selected_text()
        if selected:
            self.copy_to_clipboard(selected)
            self.screen.clear_selection()
            self.notify("Copied what was selected.")
            return
        url = self._url()
        if url is not None:
            self.copy_to_clipboard(url)
            self.notify(f"Copied {url}", markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A tab's key is a letter like any other where one types, and nothing behind a question."""
        if action == "front_tab":
            in_front = self._tabs is not None and parameters[0] == self._tabs.visible_tab.TITLE
            return in_front and not isinstance(self.focused, Input)
        if action == "ask_tab":
            return not isinstance(self.focused, Input) and len(self.screen_stack) == 1
        return super().check_action(action, parameters)

    @property
    def tabs(self) -> TabArea:
        """The tabs; actions that need them come after the first frame, with the keys."""
        if self._tabs is None:
            raise LookupError("the first frame has no tabs")
        return self._tabs

    def action_show_tab(self, title: str) -> None:
        tab = self.tabs.find_tab(title)
        self.tabs.open_tab(tab)
        tab.opened()

    def action_tab(self, step: int) -> None:
        self.tabs.step_tab(step)

    def action_move(self, step: int) -> None:
        if step > 0:
            self._panes.services.action_cursor_down()
        else:
            self._panes.services.action_cursor_up()

    def action_ask_tab(self, title: str, method: str, opens: bool) -> None:
        tab = self.tabs.find_tab(title)
        if tab not in self.tabs.visible_tabs:
            if not opens:
                key = next(b for b in self.bindings if b.id == title.lower())
                self.notify(f"That key works in the {title} tab: {keys.render_key(key)}")
                return
            self.tabs.open_tab(tab)
            self._show()
        getattr(tab, method)()
        self._show()

    def action_front_tab(self, title: str, method: str) -> None:
        getattr(self.tabs.find_tab(title), method)()
        self._show()

    def action_all(self) -> None:
        if not any(tab.step_back() for tab in self.tabs.visible_tabs):
            self._panes.services.choose_all()
        self._panes.services.focus()

    def action_help(self) -> None:
        self.push_screen(Help(keys.describe_bindings(self.bindings, self.tabs.tabs)))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every key's action, under its name, before Textual's own."""
        for binding in self.bindings:
            if binding.id not in keys.PALETTE_LEAVES_OUT:
                run = partial(self.run_action, binding.action)
                key = keys.render_key(binding)
                yield SystemCommand(binding.description, f"key {key}" if key else "no key", run)
        for command in super().get_system_commands(screen):
            if command.title != "Quit":
                yield command

    async def action_quit(self) -> None:
        self.action_leave()

    def action_leave(self) -> None:
        words = find_reason_to_stay(self._state)
        if words is None or isinstance(self.screen, Question):
            self.exit("leave")
            return
        answers = (("leave", "Leave running"), ("stop", "Stop"), ("cancel", "Cancel"))
        self.push_screen(Question(words, answers), self._answer_leave)

    def _answer_leave(self, answer: str | None) -> None:
        if answer in ("leave", "stop"):
            self.exit(answer)
