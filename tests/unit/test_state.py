"""The reducer, service states, readiness, the store, log lines and harmless text."""

from __future__ import annotations

import asyncio

import pytest

from devenv.compose.model import Condition
from devenv.compose.names import ServiceName
from devenv.state import actions as do
from devenv.state.containers import ContainerId, Health, PublishedPort
from devenv.state.effects import CancelOperation, Effect, ExplainFailure, RunOperation
from devenv.state.model import (
    EngineStatus,
    Hold,
    Operation,
    OperationKind,
    Problem,
    ServiceState,
    ServiceStatus,
    State,
)
from devenv.state.readiness import Outcome, resolve_outcome
from devenv.state.reduce import reduce
from devenv.state.services import resolve_status
from devenv.state.store import Store
from devenv.state.usage import Usage
from tests.unit.projects import make_container, make_project, make_state

APP, DB = ServiceName("app"), ServiceName("db")


def run(*actions: do.Action, state: State | None = None) -> tuple[State, list[Effect]]:
    state = state or make_state()
    effects: list[Effect] = []
    for action in actions:
        state, asked = reduce(state, action)
        effects += asked
    return state, effects


def status(state: State, name: ServiceName) -> ServiceStatus:
    service = state.service(name)
    assert service is not None
    return service.status


LOADED = do.ModelLoaded(make_project())
UP = do.OperationStarted(Operation(OperationKind.UP))


def test_a_dependent_holds_until_its_dependency_is_healthy() -> None:
    starting = do.ContainerChanged(make_container("db", health=Health.STARTING))
    state, _ = run(LOADED, UP, starting)
    app = state.service(APP)
    assert app is not None
    assert app.status is ServiceStatus.WAITING
    assert app.hold == Hold(DB, Condition.HEALTHY, "waits for db to be healthy")
    healthy = do.ContainerChanged(make_container("db", health=Health.HEALTHY))
    state, _ = run(healthy, state=state)
    app = state.service(APP)
    assert app is not None
    assert (app.status, app.hold) == (ServiceStatus.STARTING, None)


def test_services_are_in_start_order_and_the_project_names_the_environment() -> None:
    state, _ = run(LOADED, do.ContainerChanged(make_container("stray")))
    assert [service.name for service in state.services] == ["db", "app", "stray"]
    assert "not in this profile" in state.services[2].detail
    assert state.environment.name == "shop"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"health": Health.HEALTHY}, ServiceStatus.HEALTHY),
        ({"health": Health.UNHEALTHY}, ServiceStatus.UNHEALTHY),
        ({}, ServiceStatus.RUNNING),
        ({"state": "paused"}, ServiceStatus.PAUSED),
        ({"state": "exited", "exit_code": 0}, ServiceStatus.COMPLETED),
        ({"state": "exited", "exit_code": 0, "stopped": True}, ServiceStatus.STOPPED),
        ({"state": "exited", "exit_code": 3}, ServiceStatus.FAILED),
        ({"state": "exited", "exit_code": 3, "stopped": True}, ServiceStatus.STOPPED),
        ({"state": "exited", "exit_code": 137, "stopped": True}, ServiceStatus.STOPPED),
        ({"state": "exited", "exit_code": 137, "stopped": False}, ServiceStatus.FAILED),
        ({"state": "exited", "exit_code": 143, "stopped": False}, ServiceStatus.FAILED),
        ({"state": "exited", "exit_code": 137}, ServiceStatus.STOPPED),
        ({"state": "exited", "exit_code": 137, "oom_killed": True}, ServiceStatus.FAILED),
        ({"state": "restarting", "exit_code": 1, "restart_count": 1}, ServiceStatus.RESTARTING),
        ({"state": "restarting", "exit_code": 1, "restart_count": 3}, ServiceStatus.FAILED),
        ({"state": "created", "started_at": None}, ServiceStatus.STOPPED),
    ],
)
def test_status_of_a_container(values: dict[str, object], expected: ServiceStatus) -> None:
    assert resolve_status([make_container("app", **values)])[0] is expected


def test_the_worst_replica_counts() -> None:
    broken = make_container("app", id="b", state="exited", exit_code=1)
    assert resolve_status([make_container("app"), broken]) == (
        ServiceStatus.FAILED,
        "1 of 2 up, exit code 1",
    )


def test_a_failure_is_explained_once_and_forgotten_when_it_is_over() -> None:
    failed = do.ContainerChanged(make_container("db", state="exited", exit_code=3))
    state, effects = run(LOADED, failed, failed)
    assert effects == [ExplainFailure(DB, ContainerId("id-db"))]
    state, _ = run(do.FailureExplained(DB, Problem("because")), state=state)
    db = state.service(DB)
    assert db is not None and db.problem == Problem("because")
    state, effects = run(do.ContainerChanged(make_container("db")), state=state)
    assert not state.problems and not effects
    assert status(state, DB) is ServiceStatus.RUNNING


