"""Log lines on Textual's Line API: only what is on screen is rendered."""

from __future__ import annotations

from time import perf_counter
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from devenv.state.logs import LogStore
from devenv.tui.attention import Attention
from devenv.tui.lasting_timers import LastingTimers
from devenv.tui.line_view import LineView
from devenv.tui.log_render import TimeMode, render_empty
from devenv.tui.log_rows import Criteria, LogRows, Place
from devenv.tui.log_strips import LogStrips, Look, render_hint
from devenv.values import replace

REFRESH_SECONDS = 1 / 30
COUNT_SECONDS = 0.25
"""How long the counts in the border stay as they are."""
UNSEEN_SECONDS = 3.0
"""How long it is said that lines went by too fast."""
MOST_SECONDS = 0.5
"""The longest pause between two repaints, on a machine that has no time for more."""
TYPED_SECONDS = 0.02
"""How long after a letter of a search its work begins."""
WORK_SECONDS = 0.004
"""How long a search or filter works before keys are answered, and then rests: on a busy machine
a process that does not rest waits for its turn when a key comes."""
_WIDE_ENOUGH = 80
"""Columns from which each line's time is shown unless the user says otherwise."""
_CURSOR = Style(bgcolor="grey23", bold=True)
_SELECTED = Style(bgcolor="grey30")


