"""What is shown: hostile text, many lines, and states that matter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from textual.color import Color
from textual.widgets import TabbedContent

from devenv.compose.names import ServiceName
from devenv.state import actions as do
from devenv.state.effects import LoadModel, RunOperation
from devenv.state.logs import LogLine
from devenv.state.model import Operation, OperationKind, Problem, State
from devenv.tui.log_view import LogView
from devenv.tui.text import render_header
from tests.tui import states
from tests.tui.harness import Harness, make, until

SIZE = (120, 36)


def screen_text(harness: Harness) -> str:
    strips = harness.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


HOSTILE = "[red]x[/]\x1b]0;owned\x07\x1b[2J[/nope]"


async def test_markup_and_escapes_are_only_text() -> None:
    environment = states.after(
        states.healthy(),
        [
            do.ContainerChanged(states.container(HOSTILE, "exited", exit_code=2)),
            do.FailureExplained(
                states.name(HOSTILE), Problem(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,))
            ),
            do.OperationStarted(
                Operation(OperationKind.UP, (states.name(HOSTILE),), states.NOW, HOSTILE)
            ),
            do.BuildProgressed(states.name("app"), HOSTILE),
        ],
    )
    harness = make(environment, [LogLine(1, states.name(HOSTILE), HOSTILE + "\x1b[3")])
    async with harness.app.run_test(size=SIZE) as pilot:
        for _ in environment.services:
            await pilot.press("down")
        for key in ("o", "y", "e", "g", "c", "p", "l"):
            await pilot.press(key)
            await pilot.pause()
            text = screen_text(harness)
            assert "\x1b" not in text and "\x07" not in text and "owned" not in text
        assert "[red]x[/]" in text
        await pilot.press("x", "escape", "d")
        await pilot.pause()


async def test_twenty_thousand_lines_at_once() -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        view = harness.app.query_one(LogView)
        for batch in range(40):
            harness.logs.append(
                LogLine(i, states.name("app"), f"line {i}")
                for i in range(batch * 500, batch * 500 + 500)
            )
            view.pull()
        await until(pilot, lambda: "line 19999" in screen_text(harness))
        panes = harness.app.query_one(TabbedContent)
        await until(pilot, lambda: "20,000 lines" in str(panes.border_subtitle))


async def test_scrolling_back_holds_still_and_f_follows_again() -> None:
    def lines(first: int, last: int) -> Iterator[LogLine]:
        return (LogLine(i, states.name("app"), f"line {i:05}") for i in range(first, last))

    harness = make(states.healthy(), lines(0, 6000), limit_bytes=200_000)
    async with harness.app.run_test(size=SIZE) as pilot:
        view = harness.app.query_one(LogView)
        await until(pilot, lambda: "line 05999" in screen_text(harness))
        view.scroll_to(y=5000, animate=False)
        await until(pilot, lambda: "line 05000" in screen_text(harness))
        # New lines push old ones out of the store.
        harness.logs.append(lines(6000, 9000))
        panes = harness.app.query_one(TabbedContent)
        await until(pilot, lambda: "dropped" in str(panes.border_subtitle))
        text = screen_text(harness)
        assert "line 05000" in text and "line 04999" not in text and "line 08999" not in text
        subtitle = str(panes.border_subtitle)
        assert f"{harness.logs.dropped:,} dropped" in subtitle and "f follows" in subtitle
        # A late line goes to its place, and what is in view stays.
        harness.logs.append([LogLine(4000, states.name("app"), "late")])
        await until(
            pilot, lambda: f"{harness.logs.line_count:,} lines" in str(panes.border_subtitle)
        )
        assert "line 05000" in screen_text(harness) and "line 04999" not in screen_text(harness)
        await pilot.press("f")
        await until(pilot, lambda: "line 08999" in screen_text(harness))


async def test_the_log_view_does_nothing_while_no_line_comes() -> None:
    harness = make(states.healthy(), states.lines())
    async with harness.app.run_test(size=SIZE) as pilot:
        view = harness.app.query_one(LogView)
        await pilot.pause(0.1)
        assert not list(view._timers)
        harness.logs.append([LogLine(9, states.name("app"), "a new line")])
        await until(pilot, lambda: "a new line" in screen_text(harness))
        assert not list(view._timers)


async def test_a_model_that_does_not_load_is_said_and_survived() -> None:
    harness = make(states.model_failed())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "compose.yaml:12: services.app.prots" in screen_text(harness)
        await pilot.press("u")
        assert harness.drain() == [LoadModel()]
        await pilot.pause()
        assert "Reading the files again" in screen_text(harness)
        harness.dispatch(do.ModelLoaded(states.PROJECT))
        assert harness.effects[1:] == [RunOperation(OperationKind.UP)]
        await pilot.pause()
        text = screen_text(harness)
        assert "prots" not in text and "migrate" in text


async def test_an_engine_that_is_lost_and_back() -> None:
    harness = make(states.engine_lost())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "Trying again" in screen_text(harness)
        harness.dispatch(do.EngineConnected("28.5"))
        await pilot.pause()
        assert "Trying again" not in screen_text(harness)


async def test_a_failure_shows_its_cause_and_fix() -> None:
    harness = make(states.failed())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        text = screen_text(harness)
        assert 'relation "notes" does not exist' in text
        assert "fix: devenv logs migrate" in text


@pytest.mark.parametrize("width", [80, 60, 40])
async def test_the_state_is_never_lost(width: int) -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=(width, 24)) as pilot:
        await pilot.pause()
        text = screen_text(harness)
        assert text.count("✓ healthy") == 2 and text.count("● running") == 3


async def test_without_colours_a_failure_is_as_bright_as_other_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Textual's monochrome filter turns red into near black."""
    monkeypatch.setenv("NO_COLOR", "1")
    harness = make(states.failed())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        found = []
        for strip in harness.app.screen._compositor.render_strips():
            for segment in strip.apply_filter(harness.app._filters[-1], Color(0, 0, 0)):
                if "failed" in segment.text and segment.style and segment.style.color:
                    found.append(segment.style.color.get_truecolor(harness.app.ansi_theme))
        assert found and all(min(color) > 150 for color in found)


