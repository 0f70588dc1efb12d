"""Hooks in the terminal UI: running, failed, run again by a key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from devenv.state.actions import HooksChanged
from devenv.state.effects import CancelOperation, Effect, RunHooks, RunOperation
from devenv.state.hooks import HookRun, HookStatus
from devenv.state.model import OperationKind, Problem, State
from devenv.state.reduce import reduce
from tests.tui import states
from tests.tui.harness import make

SEED = HookRun("after_healthy", "./seed --small", None, HookStatus.DONE, states.NOW - 9, states.NOW)
MIGRATE = HookRun("after_healthy", "./migrate --latest", "app", HookStatus.WAITING)
PROBLEM = Problem(
    "The hook ./migrate --latest of after_healthy ended with exit code 3.",
    where="devenv.toml:14:3",
    fix="its output is in the logs, under hook",
    excerpt=("applying 0007_index.sql", "relation notes does not exist"),
)


def with_hooks(*runs: HookRun) -> State:
    return reduce(states.healthy(), HooksChanged(runs[0].event, runs))[0]


def running() -> State:
    return with_hooks(SEED, replace(MIGRATE, status=HookStatus.RUNNING, started_at=states.NOW - 4))


def failed() -> State:
    run = replace(
        MIGRATE,
        status=HookStatus.FAILED,
        started_at=states.NOW - 4,
        ended_at=states.NOW,
        exit_code=3,
        detail="exit code 3",
        problem=PROBLEM,
    )
    return with_hooks(SEED, run, HookRun("after_healthy", "./last"))


@pytest.mark.parametrize(
    ("build", "size"),
    [(running, (120, 36)), (failed, (120, 36)), (failed, (80, 24))],
    ids=["running", "failed", "failed-80x24"],
)
def test_hooks(
    snap_compare: Callable[..., bool], build: Callable[[], State], size: tuple[int, int]
) -> None:
    assert snap_compare(make(build(), states.lines()).app, terminal_size=size)


@pytest.mark.parametrize(
    ("build", "key", "effects"),
    [
        (failed, "H", [RunHooks(("after_healthy", "after_switch"), 1)]),
        (running, "H", []),
        (states.healthy, "H", []),
        (running, "x", [CancelOperation()]),
        (running, "u", []),
        (failed, "u", [RunOperation(OperationKind.UP)]),
    ],
    ids=["again", "not meanwhile", "nothing failed", "cancel", "up waits", "up goes on"],
)
async def test_keys(build: Callable[[], State], key: str, effects: list[Effect]) -> None:
    harness = make(build())
    async with harness.app.run_test(size=(120, 36)) as pilot:
        await pilot.press(key)
        assert harness.drain() == effects


@pytest.mark.parametrize(
    ("event", "kind"), [("before_up", OperationKind.UP), ("before_down", OperationKind.DOWN)]
)
async def test_a_hook_before_an_operation_brings_that_again(
    event: str, kind: OperationKind
) -> None:
    run = replace(MIGRATE, event=event, status=HookStatus.FAILED, problem=PROBLEM)
    harness = make(with_hooks(run))
    async with harness.app.run_test(size=(120, 36)) as pilot:
        await pilot.press("H")
        assert harness.drain() == [RunOperation(kind)]
