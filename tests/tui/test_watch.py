"""The Watch tab: what it shows in each state, and what its keys ask for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.widgets import OptionList, Static

from devenv.state import actions as do
from devenv.state.build_logs import BuildLogs
from devenv.state.effects import BuildNow, CancelBuilds, CancelOperation, PauseWatch
from devenv.state.model import State
from devenv.state.watch import Outcome, WatchStatus
from devenv.state.watch_events import ActivityBegan, ActivityEnded, WatchTurned
from devenv.tui.watch_details import WatchDetails
from devenv.tui.watch_text import render_details
from devenv.values import replace
from tests.tui import states, watch_states
from tests.tui.harness import Harness, make, until
from tests.tui.test_shown import screen_text

SIZE = (120, 36)
SnapCompare = Callable[..., bool]


@pytest.mark.parametrize(
    ("build", "size", "theme", "keys"),
    [
        pytest.param(watch_states.quiet, (120, 36), None, ("B",), id="quiet"),
        pytest.param(watch_states.quiet, (80, 24), None, ("B",), id="quiet-80x24"),
        pytest.param(watch_states.building, (120, 36), None, ("B",), id="building"),
        pytest.param(watch_states.building, (80, 24), None, ("B",), id="building-80x24"),
        pytest.param(watch_states.building, (200, 50), None, ("B",), id="building-200x50"),
        pytest.param(watch_states.build_failed, (120, 36), None, ("B",), id="failed"),
        pytest.param(watch_states.build_failed, (120, 36), None, ("B", "enter"), id="failed-why"),
        pytest.param(watch_states.paused, (80, 24), "textual-light", ("B",), id="light-paused"),
        pytest.param(watch_states.git, (120, 36), "textual-light", ("B",), id="light-git"),
        pytest.param(watch_states.taken, (80, 24), None, ("B",), id="taken-80x24"),
    ],
)
def test_watch_screen(
    snap_compare: SnapCompare,
    build: Callable[[], State],
    size: tuple[int, int],
    theme: str | None,
    keys: tuple[str, ...],
) -> None:
    harness = make(build(), states.lines())
    watch_states.fill(harness.logs.builds)
    if theme:
        harness.app.theme = theme
    assert snap_compare(harness.app, terminal_size=size, press=keys)


def test_watch_screen_without_colours(
    snap_compare: SnapCompare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make(watch_states.build_failed(), states.lines()).app
    assert snap_compare(app, terminal_size=(80, 24), press=("B",))


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (watch_states.waiting, "begins once a start has ended well"),
        (watch_states.off, "off: --no-watch was given"),
        (watch_states.taken, "another devenv (pid 4711) watches"),
        (watch_states.broken, "the watch failed: The sources cannot be watched"),
        (watch_states.paused, "paused: 3 changed files held"),
        (watch_states.git, "holding for git: 5,000 changed files"),
    ],
)
async def test_why_nothing_is_brought_in(build: Callable[[], State], said: str) -> None:
    harness = make(build())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.press("B")
        await until(pilot, lambda: said in screen_text(harness))
        await pilot.press("p", "x")
        await pilot.pause()
        asked = harness.drain()
        is_on = build in (watch_states.paused, watch_states.git)
        assert asked == ([PauseWatch(build is watch_states.git)] if is_on else [])


async def test_keys_ask_for_builds_pauses_and_cancels() -> None:
    harness = make(watch_states.building())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.press("b")
        await until(pilot, lambda: harness.app.tabs.visible_tab.TITLE == "Watch")
        assert harness.drain() == []  # no service is chosen
        choose(harness, "db")
        await pilot.pause()
        await pilot.press("b")
        assert harness.drain() == []  # it has no build
        choose(harness, "app")
        await pilot.pause()
        await pilot.press("x", "p", "b")
        await pilot.pause()
        app = (states.name("app"),)
        assert harness.drain() == [CancelBuilds(app), PauseWatch(True), BuildNow(app)]
        await pilot.press("escape", "g", "x")
        await pilot.pause()
        assert harness.drain()[3:] == [CancelBuilds()]
        await pilot.press("p")  # in another tab it is that of the profile
        await pilot.pause()
        assert harness.drain()[3:] == [CancelBuilds()]
        assert harness.app.tabs.visible_tab.TITLE == "Profile"
        harness.dispatch(states.up())
        await pilot.press("B", "x")
        await pilot.pause()
        assert harness.drain()[-1] == CancelOperation()


def choose(harness: Harness, service: str) -> None:
    names = [row.name for row in harness.store.state.services]
    services = harness.app.query_one("#services", OptionList)
    services.highlighted = names.index(states.name(service))


async def test_enter_shows_why_and_the_output_as_it_comes() -> None:
    harness = make(watch_states.building())
    watch_states.fill(harness.logs.builds)
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.press("B")
        await until(pilot, lambda: "step 4/7 RUN npm ci" in screen_text(harness))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(harness.app.screen, WatchDetails))
        for words in ("app/package.json", "app/Dockerfile:8", "COPY package.json", "Using cache"):
            assert words in screen_text(harness)
        harness.logs.builds.append(4, "added 311 packages")
        await until(pilot, lambda: "added 311 packages" in screen_text(harness))
        harness.dispatch(do.WatchTold(ActivityEnded(states.NOW, watch_states.FAILED)))
        await until(pilot, lambda: "app/Dockerfile:9" in screen_text(harness))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(harness.app.screen, WatchDetails))


async def test_the_cursor_stays_on_its_change_while_others_come() -> None:
    harness = make(watch_states.quiet())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.press("B", "down")
        options = harness.app.query_one("#watch-list", OptionList)
        await until(pilot, lambda: options.highlighted == 1)
        harness.dispatch(do.WatchTold(ActivityBegan(states.NOW, watch_states.BUILDING)))
        await until(pilot, lambda: options.option_count == 4)
        assert options.highlighted == 2
        assert "worker" in str(options.get_option_at_index(2).prompt)


async def test_the_status_line_says_what_was_done_last() -> None:
    harness = make(watch_states.building())

    def status() -> str:
        return str(harness.app.query_one("#status", Static).content)

    async with harness.app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: "app, migrate: rebuilding, step 4/7 RUN npm ci" in status())
        assert "3.0 s · x cancels" in status()
        done = replace(watch_states.BUILDING, outcome=Outcome.DONE, seconds=2.1, doing="")
        harness.dispatch(do.WatchTold(ActivityEnded(states.NOW, done)))
        await until(pilot, lambda: "✓ app, migrate rebuilt in 2.1 s" in status())
        harness.dispatch(do.WatchTold(WatchTurned(states.NOW, WatchStatus.FAILED, "gone")))
        await until(pilot, lambda: "up is done" in status())


def test_the_output_of_builds_is_bounded() -> None:
    builds = BuildLogs(limit_bytes=100)
    for number in range(5):
        builds.append(1, f"{number} " + "x" * 8)
    for _ in range(7):
        builds.append(2, "y" * 10)
    assert (builds.lines(1), builds.dropped(1)) == ((), 0)
    assert builds.lines(2) == ("y" * 10,) * 7
    for number in range(6):
        builds.append(3, f"{number}" * 30)
    assert (builds.lines(2), builds.size_bytes) == ((), 90)
    assert builds.lines(3) == ("3" * 30, "4" * 30, "5" * 30)
    assert builds.dropped(3) == 3


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
@pytest.mark.parametrize(
    ("key", "title"),
    [("c", "Config"), ("V", "Env"), ("C", "Checks"), ("U", "Stats"), ("l", "Logs")],
)
async def test_another_tab_stays_in_front_after_watch(
    size: tuple[int, int], key: str, title: str
) -> None:
    harness = make(watch_states.quiet())
    async with harness.app.run_test(size=size) as pilot:
        await pilot.press("B")
        await until(pilot, lambda: isinstance(harness.app.focused, OptionList))
        await pilot.press(key)
        await until(pilot, lambda: _is_settled(harness))
        assert title == harness.app.tabs.visible_tab.TITLE
        await pilot.press("g")
        await until(pilot, lambda: _is_settled(harness))
        assert harness.app.tabs.visible_tab.TITLE == "Graph"


def _is_settled(harness: Harness) -> bool:
    """Whether the focus has left the tab that is not in front any more."""
    watch, focused = harness.app.tabs.find_tab("Watch"), harness.app.focused
    return focused is None or watch not in focused.ancestors


def test_the_step_of_a_cancelled_build_has_ended_and_not_failed() -> None:
    cancelled = replace(watch_states.FAILED, outcome=Outcome.CANCELLED, problem=None)
    said = render_details(cancelled, (), 0, now=states.NOW).plain
    assert "ended 1.8 s  4/7 RUN npm ci" in said and "failed" not in said
    said = render_details(watch_states.FAILED, (), 0, now=states.NOW).plain
    assert "failed 1.8 s  4/7 RUN npm ci" in said
