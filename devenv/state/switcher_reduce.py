"""What the actions of the switcher mean for the state. Pure."""

from __future__ import annotations

from devenv.state import actions as do
from devenv.state.effects import Effect, LoadSwitchChoices, PreviewSwitch
from devenv.state.model import State
from devenv.state.switcher import Switcher
from devenv.values import replace


def take_switcher(state: State, action: do.SwitcherAction) -> tuple[State, tuple[Effect, ...]]:
    """Answers that come after the switcher was closed are dropped; each plan is made once."""
    switcher = state.switcher
    match action:
        case do.SwitcherOpened():
            return replace(state, switcher=Switcher()), (LoadSwitchChoices(),)
        case do.SwitcherClosed():
            return replace(state, switcher=None), ()
        case do.SwitchPreviewRequested(target):
            if switcher is None or target in switcher.previews:
                return state, ()
            return state, (PreviewSwitch(target),)
        case do.SwitchChoicesLoaded(choices, problem):
            if switcher is None:
                return state, ()
            return replace(state, switcher=replace(switcher, choices=choices, problem=problem)), ()
        case do.SwitchPreviewed(target, preview):
            if switcher is None:
                return state, ()
            previews = {**switcher.previews, target: preview}
            return replace(state, switcher=replace(switcher, previews=previews)), ()
