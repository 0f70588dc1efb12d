"""All services' lines merged by time, or one service's."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.widgets import Input

from devenv.compose.names import ServiceName
from devenv.state.logs import LogStore
from devenv.state.model import State
from devenv.tui.log_view import LogView
from devenv.tui.tab import DevTab, TabAction


class Tab(DevTab):
    TITLE = "Logs"
    KEY = "l"
    ORDER = 10
    ACTIONS: ClassVar[tuple[TabAction, ...]] = (
        TabAction("slash", "open_filter", "Filter the logs", "/"),
        TabAction("f", "follow", "Follow the logs"),
        TabAction("w", "wrap", "Wrap long log lines"),
    )

    def __init__(self, logs: LogStore) -> None:
        super().__init__(logs)
        self.view = LogView(logs)
        self._chosen: ServiceName | None = None

    def compose(self) -> ComposeResult:
        yield self.view
        line = Input(placeholder="filter the lines; Enter keeps, Escape clears", id="log-filter")
        line.cursor_blink = False
        line.display = False
        yield line

    @property
    def caption(self) -> str:
        return self.view.caption

    def show(self, state: State, chosen: ServiceName | None) -> None:
        self._chosen = chosen
        self.view.select(chosen, self.query_one(Input).value)

    def open_filter(self) -> None:
        """Show the filter line and type into it."""
        line = self.query_one(Input)
        line.display = True
        line.focus()

    def follow(self) -> None:
        """Go to the newest line and stay there."""
        self.view.follow()

    def wrap(self) -> None:
        """Wrap long lines, or crop them again."""
        self.view.toggle_wrap()

    def step_back(self) -> bool:
        """Clear and hide the filter."""
        line = self.query_one(Input)
        if not line.display:
            return False
        line.value = ""
        line.display = False
        self.view.focus()
        return True

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.view.select(self._chosen, event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.view.focus()

    def on_log_view_pulled(self, message: LogView.Pulled) -> None:
        message.stop()
        self.post_message(self.Refreshed())
