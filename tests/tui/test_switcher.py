"""The switcher: finding a profile or a branch, its plan, and what the keys do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from devenv.state.actions import SwitchChoicesLoaded, SwitcherClosed, SwitchPreviewed
from devenv.state.effects import LoadSwitchChoices, PreviewSwitch
from devenv.state.model import Problem
from devenv.state.switcher import (
    SwitchChoice,
    SwitchKind,
    SwitchPreview,
    SwitchTarget,
    parse_target,
)
from devenv.tui.switcher import LOOK_SECONDS, SHOWN, SwitcherScreen
from tests.tui import states
from tests.tui.harness import Harness, make, until

SIZE = (120, 36)


def profile(name: str, description: str = "", current: bool = False) -> SwitchChoice:
    return SwitchChoice(SwitchTarget(SwitchKind.PROFILE, name), description, current)


def branch(name: str, current: bool = False, refusal: str = "") -> SwitchChoice:
    return SwitchChoice(SwitchTarget(SwitchKind.BRANCH, name), "", current, refusal)


CHOICES = (
    profile("dev", "The app with its database"),
    profile("search", "Search stack · branch feature/search-index matches in devenv.toml", True),
    branch("feature/search-index", True),
    branch("main"),
    branch("fix/[red]markup[/red]", refusal="checked out in ~/src/shop-fix"),
)
PLAN = (
    "stop    search  not in the selection any more",
    "keep    db      runs with this configuration",
    "create  mailer  has no container yet",
)


async def open_switcher(
    harness: Harness, pilot: Pilot[str], choices: tuple[SwitchChoice, ...] = CHOICES
) -> None:
    await pilot.press("G")
    await until(pilot, lambda: isinstance(harness.app.screen, SwitcherScreen))
    await until(pilot, lambda: LoadSwitchChoices() in harness.drain())
    harness.dispatch(SwitchChoicesLoaded(choices))
    await until(pilot, lambda: listed(harness) is not None)


def screen(harness: Harness) -> SwitcherScreen:
    assert isinstance(harness.app.screen, SwitcherScreen)
    return harness.app.screen


def listed(harness: Harness) -> list[str] | None:
    found = screen(harness)._listed
    return None if found is None else [choice.target.name for choice in found]


def shown(harness: Harness) -> str:
    return str(screen(harness).query_one("#switcher-text", Static).content)


async def test_the_plan_of_the_one_under_the_cursor_is_made_and_enter_takes_it() -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        await open_switcher(harness, pilot)
        target = CHOICES[0].target
        await until(pilot, lambda: PreviewSwitch(target) in harness.drain())
        assert "making the plan" in shown(harness)
        harness.dispatch(SwitchPreviewed(target, SwitchPreview(PLAN)))
        await until(pilot, lambda: "create  mailer" in shown(harness))
        await pilot.press("down", "down", "down")
        await until(pilot, lambda: PreviewSwitch(CHOICES[3].target) in harness.drain())
        problem = Problem("compose.yaml does not load", fix="repair it")
        harness.dispatch(SwitchPreviewed(CHOICES[3].target, SwitchPreview(problem=problem)))
        await until(pilot, lambda: "does not load" in shown(harness))
        await pilot.press("up", "up", "up", "enter")
        await pilot.pause()
        assert harness.app.return_value == "switch profile dev"
        assert parse_target(harness.app.return_value) == target
        asked = [e.target for e in harness.drain() if isinstance(e, PreviewSwitch)]
        assert asked == [CHOICES[0].target, CHOICES[3].target]  # each plan once
        assert harness.store.state.switcher is None


async def test_typing_finds_and_escape_leaves_all_as_it_is() -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        await open_switcher(harness, pilot)
        await pilot.press(*"mai")
        await until(pilot, lambda: listed(harness) == ["main"])
        await pilot.press(*"xx")
        await until(pilot, lambda: listed(harness) == [])
        await pilot.press("enter")
        assert "Nothing has that name" in shown(harness)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(harness.app.screen, SwitcherScreen))
        harness.drain()
        assert harness.store.state.switcher is None and harness.app.return_value is None
        # what is answered too late opens nothing
        harness.dispatch(SwitchPreviewed(CHOICES[0].target, SwitchPreview(PLAN)))
        assert harness.store.state.switcher is None


@pytest.mark.parametrize("row", [1, 2, 4], ids=["profile-in-use", "branch-in-use", "elsewhere"])
async def test_what_is_in_use_or_elsewhere_is_not_switched_to(row: int) -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        await open_switcher(harness, pilot)
        await pilot.press(*["down"] * row)
        assert screen(harness).choice == CHOICES[row]
        assert ("in use now" if row < 4 else "checked out in ~/src/shop-fix") in shown(harness)
        await pilot.pause(LOOK_SECONDS * 2)
        await pilot.press("enter")
        await pilot.pause()
        assert harness.app.return_value is None
        assert PreviewSwitch(CHOICES[row].target) not in harness.drain()


async def test_nothing_is_switched_while_an_operation_runs() -> None:
    harness = make(states.starting())
    async with harness.app.run_test(size=SIZE) as pilot:
        await open_switcher(harness, pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert harness.app.return_value is None
        assert isinstance(harness.app.screen, SwitcherScreen)


async def test_thousands_of_branches_are_listed_as_far_as_one_can_look() -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        await open_switcher(harness, pilot, tuple(branch(f"topic/{n}") for n in range(5000)))
        assert len(listed(harness) or ()) == SHOWN
        await pilot.press(*"4999")
        await until(pilot, lambda: listed(harness) == ["topic/4999"])


async def test_what_kept_a_switch_from_being_done_is_said_in_the_next_ui() -> None:
    harness = make(states.healthy())
    words = Problem("git switch main ended with exit code 1.", excerpt=("error: local changes",))
    harness.app._ports = replace(harness.app._ports, notice=words)
    async with harness.app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: bool(harness.app._notifications))
        assert "local changes" in next(iter(harness.app._notifications)).message


@pytest.mark.parametrize("text", ["leave", "switch", None, "switch profile"])
def test_other_answers_are_no_target(text: str | None) -> None:
    assert parse_target(text) is None


def test_closing_twice_changes_nothing() -> None:
    harness = make(states.healthy())
    before = harness.store.state
    harness.dispatch(SwitcherClosed())
    assert harness.store.state == before


@pytest.mark.parametrize("size", [(120, 36), (80, 24)], ids=["wide", "80x24"])
def test_switcher(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    harness = make(states.healthy(), states.lines())

    async def look(pilot: Pilot[str]) -> None:
        await open_switcher(harness, pilot)
        harness.dispatch(SwitchPreviewed(CHOICES[0].target, SwitchPreview(PLAN)))
        await until(pilot, lambda: "create  mailer" in shown(harness))
        await pilot.pause()

    assert snap_compare(harness.app, terminal_size=size, run_before=look)
