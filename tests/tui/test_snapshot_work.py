"""Saving and restoring snapshots from the UI: names, the list, questions, progress, the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.widgets import Input

from devenv.errors import DevenvError
from devenv.state.actions import (
    CancelRequested,
    OperationStarted,
    SnapshotAsked,
    SnapshotFinished,
    SnapshotRequested,
    SnapshotTold,
)
from devenv.state.effects import AnswerSnapshot, CancelSnapshot, RunSnapshot
from devenv.state.model import Operation, OperationKind, Problem, SnapshotRow, SnapshotVerb, State
from devenv.state.reduce import reduce
from devenv.state.store import Store
from devenv.tui.screens import Ask, Question
from devenv.tui.snapshots import SnapshotList
from devenv.values import replace
from tests.tui import states
from tests.tui.harness import Harness, make, until
from tests.tui.states import NOW

SIZE = (120, 36)
ROWS = (
    SnapshotRow("before-migration", "shop", "main", NOW - 90, 323 << 20),
    SnapshotRow("main", "shop", "main", NOW - 86400 * 3, 67 << 20),
    SnapshotRow("feature-search", "shop-feature-search-3fa2", "feature/\x1b[31msearch", 0, 1 << 31),
)
SAVE, RESTORE = SnapshotVerb.SAVE, SnapshotVerb.RESTORE


def make_with(rows: tuple[SnapshotRow, ...] = ROWS, state: State | None = None) -> Harness:
    harness = make(state or states.healthy())
    ports = replace(harness.app._ports, list_snapshots=lambda: rows)
    object.__setattr__(harness.app, "_ports", ports)
    return harness


def on_branch(branch: str | None) -> State:
    state = states.healthy()
    return replace(state, environment=replace(state.environment, branch=branch))


@pytest.mark.parametrize(
    ("branch", "name"),
    [("main", "main-2"), ("feature/search", "feature-search-2"), ("fix/a b", "fix-a-b")],
)
async def test_a_name_is_proposed_from_the_branch(branch: str, name: str) -> None:
    harness = make_with(state=on_branch(branch))
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.press("K")
        await until(pilot, lambda: isinstance(harness.app.screen, Ask))
        assert harness.app.screen.query_one(Input).value == name
        await pilot.press("enter")
        await until(pilot, lambda: RunSnapshot(SAVE, name) in harness.drain())


@pytest.mark.parametrize("name", ["a/b", "main"])
async def test_a_name_that_cannot_be_is_said(name: str) -> None:
    harness = make_with(state=on_branch("main"))
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.press("K")
        await until(pilot, lambda: isinstance(harness.app.screen, Ask))
        harness.app.screen.query_one(Input).value = name
        await pilot.press("enter")
        await until(pilot, lambda: len(harness.app._notifications) == 1)
        assert not any(isinstance(one, RunSnapshot) for one in harness.drain())


async def test_one_is_chosen_from_the_list_and_asked_about() -> None:
    harness = make_with()
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.press("Z")
        await until(pilot, lambda: isinstance(harness.app.screen, SnapshotList))
        await pilot.press("j", "enter")
        await until(pilot, lambda: RunSnapshot(RESTORE, "main") in harness.drain())
        harness.dispatch(SnapshotAsked("Replace the data of db?"))
        await until(pilot, lambda: isinstance(harness.app.screen, Question))
        await pilot.press("right", "enter")
        await until(pilot, lambda: AnswerSnapshot(True) in harness.drain())
        harness.dispatch(SnapshotFinished("Restored main: 67 MiB"))
        await until(pilot, lambda: len(harness.app._notifications) == 1)


async def test_nothing_to_restore_and_a_store_that_fails_are_said() -> None:
    def fail() -> tuple[SnapshotRow, ...]:
        raise DevenvError("The snapshots cannot be used.")

    harness = make_with(())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.press("Z")
        await until(pilot, lambda: len(harness.app._notifications) == 1)
        ports = replace(harness.app._ports, list_snapshots=fail)
        object.__setattr__(harness.app, "_ports", ports)
        await pilot.press("K")
        await until(pilot, lambda: len(harness.app._notifications) == 2)
        assert harness.drain() == []


async def test_what_is_under_way_is_not_disturbed_and_can_be_cancelled() -> None:
    harness = make_with()
    async with harness.app.run_test(size=SIZE) as pilot:
        harness.dispatch(SnapshotRequested(SAVE, "one"))
        harness.dispatch(SnapshotTold("saving db, 12.0 MiB of 67.0 MiB"))
        await pilot.press("K")
        await until(pilot, lambda: len(harness.app._notifications) == 1)
        await pilot.press("x")
        await until(pilot, lambda: CancelSnapshot() in harness.drain())
        harness.dispatch(SnapshotFinished("", Problem("save of snapshot one was cancelled.")))
        await until(pilot, lambda: len(harness.app._notifications) == 2)


def show_list(harness: Harness) -> tuple[str, ...]:
    return ("Z",)


def show_progress(harness: Harness) -> tuple[str, ...]:
    harness.dispatch(SnapshotRequested(SAVE, "before-migration"))
    harness.dispatch(SnapshotTold("saving db, 12.0 MiB of 67.0 MiB"))
    return ()


@pytest.mark.parametrize("size", [(120, 36), (80, 24)], ids=["120x36", "80x24"])
@pytest.mark.parametrize("show", [show_list, show_progress], ids=["list", "progress"])
def test_screen(
    snap_compare: Any, show: Callable[[Harness], tuple[str, ...]], size: tuple[int, int]
) -> None:
    harness = make_with()
    assert snap_compare(harness.app, terminal_size=size, press=show(harness))


def test_one_thing_at_a_time() -> None:
    state, effects = reduce(states.healthy(), SnapshotRequested(SAVE, "one"))
    assert effects == (RunSnapshot(SAVE, "one"),)
    assert reduce(state, SnapshotRequested(RESTORE, "two")) == (state, ())
    state, effects = reduce(state, CancelRequested())
    assert effects == (CancelSnapshot(),)
    state, effects = reduce(state, SnapshotFinished("Saved one"))
    assert state.snapshot is not None and state.snapshot.finished and effects == ()
    assert reduce(state, SnapshotTold("late"))[0] == state
    assert reduce(state, CancelRequested())[1] == ()
    store = Store(states.healthy())
    store.step(OperationStarted(Operation(OperationKind.UP)))
    assert reduce(store.state, SnapshotRequested(SAVE, "one"))[1] == ()