def test_one_operation_at_a_time_and_cancel_only_while_it_runs() -> None:
    ask = do.OperationRequested(OperationKind.RESTART, (APP,))
    state, effects = run(LOADED, ask, do.CancelRequested())
    assert effects == [RunOperation(OperationKind.RESTART, (APP,))]
    state, effects = run(UP, ask, do.CancelRequested(), state=state)
    assert effects == [CancelOperation()]
    state, _ = run(do.OperationFinished(OperationKind.UP, Problem("no")), state=state)
    assert not state.busy
    assert state.operation is not None and state.operation.problem == Problem("no")


def test_building_shows_and_ends_with_the_operation() -> None:
    state, _ = run(LOADED, UP, do.BuildProgressed(APP, "4/7 RUN npm ci"))
    app = state.service(APP)
    assert app is not None and (app.status, app.detail) == (
        ServiceStatus.BUILDING,
        "4/7 RUN npm ci",
    )
    state, _ = run(do.OperationFinished(OperationKind.UP), state=state)
    assert status(state, APP) is ServiceStatus.STOPPED


def test_the_engine_goes_and_comes_back() -> None:
    gone = do.EngineLost(Problem("no answer"))
    state, _ = run(LOADED, do.ContainersObserved((make_container("db"),)), gone)
    assert (state.engine, len(state.containers)) == (EngineStatus.LOST, 1)
    state, _ = run(do.ContainersObserved(()), do.EngineConnected("28.0"), state=state)
    assert (state.engine, state.engine_problem, len(state.containers)) == (
        EngineStatus.CONNECTED,
        None,
        0,
    )


def test_usage_of_removed_containers_is_dropped() -> None:
    container = make_container("db")
    usage = do.UsageMeasured({container.id: Usage(1.5, 10), ContainerId("no"): Usage(1, 1)})
    state, _ = run(LOADED, do.ContainerChanged(container), usage)
    db = state.service(DB)
    assert db is not None and db.usage == Usage(1.5, 10)
    state, _ = run(do.ContainerRemoved(container.id), state=state)
    assert not state.usage


def test_ports_are_listed_once_for_both_address_families() -> None:
    ports = (PublishedPort("0.0.0.0", 80, 80), PublishedPort("::", 80, 80))
    service = ServiceState(
        APP, ServiceStatus.RUNNING, containers=(make_container("a", ports=ports),)
    )
    assert service.ports == (PublishedPort("0.0.0.0", 80, 80),)


WANTED = frozenset({APP, DB})
DONE = do.OperationFinished(OperationKind.UP)


def test_a_start_is_over_when_all_is_ready_and_one_shots_count() -> None:
    db = do.ContainerChanged(make_container("db", health=Health.HEALTHY))
    state, _ = run(LOADED, UP, db, do.ContainerChanged(make_container("app")))
    assert resolve_outcome(state, WANTED) is None
    state, _ = run(DONE, state=state)
    assert resolve_outcome(state, WANTED) == Outcome(ready=(DB, APP))
    done = do.ContainerChanged(make_container("app", state="exited", exit_code=0))
    state, _ = run(done, state=state)
    assert resolve_outcome(state, WANTED) == Outcome(ready=(DB, APP))


def test_a_start_that_fails_names_who_failed() -> None:
    failed = do.ContainerChanged(make_container("db", state="exited", exit_code=1))
    state, _ = run(LOADED, UP, failed, DONE)
    assert resolve_outcome(state, WANTED) == Outcome(failed=(DB,))


def test_a_service_without_replicas_is_not_waited_for() -> None:
    state, _ = run(do.ModelLoaded(make_project({"app": {"scale": 0}})), UP, DONE)
    assert resolve_outcome(state, {APP}) == Outcome(ready=(APP,))


async def test_the_store_tells_subscribers_once_per_batch() -> None:
    store = Store(make_state())
    seen: list[State] = []
    effects: list[Effect] = []
    asked = asyncio.Event()
    store.subscribe(seen.append)
    store.subscribe(lambda state: asked.set())
    store.set_effect_runner(effects.append)
    for _ in range(300):
        await store.dispatch(do.ContainerChanged(make_container("db")))
    await store.dispatch(do.OperationRequested(OperationKind.UP))
    reducing = asyncio.create_task(store.run())
    await asked.wait()
    reducing.cancel()
    await asyncio.gather(reducing, return_exceptions=True)
    assert len(seen) == 1 and effects == [RunOperation(OperationKind.UP)]
