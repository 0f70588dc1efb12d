"""What the state takes from the watch, what a user can ask of it, and what each service is at."""

from __future__ import annotations

from typing import Any

import pytest

from devenv.compose.names import ServiceName
from devenv.compose.watch.values import WatchAction
from devenv.state import actions as do
from devenv.state.effects import BuildNow, CancelBuilds, Effect, PauseWatch
from devenv.state.model import Problem, State
from devenv.state.reduce import reduce
from devenv.state.start_seen import BuildStepRun
from devenv.state.watch import Activity, Cause, Hold, Outcome, Watch, WatchStatus
from devenv.state.watch_events import (
    ActivityBegan,
    ActivityEnded,
    ImagesStale,
    WatchEvent,
    WatchHeld,
    WatchTurned,
    WorkQueued,
    see_watch,
)
from devenv.state.watch_services import Phase, resolve_watched
from tests.unit.projects import SAMPLE, make_project, make_state

APP, DB = ServiceName("app"), ServiceName("db")
ON = WatchTurned(1, WatchStatus.ON, files=3, services=(APP, DB))
REBUILD, SYNC, RELOAD = WatchAction.REBUILD, WatchAction.SYNC, WatchAction.RELOAD


def act(action: WatchAction, **more: Any) -> Activity:
    return Activity(1, action, (APP,), 10.0, **more)


def told(*events: WatchEvent) -> list[do.Action]:
    return [do.WatchTold(event) for event in events]


def run(*actions: do.Action, state: State | None = None) -> tuple[State, list[Effect]]:
    state = state or make_state()
    effects: list[Effect] = []
    for action in actions:
        state, asked = reduce(state, action)
        effects += asked
    return state, effects


LOADED = do.ModelLoaded(make_project())
OTHER = do.ModelLoaded(make_project({**SAMPLE, "db": {"image": "other"}}))


def test_a_model_that_the_watch_brings_up_needs_no_up() -> None:
    state, _ = run(LOADED, OTHER)
    assert state.model_changed
    state, _ = run(LOADED, *told(ON), OTHER)
    assert not state.model_changed
    failed = act(RELOAD, outcome=Outcome.FAILED, problem=Problem("no"))
    state, _ = run(*told(ActivityEnded(2, failed)), state=state)
    assert state.model_changed
    done = act(RELOAD, outcome=Outcome.DONE, seconds=1.0)
    assert not run(*told(ActivityEnded(3, done)), state=state)[0].model_changed


def test_a_model_that_changes_while_the_watch_is_paused_waits() -> None:
    paused = WatchHeld(2, Hold.PAUSE)
    state, _ = run(LOADED, *told(ON, paused), OTHER)
    assert state.model_changed


WISHES: list[do.Action] = [
    do.WatchPauseToggled(),
    do.WatchBuildRequested((APP,)),
    do.WatchCancelRequested(()),
]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((), []),
        ((ON,), [PauseWatch(True), BuildNow((APP,)), CancelBuilds()]),
        ((ON, WatchHeld(2, Hold.PAUSE)), [PauseWatch(False), BuildNow((APP,)), CancelBuilds()]),
        ((ON, WatchTurned(2, WatchStatus.FAILED, "no")), []),
        ((WatchTurned(2, WatchStatus.TAKEN, "pid 7", pid=7),), []),
    ],
)
def test_what_is_asked_of_a_watch(events: tuple[WatchEvent, ...], expected: list[Effect]) -> None:
    assert run(*told(*events), *WISHES)[1] == expected


def seen(*events: WatchEvent) -> Watch:
    watch = see_watch(None, ON)
    for event in events:
        watch = see_watch(watch, event)
    return watch


STEP = BuildStepRun("s", "2/4 RUN x", 11.0)
BUILDING = act(REBUILD, doing="build", steps=(STEP,))
SYNCED = act(SYNC, outcome=Outcome.DONE, seconds=0.12, count=3, causes=(Cause("a", SYNC, "x"),))


