"""The model is loaded again: when a file changes, when it is asked for, and what waits for it."""

from __future__ import annotations

from devenv.compose.names import ServiceName
from devenv.state import actions as do
from devenv.state.effects import Effect, LoadModel, RunChecks, RunOperation
from devenv.state.model import Operation, OperationKind, Problem, State
from devenv.state.reduce import reduce
from tests.unit.projects import make_project, make_state

FILE, OTHER = "/src/shop/compose.yaml", "/src/shop/Dockerfile"
LOADED = do.ModelLoaded(make_project(), (FILE,))
FAILED = do.ModelFailed(Problem("no"), (FILE,))
APP = ServiceName("app")


def run(*actions: do.Action, state: State | None = None) -> tuple[State, list[Effect]]:
    state = state or make_state()
    effects: list[Effect] = []
    for action in actions:
        state, asked = reduce(state, action)
        effects += asked
    return state, effects


def test_a_change_of_one_of_its_files_loads_the_model_and_others_do_not() -> None:
    state, effects = run(LOADED, do.FilesChanged((OTHER,)))
    assert effects == [] and not state.model_loading
    state, effects = run(do.FilesChanged((OTHER, FILE)), state=state)
    assert effects == [LoadModel()] and state.model_loading
    assert not run(LOADED, state=state)[0].model_loading


def test_a_change_while_it_loads_loads_it_once_more() -> None:
    changed = do.FilesChanged((FILE,))
    state, effects = run(LOADED, changed, changed, changed)
    assert effects == [LoadModel()]
    state, effects = run(LOADED, state=state)
    assert effects == [LoadModel()] and state.model_loading
    state, effects = run(LOADED, state=state)
    assert effects == [] and not state.model_loading


def test_the_last_model_and_its_files_stay_while_the_files_are_broken() -> None:
    state, _ = run(LOADED, do.ModelFailed(Problem("no")))
    assert (state.project, state.model_files) == (LOADED.project, (FILE,))
    assert state.model_problem == Problem("no")
    state, _ = run(LOADED, state=state)
    assert state.model_problem is None and not state.model_changed


def test_an_up_while_nothing_loads_waits_for_the_files_and_is_dropped_where_they_do_not() -> None:
    asked = do.OperationRequested(OperationKind.UP, (APP,))
    state, effects = run(FAILED, asked)
    assert effects == [LoadModel()] and state.wanted_up == (APP,)
    good, effects = run(LOADED, state=state)
    assert effects == [RunOperation(OperationKind.UP, (APP,))] and good.wanted_up is None
    bad, effects = run(FAILED, state=state)
    assert effects == [] and bad.wanted_up is None
    assert run(LOADED, state=bad)[1] == []


def test_a_wish_outlives_a_reading_that_a_later_change_has_made_stale() -> None:
    asked = do.OperationRequested(OperationKind.UP)
    state, _ = run(FAILED, asked, do.FilesChanged((FILE,)), FAILED)
    assert state.model_loading and state.wanted_up == ()
    assert run(LOADED, state=state)[1] == [RunOperation(OperationKind.UP)]


def test_other_operations_need_no_model() -> None:
    _, effects = run(FAILED, do.OperationRequested(OperationKind.STOP))
    assert effects == [RunOperation(OperationKind.STOP)]


def test_files_that_say_something_else_are_marked_until_all_is_started() -> None:
    other = do.ModelLoaded(make_project({"app": {"image": "other"}}))
    state, _ = run(LOADED, other)
    assert state.model_changed
    one = do.OperationStarted(Operation(OperationKind.UP, (APP,)))
    assert run(one, state=state)[0].model_changed
    assert not run(do.OperationStarted(Operation(OperationKind.UP)), state=state)[0].model_changed


def test_the_checks_run_after_a_change_only_where_they_ran_before() -> None:
    state, effects = run(LOADED, do.ChecksRequested(), do.FilesChanged((OTHER,)))
    assert effects == [RunChecks()] and state.checks_stale
    assert run(LOADED, do.FilesChanged((OTHER,)))[1] == []


def test_the_name_on_the_containers_is_shown_until_a_model_says_it() -> None:
    name = make_project().name
    state, _ = run(do.EnvironmentNamed(name))
    assert state.environment.name == name
