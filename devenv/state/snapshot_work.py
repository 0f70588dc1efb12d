"""A snapshot that is saved or restored, as the state has it: asked for, asked about, done. Pure."""

from __future__ import annotations

from devenv.state import actions as do
from devenv.state.effects import AnswerSnapshot, CancelSnapshot, Effect, RunSnapshot
from devenv.state.model import SnapshotWork, State
from devenv.values import replace


def apply_snapshot(state: State, action: do.SnapshotAction) -> tuple[State, tuple[Effect, ...]]:
    """The state after an action that concerns snapshots alone; one at a time is under way."""
    work = state.snapshot
    if isinstance(action, do.SnapshotRequested):
        if state.busy or is_snapshot_under_way(state):
            return state, ()
        begun = SnapshotWork(action.verb, action.name)
        return replace(state, snapshot=begun), (RunSnapshot(action.verb, action.name),)
    if work is None or work.finished:
        return state, ()
    match action:
        case do.SnapshotTold(words):
            return replace(state, snapshot=replace(work, words=words)), ()
        case do.SnapshotAsked(question):
            return replace(state, snapshot=replace(work, question=question)), ()
        case do.SnapshotAnswered(yes):
            if work.question is None:
                return state, ()
            return replace(state, snapshot=replace(work, question=None)), (AnswerSnapshot(yes),)
        case do.SnapshotFinished(words, problem):
            done = replace(work, words=words, question=None, finished=True, problem=problem)
            return replace(state, snapshot=done), ()


def cancel_snapshot(state: State) -> tuple[Effect, ...]:
    """What a cancellation asks for where a snapshot is under way."""
    return (CancelSnapshot(),) if is_snapshot_under_way(state) else ()


def is_snapshot_under_way(state: State) -> bool:
    """Whether one is being saved or restored."""
    return state.snapshot is not None and not state.snapshot.finished
