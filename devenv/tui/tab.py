"""What every tab is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import ClassVar

from textual.containers import Vertical
from textual.message import Message

from devenv.compose.names import ServiceName
from devenv.state.actions import Action
from devenv.state.logs import LogStore
from devenv.state.model import State
from devenv.tui.attention import Attention
from devenv.values import dataclass


@dataclass(frozen=True, slots=True)
class TabAction:
    """A key that a tab answers; `method` is called without arguments."""

    key: str
    method: str
    description: str
    key_display: str | None = None
    opens: bool = True
    """Whether the key brings the tab to the front first; otherwise it works only there."""
    footer: str = ""
    """A short word for the footer, which has it while the tab is in front. The key is then the
    tab's even where it is another action's elsewhere."""
    first: bool = False
    """Whether it acts before the next key is looked at: what is typed then goes on in the tab."""


class DevTab(Vertical):
    """A tab shows a state, for the chosen service or for all."""

    TITLE: ClassVar[str]
    KEY: ClassVar[str]
    ORDER: ClassVar[int]
    ACTIONS: ClassVar[tuple[TabAction, ...]] = ()

    class Refreshed(Message):
        """The tab's caption may differ now."""

    class Ready(Message):
        """The tab has its widgets now, and can be shown."""

    class Asks(Message):
        """The tab wants an action dispatched."""

        def __init__(self, action: Action) -> None:
            super().__init__()
            self.action = action

    class Edits(Message):
        """The user wants a file in the editor, at a line from 1."""

        def __init__(self, path: str, line: int) -> None:
            super().__init__()
            self.path = path
            self.line = line

    class Saves(Message):
        """The user wants lines saved to a file; each ends in its newline."""

        def __init__(self, path: str, lines: Iterable[str]) -> None:
            super().__init__()
            self.path = path
            self.lines = lines

    class Pages(Message):
        """The user wants lines shown in the pager."""

        def __init__(self, lines: Iterable[str]) -> None:
            super().__init__()
            self.lines = lines

    def __init__(self, logs: LogStore) -> None:
        super().__init__()
        self.logs = logs
        self.is_ready = False
        """Whether its widgets are there: tabs that nobody sees yet are made after the frame."""
        self.clock: Callable[[], float] = time.time
        """Seconds since the epoch; set by whoever makes the tab."""

    def on_mount(self) -> None:
        self.call_after_refresh(self._say_ready)

    def _say_ready(self) -> None:
        self.is_ready = True
        self.post_message(self.Ready())

    @property
    def caption(self) -> str:
        """What the border says below the tab."""
        return ""

    def show(self, state: State, chosen: ServiceName | None) -> None:
        """Update what differs. Called only while the tab is visible."""
        del state, chosen

    def attend(self, attention: Attention) -> None:
        """Draw what nobody asked for only while no key waits for its answer."""
        del attention

    def opened(self) -> None:
        """The tab's key was pressed, and the tab is in front."""

    def step_back(self) -> bool:
        """Undo what the tab has open, such as a filter; False where there is nothing."""
        return False
