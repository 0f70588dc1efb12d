"""Hooks in the state: when they are asked for, their order, and on the timeline."""

from __future__ import annotations

import pytest

from devenv.report.hooks import render_hook
from devenv.report.timelines import html, svg, text
from devenv.state import actions as do
from devenv.state.effects import Effect, RunHooks
from devenv.state.hooks import (
    AFTER_START,
    HookRun,
    HookStatus,
    find_failed,
    is_under_way,
    replace_event,
)
from devenv.state.model import Operation, OperationKind, Problem, State
from devenv.state.reduce import reduce
from devenv.state.timeline import resolve_timeline
from devenv.state.timeline_document import parse_timeline, timeline_to_json
from devenv.values import replace
from tests.unit.projects import make_container, make_project, make_state

RUN = HookRun("after_healthy", "./x")
T0 = 1000.0


def _run(*actions: do.Action, state: State | None = None) -> tuple[State, list[Effect]]:
    state = state or make_state()
    effects: list[Effect] = []
    for action in actions:
        state, asked = reduce(state, action)
        effects += asked
    return state, [effect for effect in effects if isinstance(effect, RunHooks)]


LOADED = do.ModelLoaded(make_project({"app": {"image": "app"}}))
UP_CONTAINER = do.ContainerChanged(make_container("app", started_at=T0 + 2, created_at=T0 + 1))


@pytest.mark.parametrize(
    ("kind", "problem", "asked"),
    [
        (OperationKind.UP, None, [RunHooks(AFTER_START)]),
        (OperationKind.UP, Problem("no"), []),
        (OperationKind.RESTART, None, []),
        (OperationKind.RECREATE, None, []),
    ],
)
def test_hooks_follow_an_up_that_ends_well(
    kind: OperationKind, problem: Problem | None, asked: list[Effect]
) -> None:
    began = do.OperationStarted(Operation(kind, started_at=T0))
    ended = do.OperationFinished(kind, problem, T0 + 3)
    for order in ((UP_CONTAINER, ended), (ended, UP_CONTAINER)):
        _, effects = _run(LOADED, began, *order, UP_CONTAINER)
        assert effects == asked


def test_hooks_of_an_event_are_replaced_in_their_place() -> None:
    before, after = HookRun("before_up", "a"), HookRun("after_healthy", "b")
    runs = replace_event((), "before_up", [before])
    runs = replace_event(runs, "after_healthy", [after])
    done = replace(before, status=HookStatus.DONE)
    assert replace_event(runs, "before_up", [done]) == (done, after)
    assert replace_event(runs, "after_switch", [RUN]) == (before, after, RUN)
    state, _ = _run(do.HooksChanged("before_up", (before,)), do.HooksChanged(None))
    assert state.hooks == ()


def test_after_a_failure_nothing_is_under_way() -> None:
    failed = replace(RUN, status=HookStatus.FAILED)
    assert is_under_way((RUN,)) and not is_under_way((failed, RUN))
    assert find_failed((RUN, failed)) == failed
    assert not is_under_way(())


def test_the_retry_goes_on_with_what_failed() -> None:
    done, failed = replace(RUN, status=HookStatus.DONE), replace(RUN, status=HookStatus.FAILED)
    switched = replace(failed, event="after_switch")
    for runs, asked in (
        ((done, failed, RUN), RunHooks(AFTER_START, 1)),
        ((done, done, switched), RunHooks(("after_switch",), 0)),
    ):
        _, effects = _run(do.HooksChanged(None, runs), do.HooksRequested())
        assert effects == [asked]
    _, effects = _run(do.HooksChanged(None, (done,)), do.HooksRequested())
    assert effects == []


def test_hooks_stand_on_the_timeline_there_and_back() -> None:
    before = HookRun("before_up", "a", None, HookStatus.DONE, T0 - 3, T0 - 1, 0)
    after = HookRun("after_healthy", "b<c", "app", HookStatus.FAILED, T0 + 4, T0 + 5, 3)
    old = HookRun("after_healthy", "old", None, HookStatus.DONE, T0 - 9, T0 - 8, 0)
    state, _ = _run(
        LOADED,
        do.OperationStarted(Operation(OperationKind.UP, started_at=T0)),
        UP_CONTAINER,
        do.OperationFinished(OperationKind.UP, None, T0 + 3),
        do.HooksChanged(None, (before, old, after)),
    )
    timeline = resolve_timeline(state, T0 + 10)
    assert timeline is not None
    assert [(hook.text, hook.begin, hook.seconds) for hook in timeline.hooks] == [
        ("a", -3, 2),
        ("b<c in app", 4, 1),
    ]
    assert parse_timeline(timeline_to_json(timeline)).hooks == timeline.hooks
    older = {k: v for k, v in timeline_to_json(timeline).items() if k != "hooks"}
    assert parse_timeline(older).hooks == ()
    shown = text.render(timeline)
    assert "before_up: a, 2.0 s before the start" in shown
    assert "after_healthy: b<c in app, failed after 1.0 s, exit code 3" in shown
    for page in (svg.render(timeline), html.render(timeline)):
        assert "b&lt;c in app" in page


@pytest.mark.parametrize(
    ("run", "shown"),
    [
        (replace(RUN, status=HookStatus.RUNNING), ("◐", "after_healthy: ./x")),
        (
            replace(RUN, status=HookStatus.DONE, started_at=1.0, ended_at=3.5),
            ("✓", "after_healthy: ./x, 2.5 s"),
        ),
        (
            replace(RUN, status=HookStatus.SKIPPED, service="app", detail="app is not running"),
            ("◌", "after_healthy: ./x in app: skipped, app is not running"),
        ),
        (
            replace(RUN, status=HookStatus.FAILED, detail="not allowed"),
            ("✗", "after_healthy: ./x: not allowed"),
        ),
    ],
)
def test_words(run: HookRun, shown: tuple[str, str]) -> None:
    assert render_hook(run) == shown
