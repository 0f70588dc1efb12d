"""A tab that is one scrolling text."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from devenv.compose.names import ServiceName
from devenv.state.logs import LogStore
from devenv.state.model import State
from devenv.tui.tab import DevTab


class TextTab(DevTab):
    """Subclasses give `text`; it is drawn again only where it differs."""

    def __init__(self, logs: LogStore) -> None:
        super().__init__(logs)
        self._text = Text()

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(self._text)

    def show(self, state: State, chosen: ServiceName | None) -> None:
        text = self.text(state, chosen)
        if text != self._text:
            self._text = text
            self.query_one(Static).update(text)

    def text(self, state: State, chosen: ServiceName | None) -> Text:
        """What the tab says about `state`."""
        del state, chosen
        return Text()
