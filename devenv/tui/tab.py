"""What every tab is."""

from __future__ import annotations

from typing import ClassVar

from textual.containers import Vertical

from devenv.compose.names import ServiceName
from devenv.state.logs import LogStore
from devenv.state.model import State


class DevTab(Vertical):
    """A tab shows a state, for the chosen service or for all."""

    TITLE: ClassVar[str]
    KEY: ClassVar[str]
    ORDER: ClassVar[int]

    def __init__(self, logs: LogStore) -> None:
        super().__init__()
        self.logs = logs

    def show(self, state: State, chosen: ServiceName | None) -> None:
        """Update what differs. Called only while the tab is visible."""
        del state, chosen
