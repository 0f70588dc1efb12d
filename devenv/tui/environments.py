"""The Environments screen: all environments of the repository, over all its worktrees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from devenv.compose.names import EnvironmentName
from devenv.state.actions import (
    Action,
    EnvironmentAsked,
    EnvironmentsRequested,
    OperationRequested,
)
from devenv.state.environments import Environments, EnvironmentView, Verb
from devenv.state.model import OperationKind, State
from devenv.state.text import sanitize
from devenv.tui.outside import open_in_browser
from devenv.tui.ports import UiPorts
from devenv.tui.screens import StateScreen
from devenv.tui.text import render_bytes, render_duration, render_problem

LOOK_SECONDS = 2.0
"""How often the engine is asked while the screen is open."""
_COLUMNS = (("PROFILE", 10), ("AGE", 4), ("DATA", 6))
"""What is left out where it is narrow, the last first; name, branch and state always stay."""


class EnvironmentsScreen(StateScreen[None]):
    """One row for each; below, all of the one under the cursor. Refreshed while it is open."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close"),
        Binding("u,S", "ask('start')", "Start"),
        Binding("s", "ask('stop')", "Stop"),
        Binding("o,enter", "open", "Open its address"),
        Binding("y", "copy", "Copy its address"),
        Binding("j", "move(1)", "Next", show=False),
        Binding("k", "move(-1)", "Previous", show=False),
    ]

    def __init__(self, state: State, ports: UiPorts, dispatch: Callable[[Action], None]) -> None:
        super().__init__()
        self._state = state
        self._ports = ports
        self._dispatch = dispatch
        self._names: list[EnvironmentName] = []
        self._drawn: list[Text] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="environments"):
            yield Static(id="environments-head")
            yield OptionList(id="environments-list", markup=False)
            with VerticalScroll(id="environments-detail"):
                yield Static(id="environments-text")

    def on_mount(self) -> None:
        box = self.query_one("#environments")
        box.border_title = "Environments of this repository"
        box.border_subtitle = "u start  s stop  o open  y copy  Esc close"
        self.query_one(OptionList).focus()
        self._look()
        self.set_interval(LOOK_SECONDS, self._look)
        self._draw()

    def _look(self) -> None:
        self._dispatch(EnvironmentsRequested())

    def show(self, state: State) -> None:
        before, self._state = self._state, state
        if self.is_mounted and state.environments is not before.environments:
            self._draw()

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    @property
    def chosen(self) -> EnvironmentView | None:
        """The one under the cursor."""
        index = self.query_one(OptionList).highlighted
        known = self._state.environments
        if known is None or index is None or index >= len(self._names):
            return None
        return known.find(self._names[index])

    def _draw(self) -> None:
        known = self._state.environments or Environments()
        options = self.query_one(OptionList)
        width = options.size.width
        head, rows = render_environments(known, self._ports.clock(), width)
        self.query_one("#environments-head", Static).update(head)
        names = [row.name for row in known.rows or ()]
        if names != self._names:
            self._fill(names, rows)
        else:
            for index, row in enumerate(rows):
                if row != self._drawn[index]:
                    options.replace_option_prompt_at_index(index, row)
        self._drawn = rows
        self._draw_detail()

    def _fill(self, names: list[EnvironmentName], rows: list[Text]) -> None:
        chosen = self.chosen
        known = self._state.environments or Environments()
        wanted = chosen.name if chosen is not None else None
        wanted = wanted or next((row.name for row in known.rows or () if row.is_current), None)
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(row) for row in rows])
        self._names = names
        if names:
            options.highlighted = names.index(wanted) if wanted in names else 0

    def _draw_detail(self) -> None:
        known = self._state.environments or Environments()
        text = render_detail(known, self.chosen)
        self.query_one("#environments-text", Static).update(text)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._draw_detail()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_open()

    def action_close(self) -> None:
        self.dismiss(None)

    def action_move(self, step: int) -> None:
        options = self.query_one(OptionList)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_ask(self, verb: Verb) -> None:
        chosen, known = self.chosen, self._state.environments
        if chosen is None or known is None:
            return
        if chosen.kind == "shared":
            self._say("What is shared starts with its first user, and stops with the last.")
        elif chosen.name in known.under_way:
            self._say(f"{known.under_way[chosen.name]} of {chosen.name} is under way.")
        elif chosen.is_current:
            self._ask_own(verb)
        elif verb == "stop" and not chosen.running:
            self._say(f"Nothing of {chosen.name} runs.")
        else:
            self._dispatch(EnvironmentAsked(chosen.name, verb))

    def _ask_own(self, verb: Verb) -> None:
        """The environment that this UI follows: as the keys of the main screen do."""
        if self._state.busy and self._state.operation is not None:
            self._say(f"{self._state.operation.kind.value} is under way; x cancels it.")
        else:
            kind = OperationKind.UP if verb == "start" else OperationKind.STOP
            self._dispatch(OperationRequested(kind))

    def _address(self) -> str | None:
        chosen = self.chosen
        if chosen is None:
            return None
        if not chosen.addresses:
            self._say(f"{chosen.name} publishes no port now.")
            return None
        return sanitize(f"http://{chosen.addresses[0][1]}")

    def action_open(self) -> None:
        url = self._address()
        if url is not None:
            self.app.run_worker(open_in_browser(self.app, self._ports, url))

    def action_copy(self) -> None:
        url = self._address()
        if url is not None:
            self.app.copy_to_clipboard(url)
            self._say(f"Copied {url}")

    def _say(self, words: str) -> None:
        self.notify(sanitize(words), markup=False)


