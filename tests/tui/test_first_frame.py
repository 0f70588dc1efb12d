"""What happens around the first frame, and on a machine too busy for its timers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count

import pytest

from devenv.state.effects import RunOperation
from devenv.state.logs import LogLine
from devenv.state.model import OperationKind
from devenv.tui.app import DevenvApp
from tests.tui import states
from tests.tui.harness import Harness, make, until
from tests.tui.test_shown import screen_text


async def wait_for(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not seen():  # noqa: ASYNC110, the app has no event for it
            await asyncio.sleep(0)


@asynccontextmanager
async def in_first_frame() -> AsyncIterator[tuple[Harness, DevenvApp, asyncio.Task[str | None]]]:
    """An app that runs, and has no tabs yet."""
    harness = make(states.healthy())
    app = DevenvApp(harness.store, harness.logs, harness.app._ports)
    running = asyncio.create_task(app.run_async(headless=True, size=(120, 36)))
    try:
        await wait_for(lambda: app.is_running)
        assert not app.bindings and app._tabs is None
        yield harness, app, running
    finally:
        app.exit()
        async with asyncio.timeout(20):
            await running


async def test_keys_that_are_typed_before_there_are_tabs_act_once_there_are() -> None:
    async with in_first_frame() as (harness, app, _):
        for key in ("c", "u"):
            app.simulate_key(key)
        await wait_for(lambda: app._tabs is not None and app.tabs.visible_tab.TITLE == "Config")
        await wait_for(lambda: not harness.store._queue.empty())
        assert harness.drain() == [RunOperation(OperationKind.UP)]


async def test_the_first_frame_says_which_environment_this_is() -> None:
    async with in_first_frame() as (harness, app, _):
        harness.app = app
        await wait_for(lambda: "Services" in screen_text(harness))
        assert app._tabs is None
        header, *rest = screen_text(harness).splitlines()
        assert header.strip().startswith(harness.store.state.environment.name)
        assert len(rest) == 35


async def test_leaving_before_there_are_tabs() -> None:
    async with in_first_frame() as (_, app, running):
        app.exit("leave")
        async with asyncio.timeout(20):
            assert await running == "leave"


def drawn(harness: Harness) -> tuple[int, int]:
    """Columns and rows of what is on the screen."""
    lines = screen_text(harness).splitlines()
    return len(lines[0]), len(lines)


async def test_no_size_and_no_line_is_lost_where_timers_come_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=(120, 36)) as pilot:
        passed = count(step=0.009)  # between any two looks at the clock: more than 1/120 s
        monkeypatch.setattr("textual._time.get_time", lambda: time.monotonic() + next(passed))
        for size in ((90, 30), (100, 31)):
            await pilot.resize_terminal(*size)
        harness.logs.append([LogLine(int(states.NOW * 1e9), states.name("app"), "the last line")])
        await until(pilot, lambda: drawn(harness) == (100, 31))
        await until(pilot, lambda: "the last line" in screen_text(harness))