@pytest.mark.parametrize(
    ("events", "phase", "text"),
    [
        ((), Phase.WATCHING, ""),
        ((ActivityBegan(1, BUILDING),), Phase.BUILDING, "step 2/4 RUN x, 2.0 s"),
        (
            (ActivityBegan(1, BUILDING), WorkQueued(2, {APP: SYNC})),
            Phase.BUILDING,
            "step 2/4 RUN x, 2.0 s, then sync",
        ),
        ((ActivityBegan(1, act(REBUILD, doing="recreate")),), Phase.RECREATING, "2.0 s"),
        ((ActivityBegan(1, act(SYNC)),), Phase.SYNCING, "2.0 s"),
        ((ActivityBegan(1, act(WatchAction.RESTART)),), Phase.RESTARTING, "2.0 s"),
        ((ActivityEnded(1, SYNCED),), Phase.DONE, "synced 3 files in 120 ms"),
        (
            (
                ActivityEnded(
                    1,
                    act(
                        WatchAction.LIVE,
                        outcome=Outcome.DONE,
                        count=2,
                        causes=(
                            Cause("a", WatchAction.LIVE, ""),
                            Cause("b", WatchAction.LIVE, ""),
                        ),
                    ),
                ),
            ),
            Phase.DONE,
            "a, b are live",
        ),
        (
            (
                ActivityEnded(
                    1,
                    act(
                        REBUILD,
                        outcome=Outcome.FAILED,
                        problem=Problem("RUN x ended with 1", "Dockerfile:4"),
                    ),
                ),
            ),
            Phase.FAILED,
            "Dockerfile:4: RUN x ended with 1",
        ),
        (
            (ActivityEnded(1, act(REBUILD, outcome=Outcome.CANCELLED, text="by hand")),),
            Phase.WATCHING,
            "cancelled: by hand",
        ),
        ((WatchHeld(2, Hold.GIT, {APP: 4}, 4),), Phase.HOLDING, "4 held"),
        ((WatchHeld(2, Hold.GIT, {DB: 4}, 4), ActivityEnded(1, SYNCED)), Phase.DONE, None),
        ((WatchHeld(2, Hold.PAUSE, {APP: 1}, 1),), Phase.PAUSED, "1 held"),
        ((WatchHeld(2, Hold.PAUSE), ActivityBegan(1, BUILDING)), Phase.BUILDING, None),
        ((WatchTurned(2, WatchStatus.FAILED, "x"),), Phase.OFF, ""),
    ],
)
def test_what_a_service_is_at(
    events: tuple[WatchEvent, ...], phase: Phase, text: str | None
) -> None:
    found = resolve_watched(seen(*events), 12.0)
    assert [one.name for one in found] == [APP, DB]
    assert found[0].phase is phase
    if text is not None:
        assert found[0].text == text


def test_a_failed_build_stands_until_one_succeeds() -> None:
    failed = Activity(1, REBUILD, (APP, DB), 10.0, outcome=Outcome.FAILED, problem=Problem("no"))
    synced = Activity(2, SYNC, (APP,), 12.0, outcome=Outcome.DONE, seconds=0.1, count=1)
    watch = seen(ActivityEnded(1, failed), ActivityEnded(2, synced))
    assert watch.failures == {APP: failed, DB: failed}
    rows = resolve_watched(watch, 13.0)
    assert [(row.phase, row.failed) for row in rows] == [
        (Phase.DONE, failed),
        (Phase.FAILED, None),
    ]
    cancelled = Activity(3, REBUILD, (APP,), 13.0, outcome=Outcome.CANCELLED)
    assert APP in see_watch(watch, ActivityEnded(3, cancelled)).failures
    built = Activity(4, REBUILD, (APP, DB), 14.0, outcome=Outcome.DONE, seconds=1.0)
    watch = see_watch(watch, ActivityEnded(4, built))
    assert watch.failures == {}
    broken = Activity(5, SYNC, (DB,), 15.0, outcome=Outcome.FAILED, problem=Problem("gone"))
    assert see_watch(watch, ActivityEnded(5, broken)).failures == {DB: broken}


def test_what_can_be_cancelled_and_which_image_is_stale() -> None:
    watch = seen(ActivityBegan(1, BUILDING), ImagesStale(2, frozenset({DB})))
    assert (watch.can_cancel(None), watch.can_cancel(APP), watch.can_cancel(DB)) == (
        True,
        True,
        False,
    )
    assert [one.is_stale for one in resolve_watched(watch, 12.0)] == [False, True]
    queued = seen(WorkQueued(1, {DB: REBUILD, APP: SYNC}))
    assert (queued.can_cancel(None), queued.can_cancel(APP), queued.can_cancel(DB)) == (
        True,
        False,
        True,
    )
