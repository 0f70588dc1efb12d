"""Snapshots in the UI: a name to save under, a list to restore from, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from devenv.compose.snapshot import check_name, propose_free_name
from devenv.errors import DevenvError
from devenv.state.actions import Action, SnapshotAnswered, SnapshotRequested
from devenv.state.model import SnapshotRow, SnapshotVerb, SnapshotWork, State
from devenv.state.text import sanitize
from devenv.tui.ports import UiPorts
from devenv.tui.screens import Ask, Question
from devenv.tui.text import render_bytes, render_duration

Dispatch = Callable[[Action], None]


class SnapshotList(ModalScreen[str | None]):
    """The snapshots there are, the youngest first; Enter chooses one, Escape none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss_none", "Cancel"),
        Binding("j", "move(1)", "Next", show=False),
        Binding("k", "move(-1)", "Previous", show=False),
    ]

    def __init__(self, rows: Sequence[SnapshotRow], now: float) -> None:
        super().__init__()
        self._rows = rows
        self._now = now

    def compose(self) -> ComposeResult:
        width = max(len(row.name) for row in self._rows)
        with Vertical(id="snapshots"):
            yield Static(Text("Restore which snapshot?", "bold"))
            yield OptionList(
                *(Option(self._row(row, width), id=str(at)) for at, row in enumerate(self._rows)),
                id="snapshots-list",
            )
            yield Static(Text("Enter: look at what it would replace · Esc: leave", "dim"))

    def _row(self, row: SnapshotRow, width: int) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(f"{sanitize(row.name):<{width}}", "bold")
        age = render_duration(self._now - row.made_at)
        text.append(f"  {render_bytes(row.size_bytes):>5}  {age:>4}  ")
        return text.append(sanitize(row.branch or row.environment), "dim")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._rows[int(event.option.id or 0)].name)

    def action_move(self, step: int) -> None:
        rows = self.query_one(OptionList)
        (rows.action_cursor_down if step > 0 else rows.action_cursor_up)()

    def action_dismiss_none(self) -> None:
        self.dismiss(None)


def ask_to_save(app: App[str], ports: UiPorts, state: State, dispatch: Dispatch) -> None:
    """Ask for a name, which is proposed from the branch, and save under it."""
    rows = _load(app, ports)
    if rows is None:
        return
    environment = state.environment
    proposed = propose_free_name(environment.branch or environment.name, {r.name for r in rows})

    def named(name: str | None) -> None:
        if name is None:
            return
        try:
            check_name(name)
        except DevenvError as error:
            app.notify(f"{error.message} {error.fix or ''}", severity="error", markup=False)
            return
        if name in {row.name for row in rows}:
            app.notify(f"There is a snapshot {name} already.", severity="error", markup=False)
            return
        dispatch(SnapshotRequested(SnapshotVerb.SAVE, name))

    words = f"Save the data of {sanitize(environment.name)} as"
    app.push_screen(Ask(words, proposed), named)


def choose_to_restore(app: App[str], ports: UiPorts, state: State, dispatch: Dispatch) -> None:
    """Choose a snapshot; what it would replace is asked once that is known."""
    rows = _load(app, ports)
    if rows is None:
        return
    if not rows:
        app.notify("This repository has no snapshot yet: K saves one.")
        return

    def chosen(name: str | None) -> None:
        if name is not None:
            dispatch(SnapshotRequested(SnapshotVerb.RESTORE, name))

    app.push_screen(SnapshotList(rows, ports.clock()), chosen)


def _load(app: App[str], ports: UiPorts) -> tuple[SnapshotRow, ...] | None:
    try:
        return ports.list_snapshots()
    except DevenvError as error:
        app.notify(sanitize(error.message), severity="error", markup=False)
        return None


def show_work(
    app: App[str], before: SnapshotWork | None, work: SnapshotWork, dispatch: Dispatch
) -> None:
    """Ask what it asks, take the question back with it, and say how it ended."""
    asked = before.question if before is not None else None
    if work.question is not None and work.question != asked:

        def answered(answer: str | None) -> None:
            dispatch(SnapshotAnswered(answer == "yes"))

        answers = (("no", "Leave it"), ("yes", "Go on"))
        app.push_screen(Question(sanitize(work.question), answers), answered)
    if work.finished and (before is None or not before.finished):
        if work.problem is not None:
            words = f"{work.problem.message} {work.problem.fix or ''}"
            app.notify(sanitize(words), severity="error", timeout=15, markup=False)
        else:
            app.notify(sanitize(work.words), markup=False)


def render_work(work: SnapshotWork, width: int) -> Text:
    """For the status line, while it is under way."""
    verb = {SnapshotVerb.SAVE: "saving", SnapshotVerb.RESTORE: "restoring"}[work.verb]
    words = f": {work.words}" if work.words else ""
    text = Text(no_wrap=True).append(" ◐ ", "yellow")
    text.append(sanitize(f"{verb} snapshot {work.name}{words}").replace("\n", " "))
    text.truncate(max(10, width - 20), overflow="ellipsis")
    return text.append(" · x cancels", "dim")
