"""What the watch of the sources does: each service's state, the last changes, the builds.

What is drawn is imported when the tab is first shown: nothing of it is in the first frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.timer import Timer
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from devenv.compose.names import ServiceName
from devenv.state.actions import (
    CancelRequested,
    WatchBuildRequested,
    WatchCancelRequested,
    WatchPauseToggled,
)
from devenv.state.logs import LogStore
from devenv.state.model import State
from devenv.state.text import sanitize
from devenv.tui.tab import DevTab, TabAction

if TYPE_CHECKING:
    from devenv.state.watch import Activity

REDRAW_SECONDS = 0.5
"""How often times grow while something is under way; else the app's own turn is enough."""


class Tab(DevTab):
    TITLE = "Watch"
    KEY = "B"
    ORDER = 27
    ACTIONS: ClassVar[tuple[TabAction, ...]] = (
        TabAction("b", "build_now", "Build the chosen service now", footer="Build now"),
        TabAction("p", "toggle_pause", "Pause the watch, or go on", footer="Pause"),
        TabAction("x", "cancel_builds", "Cancel the watch's builds", footer="Cancel"),
    )

    def __init__(self, logs: LogStore) -> None:
        super().__init__(logs)
        self._state: State | None = None
        self._chosen: ServiceName | None = None
        self._shown: tuple[int, ...] = ()
        self._rows: dict[int, Text] = {}
        self._drawn: dict[str, Text] = {}
        self._wants_focus = False
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="watch-head")
        with VerticalScroll(id="watch-services"):
            yield Static(id="watch-services-text")
            yield Static(id="watch-notes-text")
        yield OptionList(id="watch-list", markup=False)
        with VerticalScroll(id="watch-detail"):
            yield Static(id="watch-detail-text")

    @property
    def caption(self) -> str:
        watch = self._state.watch if self._state else None
        count, shown = len(watch.activities) if watch else 0, len(self._activities())
        return f"{shown} of {count}" if shown != count else ""

    def opened(self) -> None:
        """The list gets the focus, at once or when it is there."""
        self._wants_focus = True
        self._focus_list()

    def _focus_list(self) -> None:
        if self._wants_focus and self.is_ready:
            self._wants_focus = False
            self.query_one(OptionList).focus()

    def on_resize(self) -> None:
        if self.is_ready:
            self._draw()

    def show(self, state: State, chosen: ServiceName | None) -> None:
        self._state, self._chosen = state, chosen
        self._focus_list()
        self._draw()
        moving = state.watch is not None and state.watch.is_busy
        if moving and self._timer is None:
            self._timer = self.set_interval(REDRAW_SECONDS, self._draw)
        elif not moving and self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _draw(self) -> None:
        if self._state is None or not self.is_on_screen:
            return
        from devenv.tui.watch_text import render_notes, render_services, render_status

        watch = self._state.watch
        self._update("#watch-head", render_status(self._state))
        rows, notes = Text(), Text()
        if watch is not None:
            rows = render_services(watch, self._chosen, self.clock())
            notes = render_notes(watch, self._chosen)
        self._update("#watch-services-text", rows)
        self._update("#watch-notes-text", notes)
        self.query_one("#watch-services").display = bool(rows or notes)
        self.query_one("#watch-notes-text").display = bool(notes)
        self._fill()
        self._show_detail()

    def _update(self, selector: str, text: Text) -> None:
        """Draw what differs."""
        if self._drawn.get(selector) != text:
            self._drawn[selector] = text
            self.query_one(selector, Static).update(text)

    def _activities(self) -> list[Activity]:
        """Those of the chosen service, or all; newest first."""
        watch = self._state.watch if self._state else None
        found = reversed(watch.activities if watch else ())
        return [one for one in found if self._chosen is None or self._chosen in one.services]

    def _fill(self) -> None:
        """Bring the list up to date; the cursor stays on its activity, or on the newest one."""
        from devenv.tui.watch_text import render_rows

        options, now = self.query_one(OptionList), self.clock()
        found = self._activities()
        drawn = render_rows(found, now, options.size.width)
        rows = {one.number: row for one, row in zip(found, drawn, strict=True)}
        numbers = tuple(rows)
        if numbers != self._shown:
            before, was_first = self._highlighted_number(), options.highlighted in (None, 0)
            options.clear_options()
            options.add_options([Option(row, id=str(number)) for number, row in rows.items()])
            self._shown = numbers
            keep = not was_first and before in numbers
            if numbers:
                options.highlighted = numbers.index(before) if keep and before is not None else 0
        else:
            for number, row in rows.items():
                if row != self._rows.get(number):
                    options.replace_option_prompt(str(number), row)
        self._rows = rows
        self.query_one("#watch-detail").display = bool(numbers)

    def _highlighted_number(self) -> int | None:
        index = self.query_one(OptionList).highlighted
        return self._shown[index] if index is not None and index < len(self._shown) else None

    def _find(self, number: int | None) -> Activity | None:
        watch = self._state.watch if self._state else None
        return watch.find(number) if watch is not None and number is not None else None

    def _show_detail(self) -> None:
        from devenv.tui.watch_text import render_summary

        activity = self._find(self._highlighted_number())
        text = render_summary(activity) if activity is not None else Text()
        self._update("#watch-detail-text", text)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._show_detail()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        number = int(event.option.id or 0)
        if self._find(number) is None:
            return
        from devenv.tui.watch_details import WatchDetails

        self.app.push_screen(WatchDetails(lambda: self._find(number), self.logs.builds, self.clock))

    def build_now(self) -> None:
        """Build the chosen service's image, and recreate it."""
        state = self._state
        if not self._is_on(state) or state is None:
            return
        service = self._chosen
        project = state.project
        if service is None:
            self.notify("Choose a service first: j and k, or a click.")
        elif project is not None and service in project.services:
            if project.services[service].build is None:
                self.notify(f"{sanitize(service)} has no build of its own.", markup=False)
                return
            self.post_message(self.Asks(WatchBuildRequested((service,))))
        else:
            self.notify(f"{sanitize(service)} is not in this profile.", markup=False)

    def toggle_pause(self) -> None:
        """Only collect what changes from now on, or bring in all of it as one plan."""
        if self._is_on(self._state):
            self.post_message(self.Asks(WatchPauseToggled()))

    def cancel_builds(self) -> None:
        """Give up the chosen service's running and next build, or all; else the operation."""
        state = self._state
        if state is not None and state.busy:
            self.post_message(self.Asks(CancelRequested()))
        elif state is None or state.watch is None or not state.watch.can_cancel(self._chosen):
            self.notify("Nothing is being built.")
        else:
            chosen = (self._chosen,) if self._chosen else ()
            self.post_message(self.Asks(WatchCancelRequested(chosen)))

    def _is_on(self, state: State | None) -> bool:
        """Whether the watch can be asked for anything; if not, say why."""
        if state is not None and state.watch is not None and state.watch.is_on:
            return True
        if state is not None:
            from devenv.tui.watch_text import render_status

            self.notify(render_status(state).plain, markup=False)
        return False
