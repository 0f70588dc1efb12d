"""How the state takes what the watch tells, and what a user asks of the watch. Pure."""

from __future__ import annotations

from devenv.compose.watch.values import WatchAction
from devenv.state import actions as do
from devenv.state.effects import BuildNow, CancelBuilds, Effect, PauseWatch
from devenv.state.model import State
from devenv.state.watch import Outcome, WatchStatus
from devenv.state.watch_events import ActivityEnded, WatchEvent, see_watch
from devenv.values import replace


def take_event(state: State, event: WatchEvent) -> State:
    """A model that the watch brought up is what runs; one that it could not waits for an `up`."""
    state = replace(state, watch=see_watch(state.watch, event))
    if isinstance(event, ActivityEnded) and event.activity.action is WatchAction.RELOAD:
        outcome = event.activity.outcome
        if outcome in (Outcome.DONE, Outcome.FAILED):
            return replace(state, model_changed=outcome is Outcome.FAILED)
    return state


def ask_watch(
    state: State, action: do.WatchPauseToggled | do.WatchBuildRequested | do.WatchCancelRequested
) -> tuple[Effect, ...]:
    """What to do about a wish; nothing where no watch runs."""
    watch = state.watch
    if watch is None or not watch.is_on:
        return ()
    match action:
        case do.WatchPauseToggled():
            return (PauseWatch(watch.status is WatchStatus.ON),)
        case do.WatchBuildRequested(services):
            return (BuildNow(services),)
        case do.WatchCancelRequested(services):
            return (CancelBuilds(services),)
