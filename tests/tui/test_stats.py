"""The Stats tab: its keys, what it says while there is nothing, and that it draws only changes."""

from __future__ import annotations

import pytest
from textual.widgets import Static, TabbedContent

from devenv.compose.names import ServiceName
from devenv.state import actions as do
from devenv.state.containers import ContainerId
from devenv.state.model import Problem
from devenv.state.usage import Usage
from devenv.tui.stats_table import StatsTable
from tests.tui import states
from tests.tui.harness import Harness, make, until

CACHE = ContainerId("id-cache")


def _rows(harness: Harness) -> list[str]:
    return [row.name for row in harness.app.query_one(StatsTable)._rows]


def _border(harness: Harness) -> str:
    return harness.app.query_one(TabbedContent).border_subtitle or ""


async def test_keys_and_clicks_choose_what_it_is_sorted_by() -> None:
    harness = make(states.measured())
    async with harness.app.run_test(size=(120, 36)) as pilot:
        await pilot.press("greater_than_sign")
        assert harness.app.query_one(TabbedContent).active == "tab-Logs"  # it says where it works
        await pilot.press("U")
        await until(pilot, lambda: "by start order" in _border(harness))
        assert _rows(harness) == ["cache", "db", "app ×2", "worker"]
        await pilot.press("greater_than_sign", "greater_than_sign")
        await until(pilot, lambda: "by CPU" in _border(harness))
        assert _rows(harness) == ["app ×2", "worker", "db", "cache"]
        await pilot.press("less_than_sign")
        await until(pilot, lambda: "by name" in _border(harness))
        await pilot.click("#stats-head", offset=(40, 0))
        await until(pilot, lambda: "by memory" in _border(harness))


async def test_only_lines_that_differ_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    harness = make(states.measured())
    async with harness.app.run_test(size=(120, 36)) as pilot:
        await pilot.press("U")
        await until(pilot, lambda: len(_rows(harness)) == 4)
        # Each line has moved on by a second; the one of cache is flat, and stays as it is.
        flat = do.UsageMeasured({ContainerId("id-cache"): harness.store.state.usage[CACHE]})
        rising = do.UsageMeasured({ContainerId("id-db"): Usage(50.0, 120 << 20)})
        table = harness.app.query_one(StatsTable)
        drawn: list[int] = []
        monkeypatch.setattr(table, "refresh_line", drawn.append)
        harness.dispatch(flat)
        harness.dispatch(rising)
        await until(pilot, lambda: 1 in drawn)
        assert 0 not in drawn


async def test_it_says_why_it_is_empty() -> None:
    harness = make(states.connected())
    async with harness.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("U")
        words = harness.app.query_one("#stats-words", Static)
        await until(pilot, lambda: "Nothing runs. u starts" in str(words.render()))
        harness.dispatch(do.ContainersObserved((states.container("db"),)))
        await until(pilot, lambda: "Measuring" in str(words.render()))
        harness.dispatch(do.UsageMeasured({ContainerId("id-db"): Usage(1.0, 1 << 20)}))
        await until(pilot, lambda: _rows(harness) == ["db"])
        assert not words.display
        harness.dispatch(do.EngineLost(Problem("gone")))
        await until(pilot, lambda: "once the engine answers" in str(words.render()))
        assert ServiceName("db") not in harness.store.state.usage_history