class LogView(LastingTimers, LineView, can_focus=True):
    """Pulls new lines from the store thirty times a second at most, and nothing while none come.

    It holds places in the store's blocks and no lines, so the store's byte limit bounds both.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor(-1)", "Line up", show=False),
        Binding("down", "cursor(1)", "Line down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", show=False),
        Binding("home", "oldest", "Oldest line", show=False),
        Binding("end", "newest", "Newest line, and follow", show=False),
    ]

    class Pulled(Message):
        """The counts differ, or following began or ended."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LogView.Pulled)

    def __init__(self, logs: LogStore) -> None:
        super().__init__(id="log-view")
        self.logs = logs
        self.rows = LogRows(logs)
        self.cursor: Place | None = None
        """The line that keys act on; None while following."""
        self.selected_from: Place | None = None
        self.marks: list[Place] = []
        self.unseen = 0
        """Lines that went by between two paints while they come faster than can be shown."""
        self._unseen_at = 0.0
        self.time_mode: TimeMode | None = None
        """None: clock times where there is room."""
        self.start_ns = 0
        self.now = 0.0
        self.following = True
        self._seen_version = -1
        self._received = 0
        self._moving = False
        self._wrap = False
        self._top: tuple[Place, int] | None = None
        self._strips = LogStrips(logs)
        self._look: Look | None = None
        self._under = Style.null()
        """The view's own style: Textual works it out anew each time it is asked for."""
        self._timer: Timer | None = None
        self.attention = Attention()
        self._drawn_at = 0.0
        self._draw_seconds = 0.0
        self._said_at = 0.0
        self._saying = False
        self._pause = REFRESH_SECONDS
        self._due = 0.0

    def on_mount(self) -> None:
        self._pull_and_wait()

    def _wake(self) -> None:
        # The store is filled outside the app: only a message may go in from there.
        self.call_later(self._pull_soon)

    def _pull_soon(self, seconds: float = 0.0) -> None:
        seconds = seconds or self._pause
        due = perf_counter() + seconds
        if self._timer is not None:
            if self._due <= due:
                return
            self._timer.stop()
        self._due = due
        self._timer = self.set_timer(seconds, self._pull_and_wait)

    def _pull_and_wait(self) -> None:
        self._timer = None
        if wait := self.attention.wait_seconds(self._drawn_at):
            self._pull_soon(wait)
            return
        self.logs.wake_once(self._wake)
        self.pull()

    @property
    def allow_vertical_scroll(self) -> bool:
        """As soon as there are lines. Textual's own waits for the scroll bar, which comes with a
        later layout, and until then drops what the user scrolls."""
        return self.max_scroll_y > 0

    def choose(self, *, soon: bool = False, **changes: object) -> None:
        """Change what is shown; fields are those of `Criteria`. The line at the top stays.

        With `soon` the key that was typed is answered first.
        """
        criteria = replace(self.rows.criteria, **changes)  # type: ignore[arg-type]
        if self.rows.choose(criteria):
            self._seen_version = -1
            self._said_at = 0.0
            if soon:
                self.rows.update(perf_counter, 0.0)
                self._pull_soon(TYPED_SECONDS)
            else:
                self.pull()

    @property
    def criteria(self) -> Criteria:
        return self.rows.criteria

    @property
    def unseen_now(self) -> int:
        """`unseen`, while it is news."""
        return self.unseen if perf_counter() - self._unseen_at <= UNSEEN_SECONDS else 0

    def follow(self) -> None:
        """Go to the newest line and stay there."""
        self.following, self.cursor, self.selected_from, self.unseen = True, None, None, 0
        self._place()
        self.post_message(self.Pulled())

    action_newest = follow

    def toggle_wrap(self) -> None:
        """Wrap long lines, or crop them again; the line at the top stays."""
        self._wrap = not self._wrap
        self._measure()

    def _measure(self) -> None:
        self.choose(wrap_width=self._text_width if self._wrap else 0)
        self._strips.forget()
        self.refresh()

    @property
    def shown_times(self) -> TimeMode:
        """The time mode in use."""
        if self.time_mode is not None:
            return self.time_mode
        return TimeMode.CLOCK if self.size.width >= _WIDE_ENOUGH else TimeMode.OFF

    @property
    def _head_width(self) -> int:
        return self._strips.head_width(self.shown_times)

    @property
    def _text_width(self) -> int:
        return max(10, self.size.width - self._head_width)

    def cycle_times(self) -> TimeMode:
        """The next way to show times; returns it."""
        modes = list(TimeMode)
        self.time_mode = modes[(modes.index(self.shown_times) + 1) % len(modes)]
        self._measure()
        return self.time_mode

    def pull(self) -> None:
        """Take what has come since the last call, and work on the filter a while."""
        if self._seen_version == self.logs.version:
            return
        version, received = self.logs.version, self.logs.received
        left = self.rows.update(perf_counter, WORK_SECONDS)
        if left:
            self.call_later(self._pull_soon, WORK_SECONDS)
            if perf_counter() - self._drawn_at < REFRESH_SECONDS:
                return
        self._drawn_at = perf_counter()
        missed = received - self._received - max(1, self.size.height)
        if self.following and self._received and missed > 0:
            self.unseen += missed
            self._unseen_at = perf_counter()
        elif perf_counter() - self._unseen_at > UNSEEN_SECONDS:
            self.unseen = 0
        self._received = received
        self._seen_version = -1 if left else version
        self._strips.name_services()
        self._keep_places()
        self._place()
        self._say_pulled()

    def _say_pulled(self) -> None:
        """Counts are told a few times a second: nobody reads more, and each draws the border."""
        wait = self._said_at + COUNT_SECONDS - perf_counter()
        if wait <= 0:
            self._said_at = perf_counter()
            self.post_message(self.Pulled())
        elif not self._saying:
            self._saying = True
            self.set_timer(wait, self._say_late)

    def _say_late(self) -> None:
        self._saying = False
        self._say_pulled()

    def _keep_places(self) -> None:
        """Blocks are rebuilt around late lines: find what is remembered again."""
        held = set(map(id, self.logs.blocks))

        def again(place: Place | None) -> Place | None:
            return place if place is None or id(place.block) in held else self.rows.find(place)

        self.cursor = again(self.cursor)
        self.selected_from = again(self.selected_from)
        if any(id(place.block) not in held for place in self.marks):
            self.marks = [found for place in self.marks if (found := again(place)) is not None]

    def _place(self) -> None:
        """Follow the end; else keep the same line at the top of the view."""
        self._moving = True
        try:
            self.resize_lines(self.rows.height)
            if self.following:
                self.scroll_to(y=self.max_scroll_y, animate=False, force=True)
            elif self._top is not None:
                place, part = self._top
                self.scroll_to(y=self.rows.row_of(place) + part, animate=False, force=True)
        finally:
            self._moving = False
        self.refresh()
        if self._wrap and self.criteria.wrap_width != self._text_width:
            self.call_after_refresh(self._measure)  # the scroll bar has come or gone

    def on_resize(self) -> None:
        if self._wrap and self.criteria.wrap_width != self._text_width:
            self._measure()
        self._strips.forget()
        self._place()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._moving:
            self._top = self.rows.at(int(new_value))
            following = new_value >= self.max_scroll_y and self.cursor is None
            if following != self.following:
                self.following, self.unseen = following, 0
                self.post_message(self.Pulled())
            self._want_older()

    def _want_older(self) -> None:
        """Ask the engine for older lines where the view has come to where they are missing."""
        want, since = self.logs.history_wanted, self.logs.complete_since_ns
        if want is None or not since or self.logs.history_busy or self._top is None:
            return
        place = self._top[0]
        time_ns = place.block.times[place.index]
        if int(self.scroll_y) == 0 or time_ns <= since:
            want(time_ns)

    def action_cursor(self, step: int) -> None:
        """Move the cursor; the first move starts at the newest line in view."""
        rows = self.rows
        if self.cursor is None:
            row = min(rows.height, int(self.scroll_y) + self.size.height) - 1
            here = rows.at(row)
            self.go_to(here[0] if here else None, margin=0)
            return
        row = rows.row_of(self.cursor)
        target = row + step
        while step > 0 and (here := rows.at(target)) is not None and here[0] == self.cursor:
            target += 1
        here = rows.at(target)
        if here is None and step > 0:
            if self.selected_from is None:
                self.follow()
            return
        if here is not None:
            self.go_to(here[0], margin=0)

    def action_page(self, step: int) -> None:
        """Scroll by a page; the cursor goes along."""
        height = max(1, self.size.height - 1)
        if self.cursor is None:
            target = int(self.scroll_y) + step * height
            self.scroll_to(y=target, animate=False, force=True)
            return
        row = self.rows.row_of(self.cursor) + step * height
        if row >= self.rows.height and self.selected_from is None:
            self.follow()
            return
        here = self.rows.at(min(max(0, row), self.rows.height - 1))
        self.go_to(here[0] if here else None, margin=0)

    def action_oldest(self) -> None:
        """Go to the oldest line; older ones are asked for."""
        here = self.rows.at(0)
        self.go_to(here[0] if here else None, margin=0)

    def go_to(self, place: Place | None, margin: int = 3) -> None:
        """Put the cursor on a line and bring it into view."""
        if place is None:
            return
        self.cursor = place
        self.following = False
        row, height = self.rows.row_of(place), max(1, self.size.height)
        top = int(self.scroll_y)
        if not top + margin <= row < top + height - margin:
            top = row - margin if row < top + margin else row - height + 1 + margin
        self._moving = True
        try:
            self.scroll_to(y=max(0, top), animate=False, force=True)
        finally:
            self._moving = False
        self._top = self.rows.at(int(self.scroll_y))
        self._want_older()
        self.refresh()
        self.post_message(self.Pulled())

    def redraw(self) -> None:
        """Draw all rows anew: what is marked or selected has changed."""
        self._strips.forget()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        here = self.rows.at(int(self.scroll_y) + event.y)
        if here is not None:
            self.go_to(here[0], margin=0)

    @property
    def acted_on(self) -> Place | None:
        """The line that a key acts on: the cursor's, else the newest in view."""
        if self.cursor is not None:
            return self.cursor
        here = self.rows.at(min(self.rows.height, int(self.scroll_y) + self.size.height) - 1)
        return here[0] if here else None

    def render_lines(self, crop: Region) -> list[Strip]:
        times = self.shown_times
        look = Look(
            self.size.width,
            times,
            self.now if times is TimeMode.AGE else 0.0,
            self.start_ns if times is TimeMode.SINCE_START else 0,
            self.criteria.query,
            self.criteria.wrap_width,
            not self.app.no_color,
        )
        if look != self._look:
            self._strips.forget()
        started = perf_counter()
        self._look, self._under = look, self.rich_style
        strips = self._filter([self.render_line(y) for y in crop.line_range])
        self._pace(perf_counter() - started)
        left, right = crop.column_span
        if (left, right) == (0, self.size.width):
            return strips
        return [strip.crop(left, right) for strip in strips]

    def _filter(self, strips: list[Strip]) -> list[Strip]:
        """What the theme or a terminal without colours makes of them.

        Textual's own way asks for borders, padding and tints besides, of each line anew: here are
        none of them.
        """
        background = self.background_colors[1]
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        return strips

    def _pace(self, seconds: float) -> None:
        """Draw for a tenth of the time at most: where the machine is so busy that drawing takes
        long, the next key finds this process asleep, and is answered at once."""
        self._draw_seconds = max(seconds, self._draw_seconds * 0.9)
        self._pause = min(MOST_SECONDS, max(REFRESH_SECONDS, 10 * self._draw_seconds))

    def render_line(self, y: int) -> Strip:
        row = int(self.scroll_offset.y) + y
        width, style, look = self.size.width, self._under, self._look
        here = self.rows.at(row)
        if here is None or look is None:
            if y == 0 and not self.rows.height:
                return render_hint(self.app.console, render_empty(self.criteria), width, style)
            return Strip.blank(width, style)
        place, part = here
        if self.cursor is not None and self.has_focus and place == self.cursor:
            style += _CURSOR
        elif self.selected_from is not None and self._is_selected(place):
            style += _SELECTED
        return self._strips.draw(
            self.app.console,
            look,
            place,
            part=part,
            folded=len(self.rows.fold_of(place)),
            marked=place in self.marks,
            under=style,
        )

    def _is_selected(self, place: Place) -> bool:
        if self.selected_from is None or self.cursor is None:
            return False
        ends = sorted((self.rows.row_of(self.selected_from), self.rows.row_of(self.cursor)))
        return ends[0] <= self.rows.row_of(place) <= ends[1]