def render_environments(known: Environments, now: float, width: int) -> tuple[Text, list[Text]]:
    """The head of the columns, and a row for each environment."""
    rows = known.rows or ()
    names = max((len(sanitize(row.name)) for row in rows), default=0)
    branches = max((len(_branch_words(row)) for row in rows), default=0)
    name_width, branch_width = max(11, min(names, 36)), max(6, min(branches, 28))
    state_width = max((len(_state_words(known, row)) for row in rows), default=0)
    state_width = max(5, state_width)
    columns = list(_COLUMNS)
    used = 2 + name_width + 2 + branch_width + 2 + state_width
    while columns and used + sum(size + 2 for _, size in columns) > width - 2:
        columns.pop()
    if used > width - 2:  # the names give way last
        over = used - (width - 2)
        cut = min(over, max(0, branch_width - 8))
        branch_width -= cut
        name_width = max(12, name_width - (over - cut))
    head = f"  {'ENVIRONMENT':<{name_width}}  {'BRANCH':<{branch_width}}  {'STATE':<{state_width}}"
    for title, size in columns:
        head += f"  {title:<{size}}" if title == "PROFILE" else f"  {title:>{size}}"
    drawn = []
    for row in rows:
        text = Text("● " if row.is_current else "  ", no_wrap=True, overflow="ellipsis")
        style = "bold" if row.is_current else "dim" if row.gone else ""
        text.append_text(_cell(sanitize(row.name), name_width, style)).append("  ")
        text.append_text(_cell(_branch_words(row), branch_width, "")).append("  ")
        words = _state_words(known, row)
        text.append_text(_cell(words, state_width, _state_style(known, row)))
        values = {
            "PROFILE": sanitize(row.profile or ""),
            "AGE": render_duration(now - row.made_at) if row.made_at else "",
            "DATA": render_bytes(row.size_bytes) if row.size_bytes is not None else "?",
        }
        for title, size in columns:
            text.append("  ")
            value = values[title]
            cell = _cell(value, size, "dim") if title == "PROFILE" else Text(f"{value:>{size}}")
            text.append_text(cell)
        drawn.append(text)
    return Text(head, "bold dim", no_wrap=True), drawn


def _cell(words: str, width: int, style: str) -> Text:
    text = Text(words.replace("\n", " "), style)
    text.truncate(width, overflow="ellipsis", pad=True)
    return text


def _branch_words(row: EnvironmentView) -> str:
    return "(shared by all)" if row.kind == "shared" else sanitize(row.branch or "")


def _state_words(known: Environments, row: EnvironmentView) -> str:
    verb = known.under_way.get(row.name)
    if verb is not None:
        return "◐ starting …" if verb == "start" else "◐ stopping …"
    if row.name in known.problems:
        return f"✗ {row.state}"
    if row.gone:
        return f"⚠ {row.state}, gone"
    return f"{'●' if row.running else '○'} {row.state}"


def _state_style(known: Environments, row: EnvironmentView) -> str:
    if row.name in known.under_way or row.gone:
        return "yellow"
    if row.name in known.problems:
        return "red"
    return "green" if row.running else "dim"


def render_detail(known: Environments, row: EnvironmentView | None) -> Text:
    """All that is known of the one under the cursor, or why there is none."""
    if row is None:
        if known.problem is not None:
            return render_problem(known.problem)
        if known.rows is None:
            return Text("looking for environments …", "dim")
        return Text("This repository has no environment yet: u starts this one.", "dim")
    text = Text()
    if known.problem is not None:  # the rows are as they were seen last
        text.append_text(render_problem(known.problem)).append("\n")
    text.append(sanitize(row.name), "bold")
    text.append("  this one\n" if row.is_current else "\n")
    facts: Sequence[tuple[str, str]] = (
        ("addresses", "  ".join(f"{service} {to}" for service, to in row.addresses)),
        ("profile", row.profile or ""),
        ("directory", row.directory),
    )
    for title, words in facts:
        if words:
            text.append(f"{title}: ", "dim").append(f"{sanitize(words)}\n")
    if row.gone:
        text.append(f"⚠ {sanitize(row.gone)}: ", "yellow")
        text.append("devenv gc removes it, with its data, after showing what goes\n")
    problem = known.problems.get(row.name)
    if problem is not None:
        text.append_text(render_problem(problem, row.name))
    return text
