"""The Environments screen: what it shows, and what its keys ask for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rich.text import Text
from textual.pilot import Pilot
from textual.widgets import OptionList, Static
from textual.widgets._toast import Toast

from devenv.compose.names import EnvironmentName
from devenv.state.actions import EnvironmentActed, EnvironmentsLoaded
from devenv.state.effects import ActOnEnvironment, Effect, LoadEnvironments, RunOperation
from devenv.state.environments import Environments, EnvironmentView
from devenv.state.model import OperationKind, Problem
from devenv.tui.environments import EnvironmentsScreen, render_environments
from tests.tui import states
from tests.tui.harness import Harness, make, until

SIZE = (120, 36)
TOPIC = EnvironmentName("shop-feature-search-3fa2")
ROWS = (
    EnvironmentView(
        EnvironmentName("shop"),
        branch="main",
        profile="dev",
        state="5 of 5 up",
        running=5,
        containers=5,
        made_at=states.NOW - 9 * 86400,
        size_bytes=48 << 20,
        addresses=(("app", "localhost:3000"), ("mailer", "localhost:8025")),
        directory="~/src/shop",
        is_current=True,
    ),
    EnvironmentView(
        TOPIC,
        "branch",
        "feature/search",
        "search",
        "stopped",
        containers=4,
        made_at=states.NOW - 7200,
        size_bytes=3 << 30,
        directory="~/src/shop-[red]search[/red]",
    ),
    EnvironmentView(
        EnvironmentName("shop-fix-typo"),
        "branch",
        "fix/typo",
        state="data only",
        made_at=states.NOW - 300,
        directory="~/src/shop",
        gone="branch fix/typo is gone",
    ),
    EnvironmentView(
        EnvironmentName("shop-shared"), "shared", state="1 of 1 up", running=1, containers=1
    ),
)


async def open_environments(harness: Harness, pilot: Pilot[str]) -> None:
    await pilot.press("A")
    await until(pilot, lambda: isinstance(harness.app.screen, EnvironmentsScreen))
    await until(pilot, lambda: LoadEnvironments() in harness.drain())
    harness.dispatch(EnvironmentsLoaded(ROWS))
    await until(pilot, lambda: harness.app.screen.query_one(OptionList).option_count == len(ROWS))


def detail(harness: Harness) -> str:
    return str(harness.app.screen.query_one("#environments-text", Static).content)


def rows(harness: Harness) -> str:
    options = harness.app.screen.query_one(OptionList).options
    return "\n".join(o.prompt.plain if isinstance(o.prompt, Text) else "" for o in options)


def asked(harness: Harness) -> list[Effect]:
    return [e for e in harness.drain() if not isinstance(e, LoadEnvironments)]


async def test_another_environment_is_started_and_stopped() -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        await open_environments(harness, pilot)
        await until(pilot, lambda: "localhost:8025" in detail(harness))
        await pilot.press("down", "s")
        assert asked(harness) == []  # nothing of it runs
        await pilot.press("u", "u")
        assert asked(harness) == [ActOnEnvironment(TOPIC, "start")]  # once
        await until(pilot, lambda: "starting …" in rows(harness))
        harness.dispatch(EnvironmentActed(TOPIC, Problem("port 3100 is held", fix="free it")))
        await until(pilot, lambda: "port 3100 is held" in detail(harness))
        said = [n.message for n in harness.app._notifications]
        assert any("port 3100 is held" in words for words in said)
        await pilot.press("u")
        assert asked(harness)[-1] == ActOnEnvironment(TOPIC, "start")
        await until(pilot, lambda: "port 3100 is held" not in detail(harness))
        await pilot.press("escape")
        harness.dispatch(EnvironmentActed(TOPIC))
        await until(pilot, lambda: not isinstance(harness.app.screen, EnvironmentsScreen))


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 60)])
async def test_what_failed_is_told_in_short_and_hides_no_key(size: tuple[int, int]) -> None:
    harness = make(states.healthy())
    long = f"{TOPIC} has an override file that does not load: " + "services.app " * 30
    async with harness.app.run_test(size=size, notifications=True) as pilot:
        await open_environments(harness, pilot)
        harness.dispatch(EnvironmentActed(TOPIC, Problem(long, fix="repair it " * 40)))
        await until(pilot, lambda: bool(harness.app.screen.query(Toast)))
        box = harness.app.screen.query_one("#environments").region
        await until(pilot, lambda: harness.app.screen.query_one(Toast).region.height > 0)
        toast = harness.app.screen.query_one(Toast).region
        assert toast.height <= 6
        keys = box.bottom - 1  # the box's last line
        assert not toast.y <= keys < toast.bottom


@pytest.mark.parametrize(("key", "kind"), [("u", OperationKind.UP), ("s", OperationKind.STOP)])
async def test_the_one_that_is_shown_is_operated_as_ever(key: str, kind: OperationKind) -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        await open_environments(harness, pilot)
        await pilot.press(key)
        assert asked(harness) == [RunOperation(kind)]


async def test_what_is_gone_shared_or_has_no_address_is_said() -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        await open_environments(harness, pilot)
        await pilot.press("o")
        await harness.app.workers.wait_for_complete()
        assert harness.opened == ["http://localhost:3000"]
        await pilot.press("down", "y", "down")
        await until(pilot, lambda: "devenv gc removes it" in detail(harness))
        await pilot.press("down", "u", "s")
        assert asked(harness) == []
        said = " ".join(n.message for n in harness.app._notifications)
        assert "publishes no port" in said and "first user" in said


async def test_it_looks_again_on_its_own_and_keeps_the_cursor_and_what_was_seen() -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        await open_environments(harness, pilot)
        await pilot.press("down")
        looks = len(harness.drain())
        await until(pilot, lambda: len(harness.drain()) > looks)
        assert harness.effects[-1] == LoadEnvironments()
        harness.dispatch(EnvironmentsLoaded((), Problem("The Docker engine does not answer.")))
        await until(pilot, lambda: "does not answer" in detail(harness))
        assert TOPIC in rows(harness)
        known = harness.store.state.environments
        assert known is not None and not known.loading
        await until(pilot, lambda: len(harness.drain()) > looks + 1)
        harness.dispatch(EnvironmentsLoaded(ROWS[:1] + ROWS[2:3] + ROWS[1:2]))
        await until(pilot, lambda: rows(harness).endswith("3.0G"))
        screen = harness.app.screen
        assert isinstance(screen, EnvironmentsScreen)
        assert screen.chosen is not None and screen.chosen.name == TOPIC


@pytest.mark.parametrize("width", range(30, 140, 7))
def test_name_and_state_are_never_lost(width: int) -> None:
    head, drawn = render_environments(Environments(ROWS), states.NOW, width)
    for row, text in zip(ROWS, drawn, strict=True):
        assert row.name[:11] in text.plain and row.state in text.plain
        assert text.cell_len <= max(width, 48)
    assert "STATE" in head.plain


@pytest.mark.parametrize("size", [(120, 36), (80, 24)], ids=["wide", "80x24"])
def test_screen(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    harness = make(states.healthy(), states.lines())

    async def look(pilot: Pilot[str]) -> None:
        await open_environments(harness, pilot)
        await pilot.press("down", "down")
        await until(pilot, lambda: "gc" in detail(harness))

    assert snap_compare(harness.app, terminal_size=size, run_before=look)
