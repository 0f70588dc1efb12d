"""How the state takes a model that loads, one that does not, and the wish for one. Pure."""

from __future__ import annotations

from devenv.state import actions as do
from devenv.state.effects import Effect, LoadModel, RunOperation
from devenv.state.model import OperationKind, State
from devenv.values import replace


def apply_model(
    state: State, action: do.ModelLoaded | do.ModelFailed | do.ModelRequested
) -> tuple[State, tuple[Effect, ...]]:
    """The state after the action, and what is to be done: the last wish is always carried out.

    An `up` that was asked for while nothing loaded runs as soon as the files load, and is dropped
    where they still do not.
    """
    match action:
        case do.ModelRequested():
            if state.model_loading:
                return replace(state, model_stale=True), ()
            return replace(state, model_loading=True), (LoadModel(),)
        case do.ModelFailed(problem, files):
            after, again = _end_loading(state)
            after = replace(
                after,
                model_problem=problem,
                model_files=files or state.model_files,
                wanted_up=state.wanted_up if again else None,
            )
            return after, again
        case do.ModelLoaded(project, files, environment):
            after, again = _end_loading(state)
            before = state.project
            changed = before is not None and before.document != project.document
            after = replace(
                after,
                environment=replace(environment or state.environment, name=project.name),
                project=project,
                model_problem=None,
                model_files=files or state.model_files,
                model_changed=state.model_changed or (changed and not _applies_itself(state)),
            )
            if state.wanted_up is None or again:
                return after, again
            wanted, after = state.wanted_up, replace(after, wanted_up=None)
            return after, () if after.busy else (RunOperation(OperationKind.UP, wanted),)


def _applies_itself(state: State) -> bool:
    """Whether the watch brings up what a changed model asks for; where it fails, it says so."""
    return state.watch is not None and state.watch.applies_models


def _end_loading(state: State) -> tuple[State, tuple[Effect, ...]]:
    again = state.model_stale
    after = replace(state, model_loading=again, model_stale=False)
    return after, (LoadModel(),) if again else ()
