"""The Env tab: missing first, values masked, a service's own, the editor at the line."""

from __future__ import annotations

import pytest
from textual.widgets import OptionList, Static

from devenv.compose.secrets import MASK
from devenv.state import actions as do
from tests.tui import states
from tests.tui.harness import Harness, make, until

SIZE = (120, 36)


def rows(harness: Harness) -> list[str]:
    options = harness.app.query_one("#env-list", OptionList)
    return [str(option.prompt) for option in options.options]


def detail(harness: Harness) -> str:
    return str(harness.app.query_one("#env-detail-text", Static).content)


async def test_what_is_missing_comes_first_and_no_value_is_shown() -> None:
    harness = make(states.with_env())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.press("V")
        await until(pilot, lambda: len(rows(harness)) == 5)
        assert rows(harness)[0].split() == [
            "✗",
            "API_TOKEN",
            "not",
            "set",
            "read",
            "at",
            "compose.yaml:21",
        ]
        assert "a container asks for it by name" in detail(harness)
        assert not any("hunter" in row or "3100" in row for row in rows(harness))
        harness.app.query_one("#env-list", OptionList).highlighted = 4
        await until(pilot, lambda: "duplicate on lines 2, 4" in detail(harness))
        assert f"○ .env:2  {MASK}  overridden" in detail(harness)
        assert "services.db.environment.POSTGRES_PASSWORD" in detail(harness)
        await pilot.press("M")
        await until(pilot, lambda: "hunter1" in detail(harness))
        assert ["APP_PORT", "3100", "the", "shell"] in [row.split() for row in rows(harness)]
        await pilot.press("M")
        await until(pilot, lambda: "hunter1" not in detail(harness))


async def test_a_service_shows_its_own_variables() -> None:
    harness = make(states.with_env())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.press("V")
        names = [row.name for row in harness.store.state.services]
        services = harness.app.query_one("#services", OptionList)
        services.highlighted = names.index(states.name("db"))
        await until(pilot, lambda: len(rows(harness)) == 2)
        services.highlighted = names.index(states.name("cache"))
        words = harness.app.query_one("#env-words", Static)
        await until(pilot, lambda: "cache reads no variable" in str(words.content))


async def test_enter_opens_the_editor_where_it_is_set_or_should_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    harness = make(states.with_env())
    asked: list[tuple[str, int]] = []
    async with harness.app.run_test(size=SIZE) as pilot:
        monkeypatch.setattr(
            "devenv.tui.app.open_editor",
            lambda app, ports, path, line: asked.append((path, line)),
        )
        await pilot.press("V")
        await until(pilot, lambda: len(rows(harness)) == 5)
        harness.app.query_one("#env-list").focus()
        await pilot.press("enter", "end", "enter")
        await until(pilot, lambda: len(asked) == 2)
    assert asked == [("/src/shop/.env", 1), ("/src/shop/.env", 4)]


async def test_an_empty_tab_says_why() -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.press("V")
        words = harness.app.query_one("#env-words", Static)
        await until(pilot, lambda: "t reads the env files" in str(words.content))
        harness.dispatch(do.ChecksRequested())
        await until(pilot, lambda: "are read …" in str(words.content))
