"""Questions and the help screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Button, Input, Static

from devenv.state.model import State, SwitchProposal
from devenv.state.text import sanitize


class StateScreen(ModalScreen[ScreenResultType]):
    """A screen above the others that shows the state as it changes."""

    def show(self, state: State) -> None:
        """Draw the state; called for each one while the screen is open."""
        raise NotImplementedError


class Question(ModalScreen[str | None]):
    """A question with answers; Escape is None, the first answer has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss_none", "Cancel"),
        Binding("right,down", "app.focus_next", "Next", show=False),
        Binding("left,up", "app.focus_previous", "Previous", show=False),
    ]

    def __init__(self, question: str, answers: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._question = question
        self._answers = answers

    def compose(self) -> ComposeResult:
        with Vertical(id="question"):
            yield Static(Text(self._question))
            with Horizontal():
                for name, label in self._answers:
                    yield Button(Text(label), id=name)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id)

    def action_dismiss_none(self) -> None:
        self.dismiss(None)


class SwitchOffer(ModalScreen[str | None]):
    """A switch that the branch asks for, with its plan: Enter applies it, Escape declines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "answer('switch')", "Switch"),
        Binding("escape", "answer('stay')", "Stay"),
    ]

    def __init__(self, proposal: SwitchProposal) -> None:
        super().__init__()
        self.proposal = proposal

    def compose(self) -> ComposeResult:
        proposal = self.proposal
        where = f"branch {proposal.branch}" if proposal.branch else "a detached HEAD"
        text = Text()
        text.append(sanitize(f"Now on {where}"), "bold")
        text.append(sanitize(f" · profile {proposal.profile or 'none'} · "))
        text.append(sanitize(proposal.environment), "bold").append("\n\n")
        for line in proposal.plan:
            text.append(sanitize(line) + "\n")
        if proposal.paused:
            text.append(sanitize(f"\npaused until then: {', '.join(proposal.paused)}\n"), "yellow")
        with Vertical(id="offer"):
            with VerticalScroll():
                yield Static(text)
            with Horizontal():
                yield Button("Switch (Enter)", id="switch")
                yield Button("Stay (Esc)", id="stay")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id)

    def action_answer(self, answer: str) -> None:
        self.dismiss(answer)


class Help(ModalScreen[None]):
    """All keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss_help", "Close")
    ]

    def __init__(self, rows: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._rows = rows

    def compose(self) -> ComposeResult:
        text = Text("Keys\n\n", style="bold")
        for key, what in self._rows:
            if not key:
                text.append(f"{what}\n", "bold")
                continue
            text.append(f"{key:>12}  ", "bold").append(f"{what}\n", "not bold")
        with VerticalScroll(id="help"):
            yield Static(text)

    def action_dismiss_help(self) -> None:
        self.dismiss(None)


class Ask(ModalScreen[str | None]):
    """Asks for one line of text; Escape is None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss_none", "Cancel")]

    def __init__(self, question: str, value: str) -> None:
        super().__init__()
        self._question = question
        self._value = value

    def compose(self) -> ComposeResult:
        with Vertical(id="question"):
            yield Static(Text(self._question))
            line = Input(self._value)
            line.cursor_blink = False
            yield line

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value.strip() or None)

    def action_dismiss_none(self) -> None:
        self.dismiss(None)


class Details(ModalScreen[None]):
    """A long text in full; `y` copies it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss_details", "Close"),
        Binding("y", "copy", "Copy"),
    ]
    SHOWN = 100_000
    """Characters; more would hold up the screen."""

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        shown = self._text[: self.SHOWN]
        if len(self._text) > self.SHOWN:
            shown += f"\n… {len(self._text) - self.SHOWN:,} more characters; y copies all"
        text = Text(f"{self._title}\n\n", style="bold").append(shown, "not bold")
        with VerticalScroll(id="details"):
            yield Static(text)

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self._text)
        self.notify("Copied the line.")

    def action_dismiss_details(self) -> None:
        self.dismiss(None)