async def test_w_wraps_long_lines_and_crops_them_again() -> None:
    """Coloured and wide text keeps every character."""
    long = "\x1b[31m" + "".join(f"{i:04}" for i in range(60)) + "\x1b[0m 終END"
    harness = make(states.healthy(), [LogLine(1, states.name("app"), long)])
    async with harness.app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: "0000" in screen_text(harness))
        assert "END" not in screen_text(harness)
        await pilot.press("w")
        await until(pilot, lambda: "END" in screen_text(harness))
        harness.logs.append([LogLine(2, states.name("app"), "short one")])
        await until(pilot, lambda: "short one" in screen_text(harness))
        assert "END" in screen_text(harness)
        await pilot.press("w")
        await pilot.pause()
        assert "END" not in screen_text(harness) and "short one" in screen_text(harness)


async def test_wrapped_lines_hold_still_while_old_ones_go() -> None:
    def line(i: int) -> LogLine:
        return LogLine(i, states.name("app"), f"line {i:05} " + "x" * 89)

    harness = make(states.healthy(), map(line, range(1000)), limit_bytes=180_000)
    async with harness.app.run_test(size=SIZE) as pilot:
        view = harness.app.query_one(LogView)
        await pilot.press("w")
        await until(pilot, lambda: view.virtual_size.height == 2000)
        view.scroll_to(y=1000, animate=False)
        await until(pilot, lambda: "line 00500" in screen_text(harness))
        harness.logs.append(map(line, range(1000, 1400)))
        height = 2 * harness.logs.line_count
        await until(pilot, lambda: view.virtual_size.height == height)
        assert harness.logs.dropped and view.scroll_y == 2 * (500 - harness.logs.dropped)
        assert "line 00500" in screen_text(harness)
        view.toggle_wrap()
        await pilot.pause()
        assert "line 00500" in screen_text(harness)


def header(state: State, width: int, chosen: ServiceName | None = None) -> str:
    text = render_header(state, width, chosen)
    assert text.cell_len <= width
    return text.plain


def test_the_header_loses_what_matters_least_first() -> None:
    state = states.healthy()
    own = replace(state.environment, isolation="branch", port_offset=100)
    state = replace(state, environment=own)
    branch = "feature/search-index → search"
    parts = (
        "engine 28.5",
        "app localhost:3000",
        "branch's own, ports +100",
        "localhost:",
        "shop ·",
    )
    full = header(state, 200)
    assert all(part in full for part in (*parts, branch, "✓ 5"))
    lost: list[str] = []
    for width in range(200, 40, -1):
        drawn = header(state, width)
        assert "✓ 5" in drawn and branch[: width - 30] in drawn
        lost += [part for part in parts if part not in drawn and part not in lost]
    assert lost == list(parts)
    assert "localhost:3000" in header(state, 80, states.name("app"))
    assert "localhost" not in header(state, 200, states.name("worker"))
