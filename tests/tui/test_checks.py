"""The Checks tab: filter, edit, fix, run again."""

from __future__ import annotations

import pytest
from textual.widgets import OptionList, Static

from devenv.state import actions as do
from devenv.state.effects import ApplyFix, RunChecks
from devenv.state.model import Problem, State
from devenv.state.reduce import reduce
from devenv.tui.tabs.checks import Tab
from tests.tui import states
from tests.tui.harness import Harness, make, until

SIZE = (120, 36)


def rows(harness: Harness) -> list[str]:
    options = harness.app.query_one("#checks-list", OptionList)
    return [str(option.prompt) for option in options.options]


async def test_the_worst_comes_first_and_a_service_shows_its_own() -> None:
    harness = make(states.checked())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.press("C")
        await until(pilot, lambda: len(rows(harness)) == 3)
        assert rows(harness)[0].startswith("✗ env-file-tracked  .env:2")
        await pilot.press("down")
        names = [row.name for row in harness.store.state.services]
        harness.app.query_one("#services", OptionList).highlighted = names.index(states.name("app"))
        await until(pilot, lambda: len(rows(harness)) == 2)


async def test_filter_and_escape() -> None:
    harness = make(states.checked())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.press("C", "n", *"slim")
        await until(pilot, lambda: len(rows(harness)) == 1)
        await pilot.press("escape")
        await until(pilot, lambda: len(rows(harness)) == 3)


async def test_a_fix_is_asked_for_only_where_there_is_one() -> None:
    harness = make(states.checked())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.press("C")
        await until(pilot, lambda: len(rows(harness)) == 3)
        harness.app.query_one("#checks-list").focus()
        await pilot.press("a")
        await pilot.pause()
        assert harness.drain() == []
        await pilot.press("down", "a")
        await pilot.pause()
        checks = harness.store.state.checks
        assert checks is not None
        assert harness.drain() == [ApplyFix(checks.result.findings[1])]


async def test_a_fix_is_shown_before_it_is_applied() -> None:
    harness = make(states.checked())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.press("C")
        await until(pilot, lambda: len(rows(harness)) == 3)
        harness.app.query_one("#checks-list").focus()
        await pilot.press("down")
        detail = harness.app.query_one("#checks-detail-text", Static)
        shown = str(detail.render())
        assert "+    depends_on: {cache: {condition: service_healthy}}" in shown
        assert "a applies the fix" in shown


async def test_tab_goes_from_the_services_to_the_findings() -> None:
    harness = make(states.checked())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.press("C")
        await until(pilot, lambda: len(rows(harness)) == 3)
        await pilot.press("tab", "down", "down")
        options = harness.app.query_one("#checks-list", OptionList)
        assert options.highlighted == 2
        await pilot.press("escape")
        assert harness.app.query_one("#services").has_focus


async def test_enter_opens_the_editor_at_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    harness = make(states.checked())
    asked: list[tuple[str, int]] = []
    async with harness.app.run_test(size=SIZE) as pilot:
        monkeypatch.setattr(
            "devenv.tui.app.open_editor",
            lambda app, ports, path, line: asked.append((path, line)),
        )
        await pilot.press("C")
        await until(pilot, lambda: len(rows(harness)) == 3)
        harness.app.query_one("#checks-list").focus()
        await pilot.press("enter")
        await until(pilot, lambda: bool(asked))
    assert asked == [("/src/shop/.env", 2)]


async def test_t_runs_the_checks_again() -> None:
    harness = make(states.checked())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.press("C", "t")
        await pilot.pause()
        assert harness.drain() == [RunChecks()]


def test_a_change_while_the_checks_run_runs_them_once_more() -> None:
    state, effects = reduce(states.empty(), do.ChecksRequested())
    assert effects == (RunChecks(),)
    state, effects = reduce(state, do.FilesChanged(("/src/shop/.env",)))
    state, more = reduce(state, do.FilesChanged(("/src/shop/.env",)))
    assert (effects, more) == ((), ())
    checks = states.checked().checks
    assert checks is not None
    state, effects = reduce(state, do.ChecksFinished(checks))
    assert effects == (RunChecks(),)
    state, effects = reduce(state, do.ChecksFinished(checks))
    assert effects == () and not state.checking


def test_a_refused_start_is_a_finished_operation() -> None:
    problem = Problem("Nothing was started.")
    state: State = reduce(states.connected(), do.StartRefused(problem))[0]
    assert state.operation is not None
    assert (state.operation.finished, state.operation.problem) == (True, problem)


def test_the_tab_is_listed() -> None:
    assert (Tab.TITLE, Tab.KEY) == ("Checks", "C")
