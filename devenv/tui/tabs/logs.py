"""All services' lines merged by time, or one service's: search, filters, marks, copy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from devenv.compose.names import ServiceName
from devenv.state.log_levels import Level
from devenv.state.log_search import Query, SearchMode
from devenv.state.logs import LogStore
from devenv.state.model import State
from devenv.tui.attention import Attention
from devenv.tui.log_caption import render_caption
from devenv.tui.log_render import TimeMode, render_details
from devenv.tui.log_take import (
    chosen_places,
    go_to_next_mark,
    shown_texts,
    text_of,
    toggle_mark,
)
from devenv.tui.log_view import LogView
from devenv.tui.screens import Ask, Details
from devenv.tui.search_line import SearchLine
from devenv.tui.tab import DevTab, TabAction

_LEVELS = (Level.NONE, Level.DEBUG, Level.INFO, Level.WARN, Level.ERROR)
_COPIED_LINES = 10_000


class Tab(DevTab):
    TITLE = "Logs"
    KEY = "l"
    ORDER = 10
    ACTIONS: ClassVar[tuple[TabAction, ...]] = (
        TabAction("slash", "open_search", "Search the logs", "/", first=True),
        TabAction("f", "follow", "Follow the logs"),
        TabAction("w", "wrap", "Wrap long log lines"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "hit(1)", "Next match"),
        Binding("N", "hit(-1)", "Previous match", show=False),
        Binding("ampersand", "only_matches", "Only matches", key_display="&"),
        Binding("plus", "context(1)", "More lines around matches", show=False, key_display="+"),
        Binding("minus", "context(-1)", "Fewer lines around matches", show=False, key_display="-"),
        Binding("ctrl+t", "search_mode", "Ignore case, literal, regex", key_display="^t"),
        Binding("e", "error(1)", "Next error"),
        Binding("E", "error(-1)", "Previous error", show=False),
        Binding("L", "level", "Least level shown"),
        Binding("t", "times", "Times"),
        Binding("z", "fold", "Fold stack traces", show=False),
        Binding("enter", "details", "The line in full"),
        Binding("m", "mark", "Set or clear a mark", show=False),
        Binding("apostrophe", "next_mark", "Next mark", show=False, key_display="'"),
        Binding("v", "select", "Select lines"),
        Binding("y", "copy", "Copy the lines", show=False),
        Binding("W", "save", "Save the lines", show=False),
        Binding("P", "page_lines", "Open in $PAGER", show=False),
    ]

    def __init__(self, logs: LogStore) -> None:
        super().__init__(logs)
        self.view = LogView(logs)
        self._mode = SearchMode.IGNORE_CASE
        self._jump = False
        """The newest match is to be brought into view once it is found."""

    def compose(self) -> ComposeResult:
        yield self.view
        line = SearchLine(placeholder=_placeholder(self._mode), id="log-filter")
        line.cursor_blink = False
        line.display = False
        yield line

    @property
    def caption(self) -> str:
        return render_caption(self.view)

    def show(self, state: State, chosen: ServiceName | None) -> None:
        view = self.view
        started = [c.started_at for c in state.containers.values() if c.started_at is not None]
        view.start_ns = int(min(started) * 1e9) if started else view.logs.oldest_ns
        view.now = self.clock()
        if view.shown_times is TimeMode.AGE:
            view.redraw()
        view.choose(services=None if chosen is None else frozenset({chosen}))

    def attend(self, attention: Attention) -> None:
        self.view.attention = attention
        self.view.logs.hold_seconds = attention.wait_seconds

    def opened(self) -> None:
        """Arrow keys move in the lines once the tab's key was pressed."""
        self.screen.set_focus(self.view)  # at once: the next key may have come already

    def open_search(self) -> None:
        """Show the search line and type into it."""
        line = self.query_one(Input)
        line.display = True
        self.screen.set_focus(line)  # at once: the next letter may have come already

    def follow(self) -> None:
        """Go to the newest line and stay there."""
        self.view.follow()

    def wrap(self) -> None:
        """Wrap long lines, or crop them again."""
        self.view.toggle_wrap()

    def step_back(self) -> bool:
        """Give up the selection, else clear and hide the search."""
        view, line = self.view, self.query_one(Input)
        if view.selected_from is not None:
            view.selected_from = None
            view.refresh()
            return True
        if not line.display:
            return False
        line.display = False
        line.value = ""
        self._search()
        view.choose(only_matches=False, context=0)
        view.follow()
        view.focus()
        return True

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._search()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.view.focus()

    def on_log_view_pulled(self, message: LogView.Pulled) -> None:
        message.stop()
        if self._jump and self.view.rows.hit_count:
            self._jump = False
            self.view.go_to(self.view.rows.next_hit(None, -1))
        self.post_message(self.Refreshed())

    def _search(self) -> None:
        query = Query(self.query_one(Input).value, self._mode)
        self._jump = bool(query) and not self.view.criteria.only_matches
        self.view.choose(soon=True, query=query)

    def action_search_mode(self) -> None:
        modes = list(SearchMode)
        self._mode = modes[(modes.index(self._mode) + 1) % len(modes)]
        self.query_one(Input).placeholder = _placeholder(self._mode)
        self._search()
        self.post_message(self.Refreshed())

    def action_hit(self, step: int) -> None:
        view = self.view
        if not view.criteria.query:
            self.notify("Nothing is searched for: / opens the search.")
            return
        found = view.rows.next_hit(view.acted_on, step)
        if found is None:
            self.notify("No line fits the search.")
        view.go_to(found)

    def action_only_matches(self) -> None:
        view = self.view
        if not view.criteria.query:
            self.open_search()
        view.choose(only_matches=not view.criteria.only_matches)
        if view.criteria.only_matches and view.cursor is None:
            view.follow()

    def action_context(self, step: int) -> None:
        self.view.choose(context=max(0, self.view.criteria.context + step), only_matches=True)

    def action_error(self, step: int) -> None:
        found = self.view.rows.next_level(self.view.acted_on, step, Level.ERROR)
        if found is None:
            self.notify("No line here says that it is an error.")
        self.view.go_to(found)

    def action_level(self) -> None:
        here = _LEVELS.index(self.view.criteria.level)
        self.view.choose(level=_LEVELS[(here + 1) % len(_LEVELS)])
        self.post_message(self.Refreshed())

    def action_times(self) -> None:
        self.view.cycle_times()

    def action_fold(self) -> None:
        self.view.choose(fold=not self.view.criteria.fold)

    def action_details(self) -> None:
        view = self.view
        place = view.acted_on
        if place is None:
            return
        block, index = place.block, place.index
        lines = [index, *view.rows.fold_of(place)]
        origin = view.logs.origins[block.origins[index]]
        text = "\n".join(render_details(block.plain(i)) for i in lines)
        title = text_of(view, place).partition(" | ")[0]
        self.app.push_screen(Details(f"{title} {origin.source}", text))

    def action_mark(self) -> None:
        toggle_mark(self.view)

    def action_next_mark(self) -> None:
        if not go_to_next_mark(self.view):
            self.notify("No line is marked: m sets a mark.")

    def action_select(self) -> None:
        view = self.view
        if view.selected_from is None:
            view.go_to(view.acted_on)
            view.selected_from = view.cursor
            self.notify("Move, then y copies, W saves, P opens in $PAGER; Escape gives up.")
        else:
            view.selected_from = None
        view.refresh()

    def action_copy(self) -> None:
        view = self.view
        places = chosen_places(view)
        if len(places) > _COPIED_LINES:
            self.notify(f"More than {_COPIED_LINES:,} lines: W saves them to a file.")
            return
        self.app.copy_to_clipboard("".join(text_of(view, place) for place in places))
        self.notify(f"Copied {len(places)} line{'' if len(places) == 1 else 's'}.")
        view.selected_from = None

    def _lines(self) -> Iterable[str]:
        """The selection, else all lines shown."""
        view = self.view
        if view.selected_from is not None:
            return [text_of(view, place) for place in chosen_places(view)]
        return shown_texts(view)

    def action_save(self) -> None:
        def answered(path: str | None) -> None:
            if path:
                self.post_message(self.Saves(path, self._lines()))

        self.app.push_screen(Ask("Save the log lines to which file?", "devenv-logs.txt"), answered)

    def action_page_lines(self) -> None:
        self.post_message(self.Pages(self._lines()))


def _placeholder(mode: SearchMode) -> str:
    return f"search ({mode.value}); ^t: other ways, & only matches, Enter keeps, Escape clears"
