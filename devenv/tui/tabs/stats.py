"""What each service uses, measured every second: CPU, memory, network and block I/O."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.widgets import Static

from devenv.compose.names import ServiceName
from devenv.state.logs import LogStore
from devenv.state.model import EngineStatus, State
from devenv.tui.stats_columns import Column, layout_columns, render_row, render_titles
from devenv.tui.stats_rows import Sort, resolve_rows, resolve_total
from devenv.tui.stats_table import StatsTable
from devenv.tui.tab import DevTab, TabAction

_SORTS = tuple(Sort)


class Tab(DevTab):
    TITLE = "Stats"
    KEY = "U"
    ORDER = 60
    ACTIONS: ClassVar[tuple[TabAction, ...]] = (
        TabAction("less_than_sign", "sort_before", "Sort by the column before", "<", opens=False),
        TabAction("greater_than_sign", "sort_after", "Sort by the next column", ">", opens=False),
    )

    def __init__(self, logs: LogStore) -> None:
        super().__init__(logs)
        self._sort = Sort.ORDER
        self._columns: list[Column] = []
        self._shown: tuple[object, ...] = ()
        self._caption = ""

    def compose(self) -> ComposeResult:
        yield Static(id="stats-head")
        yield StatsTable()
        yield Static(id="stats-words")

    @property
    def caption(self) -> str:
        return self._caption

    def show(self, state: State, chosen: ServiceName | None) -> None:
        shown = (state.usage, state.services, state.engine, chosen, self._sort, self.size)
        if all(a is b for a, b in zip(shown, self._shown, strict=False)) and self._shown:
            return
        self._shown = shown
        rows, total = resolve_rows(state, chosen, self._sort), resolve_total(state)
        head, table = self.query_one("#stats-head", Static), self.query_one(StatsTable)
        words = self.query_one("#stats-words", Static)
        head.display = table.display = total is not None
        words.display = total is None
        self._caption = ""
        if total is None:
            words.update(Text(_empty_words(state), style="dim"))
            return
        self._columns = layout_columns(table.size.width or self.size.width, rows, self._sort)
        lines = [render_titles(self._columns, self._sort), render_row(total, self._columns)]
        head.update(Text("\n").join(Text.assemble(*line) for line in lines), layout=False)
        table.show(rows, self._columns)
        running = sum(1 for service in state.services if service.usage is not None)
        self._caption = f"{running} measured · by {self._sort.value} · < > other columns"

    def on_resize(self) -> None:
        self.post_message(self.Ready())

    def sort_before(self) -> None:
        """Sort by the column before."""
        self._step(-1)

    def sort_after(self) -> None:
        """Sort by the next column."""
        self._step(1)

    def _step(self, step: int) -> None:
        self._sort = _SORTS[(_SORTS.index(self._sort) + step) % len(_SORTS)]

    def on_click(self, event: events.Click) -> None:
        """A click on a title sorts by its column."""
        if event.widget is None or event.widget.id != "stats-head" or event.y != 0:
            return
        edge = 0
        for column in self._columns:
            edge += column.width + 1
            if event.x < edge:
                self._sort = column.sort or self._sort
                self.post_message(self.Ready())
                return


def _empty_words(state: State) -> str:
    if state.engine is EngineStatus.LOST:
        return "What services use appears here once the engine answers again."
    if any(container.state == "running" for container in state.containers.values()):
        return "Measuring; the first figures come within two seconds."
    return (
        "Nothing runs. u starts all services, and what each of them uses stands here: CPU, memory, "
        "network and block I/O, every second."
    )
