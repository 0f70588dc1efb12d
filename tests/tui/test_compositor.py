"""What is drawn of a change is what Textual's own compositor draws of it."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import pyte
import pytest
from rich.console import Console
from textual._compositor import Compositor
from textual.geometry import Region
from textual.widgets import Input

from devenv.tui.compositor import FrontCompositor
from devenv.tui.front_screen import REPAINTS
from devenv.tui.log_view import LogView
from tests.tui import states
from tests.tui.harness import make
from tests.tui.test_logs import press, story

WIDTH, HEIGHT = 120, 36


def draw(compositor: Compositor, console: Console, regions: set[Region]) -> list[str]:
    """A blank terminal's rows after only that was drawn."""
    screen = pyte.Screen(WIDTH, HEIGHT)
    screen.set_mode(pyte.modes.LNM)
    compositor._dirty_regions = set(regions)
    update: Any = compositor.render_update()
    pyte.Stream(screen).feed(update.render_segments(console))
    return [f"{screen.buffer[y]}" for y in range(HEIGHT)]


@pytest.mark.parametrize("keys", [("slash", "o"), ("l",), ("g",), ("U",)])
async def test_a_part_looks_as_it_would_with_all_that_is_behind_it(
    keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = make(states.healthy(), story())
    own = FrontCompositor._get_renders
    chosen = random.Random(5)
    async with harness.app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await press(pilot, *keys)
        compositor, console = harness.app.screen._compositor, harness.app.console
        places = [region for region, _ in compositor.visible_widgets.values()]
        screen = Region(0, 0, WIDTH, HEIGHT)
        changes = [{place} for place in places]
        changes += [set(chosen.sample(places, 3)) for _ in range(10)]
        for change in changes:
            regions = {part for place in change if (part := place.intersection(screen))}
            if not regions or screen in regions:
                continue
            monkeypatch.setattr(FrontCompositor, "_get_renders", own)
            drawn = draw(compositor, console, regions)
            monkeypatch.setattr(FrontCompositor, "_get_renders", Compositor._get_renders)
            assert drawn == draw(compositor, console, regions)


async def test_of_a_letter_typed_only_its_rows_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    harness = make(states.healthy(), story())
    async with harness.app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await press(pilot, "slash", "o")
        line, view = harness.app.query_one(Input), harness.app.query_one(LogView)
        compositor = harness.app.screen._compositor
        renders = list(compositor._get_renders(line.region))
        assert sum(len(strips) for *_, strips in renders) <= 3 * len(renders) <= 18
        (_, _, strips) = next(iter(compositor._get_renders(view.region)))
        assert len(strips) == view.region.height


async def test_the_screen_is_drawn_thirty_times_a_second_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever changes on it: here two places, at each turn of the loop."""
    drawn: list[float] = []
    own = FrontCompositor.render_update

    def noting(self: FrontCompositor, *args: Any, **options: Any) -> Any:
        drawn.append(time.perf_counter())
        return own(self, *args, **options)

    harness = make(states.healthy(), story())
    async with harness.app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await press(pilot, "slash", "o")
        monkeypatch.setattr(FrontCompositor, "render_update", noting)
        ends = time.perf_counter() + 1.5
        while time.perf_counter() < ends:
            harness.app.query_one(Input).refresh()
            harness.app.query_one(LogView).refresh()
            await asyncio.sleep(0.001)
    assert len(drawn) > 2
    # One more may come after a pause, and one that was late stands nearer to the next.
    pairs = zip(drawn, drawn[REPAINTS + 2 :], strict=False)
    assert all(after - before >= 1 for before, after in pairs)
