"""What a new state brings up by itself: questions, and words on what has ended elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from devenv.state.actions import Action, SwitchDeclined
from devenv.state.model import SnapshotWork, State, SwitchProposal
from devenv.state.text import sanitize
from devenv.tui.screens import SwitchOffer
from devenv.tui.text import render_toast

if TYPE_CHECKING:
    from textual.app import App


class Proposals:
    """Shows each question once, and takes it back with what asked it.

    `auto_switch` takes every switch that the branch asks for.
    """

    def __init__(
        self, app: App[str], dispatch: Callable[[Action], None], *, auto_switch: bool
    ) -> None:
        self._app = app
        self._dispatch = dispatch
        self._auto_switch = auto_switch
        self._offered: SwitchProposal | None = None
        self._snapshot: SnapshotWork | None = None

    def take(self, before: State, state: State) -> None:
        """Show what is new in `state`."""
        if state.environments is not before.environments:
            self._tell_environments(before, state)
        if state.proposal is not self._offered:
            self._offered = state.proposal
            self._offer_switch(state.proposal)
        if state.snapshot is not self._snapshot:
            earlier, self._snapshot = self._snapshot, state.snapshot
            if state.snapshot is not None:
                from devenv.tui.snapshots import show_work

                show_work(self._app, earlier, state.snapshot, self._dispatch)

    def _tell_environments(self, before: State, state: State) -> None:
        """Say why another environment was not started or stopped, wherever the user is by now."""
        known = before.environments.problems if before.environments is not None else {}
        problems = state.environments.problems if state.environments is not None else {}
        for name, problem in problems.items():
            if known.get(name) is not problem:
                self._app.notify(render_toast(problem, name), severity="error", markup=False)

    def _offer_switch(self, proposal: SwitchProposal | None) -> None:
        if isinstance(self._app.screen, SwitchOffer):
            self._app.screen.dismiss(None)
        if proposal is None:
            return
        if proposal.problem is not None:
            words = sanitize(proposal.problem.message)
            self._app.notify(words, severity="error", markup=False)
        elif self._auto_switch:
            self._app.exit("switch")
        else:
            self._app.push_screen(SwitchOffer(proposal), self._answer_switch)

    def _answer_switch(self, answer: str | None) -> None:
        if answer == "switch":
            self._app.exit("switch")
        elif answer == "stay":
            self._dispatch(SwitchDeclined())
