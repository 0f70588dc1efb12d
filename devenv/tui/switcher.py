"""The switcher: profiles and branches, found as one types, with the plan of the one looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from devenv.state.actions import (
    Action,
    SwitcherClosed,
    SwitcherOpened,
    SwitchPreviewRequested,
)
from devenv.state.model import State
from devenv.state.switcher import SwitchChoice, SwitchKind, SwitchTarget
from devenv.state.text import sanitize
from devenv.tui.screens import StateScreen
from devenv.tui.text import render_problem

SHOWN = 200
"""Choices; typing finds the others."""
LOOK_SECONDS = 0.15
"""How long the cursor rests on a choice before its plan is made."""


class SwitcherScreen(StateScreen["SwitchTarget | None"]):
    """Enter switches, Escape leaves all as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Stay"),
        Binding("down", "move(1)", "Next", show=False),
        Binding("up", "move(-1)", "Previous", show=False),
        Binding("pagedown", "scroll_plan(1)", "Plan down", show=False),
        Binding("pageup", "scroll_plan(-1)", "Plan up", show=False),
    ]

    def __init__(self, state: State, dispatch: Callable[[Action], None]) -> None:
        super().__init__()
        self._state = state
        self._dispatch = dispatch
        self._listed: list[SwitchChoice] | None = None
        self._drawn: Text | None = None

    def compose(self) -> ComposeResult:
        line = Input(placeholder="type to find a profile or a branch", id="switcher-find")
        line.cursor_blink = False
        with Vertical(id="switcher"):
            yield line
            with Horizontal(id="switcher-body"):
                choices = OptionList(id="switcher-list", markup=False)
                choices.can_focus = False  # typing finds, the arrows move, both at once
                yield choices
                with VerticalScroll(id="switcher-plan"):
                    yield Static(id="switcher-text")

    def on_mount(self) -> None:
        self.query_one("#switcher").border_title = "Switch profile or branch"
        self.query_one("#switcher").border_subtitle = Text("↑ ↓ look  Enter switch  Esc stay")
        self._dispatch(SwitcherOpened())
        self._list(keep=False)

    def show(self, state: State) -> None:
        before, self._state = self._state.switcher, state
        if not self.is_mounted or state.switcher is before:
            return
        if state.switcher is None or before is None or state.switcher.choices != before.choices:
            self._list(keep=True)
        self._draw_plan()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._list(keep=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._take()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()  # a click
        self._take()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._draw_plan()
        choice = self.choice
        if choice is not None and not choice.is_current and not choice.refusal:
            self.set_timer(LOOK_SECONDS, lambda: self._look(choice))

    def _look(self, choice: SwitchChoice) -> None:
        """Ask for the plan of a choice that the cursor is still on."""
        if self.is_current and self.choice == choice:
            self._dispatch(SwitchPreviewRequested(choice.target))

    @property
    def choice(self) -> SwitchChoice | None:
        """The one under the cursor."""
        index = self.query_one(OptionList).highlighted
        options = self.query_one(OptionList).options
        if index is None or self._listed is None or index >= len(options):
            return None
        number = options[index].id
        return self._listed[int(number)] if number is not None else None

    def _list(self, *, keep: bool) -> None:
        """List what is found; the cursor stays on its choice, or goes to the first one."""
        switcher = self._state.switcher
        if switcher is None or switcher.choices is None:
            return
        before = self.choice if keep else None
        words = self.query_one(Input).value.casefold().split()
        found = [c for c in switcher.choices if all(w in _words(c) for w in words)]
        self._listed = found[:SHOWN]
        options: list[Option] = []
        for kind, title in ((SwitchKind.PROFILE, "Profiles"), (SwitchKind.BRANCH, "Branches")):
            mine = [(i, c) for i, c in enumerate(self._listed) if c.target.kind is kind]
            if mine:
                options.append(Option(Text(title, "bold dim"), disabled=True))
            options += [Option(render_choice(c), id=str(i)) for i, c in mine]
        if len(found) > SHOWN:
            more = f"and {len(found) - SHOWN:,} more: type to find them"
            options.append(Option(Text(more, "dim"), disabled=True))
        choices = self.query_one(OptionList)
        choices.clear_options()
        choices.add_options(options)
        wanted = self._listed.index(before) if before in self._listed else 0
        ids = [option.id for option in options]
        choices.highlighted = ids.index(str(wanted)) if str(wanted) in ids else None
        self._draw_plan()

    def _draw_plan(self) -> None:
        text = render_plan_of(self._state, self.choice)
        if text != self._drawn:
            self._drawn = text
            self.query_one("#switcher-text", Static).update(text)

    def _take(self) -> None:
        choice = self.choice
        if choice is None:
            return
        if choice.is_current:
            self._end(None)
        elif choice.refusal:
            self.notify(sanitize(choice.refusal), severity="warning", markup=False)
        elif self._state.busy and self._state.operation is not None:
            self.notify(f"{self._state.operation.kind.value} is under way; x cancels it.")
        else:
            self._end(choice.target)

    def _end(self, target: SwitchTarget | None) -> None:
        self._dispatch(SwitcherClosed())
        self.dismiss(target)

    def action_leave(self) -> None:
        self._end(None)

    def action_move(self, step: int) -> None:
        choices = self.query_one(OptionList)
        if step > 0:
            choices.action_cursor_down()
        else:
            choices.action_cursor_up()

    def action_scroll_plan(self, step: int) -> None:
        plan = self.query_one("#switcher-plan", VerticalScroll)
        if step > 0:
            plan.scroll_page_down(animate=False)
        else:
            plan.scroll_page_up(animate=False)


def _words(choice: SwitchChoice) -> str:
    """What typing finds it by."""
    return f"{choice.target.kind.value} {choice.target.name} {choice.description}".casefold()


def render_choice(choice: SwitchChoice) -> Text:
    """A mark for the one in use, the name, and what is to be said of it."""
    text = Text("● " if choice.is_current else "  ", no_wrap=True, overflow="ellipsis")
    text.append(sanitize(choice.target.name), "bold" if choice.is_current else "")
    words = choice.refusal or choice.description
    if words:
        text.append(f"  {sanitize(words)}".replace("\n", " "), "dim")
    return text


def render_plan_of(state: State, choice: SwitchChoice | None) -> Text:
    """What a switch to the choice would do, or why that is not known (yet)."""
    switcher = state.switcher
    if switcher is None or switcher.choices is None:
        return Text("looking for profiles and branches …", "dim")
    if switcher.problem is not None:
        return render_problem(switcher.problem)
    if choice is None:
        if not switcher.choices:
            return Text("There are no profiles (profiles/NAME.toml makes one) and no branches.")
        return Text("Nothing has that name.", "dim")
    text = Text()
    text.append(f"{choice.target.kind.value} {sanitize(choice.target.name)}\n", "bold")
    if choice.description:
        text.append(f"{sanitize(choice.description)}\n", "dim")
    if choice.is_current:
        return text.append("\nin use now")
    if choice.refusal:
        return text.append(f"\n{sanitize(choice.refusal)}", "yellow")
    preview = switcher.previews.get(choice.target)
    if preview is None:
        return text.append("\nmaking the plan …", "dim")
    text.append("\n")
    if preview.problem is not None:
        return text.append_text(render_problem(preview.problem))
    for line in preview.lines:
        text.append(f"{sanitize(line)}\n")
    return text
