"""A flood that is more than can be taken is read on from its end; all else is read whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.compose.names import ServiceName
from devenv.engine.api import EngineClient
from devenv.engine.demux import LogLine as EngineLine
from devenv.engine.log_streams import END_LINES, LogStreams
from devenv.state.containers import Container, ContainerId
from devenv.state.log_keep_up import KeepUp, Lateness
from devenv.state.logs import LogStore

NOW = 1_800_000_000.0


def lost_after(lateness: list[float], step: float = 0.5) -> list[int]:
    """At which of the moments all streams are read on from their ends."""
    keep_up = KeepUp()
    return [n for n, late in enumerate(lateness) if keep_up.is_lost(late, n * step)]


def test_a_stream_that_stays_behind_is_lost_and_one_that_gets_nearer_is_not() -> None:
    assert lost_after([0.5 * n for n in range(12)]) == [11]  # late by 2.5 s at 2.5 s, 3 s more
    assert lost_after([60 - n for n in range(60)]) == []
    assert lost_after([1.9] * 100) == []


def test_while_the_flood_lasts_a_little_late_is_enough() -> None:
    assert lost_after([9.0] * 7 + [0.6, 1.1, 0.2, 1.1]) == [6, 8, 10]
    assert lost_after([9.0] * 7 + [0.2] * 7 + [1.9] * 9) == [6]


@given(st.floats(-1e6, 1e6), st.lists(st.floats(0, 100), min_size=1))
def test_lateness_does_not_depend_on_the_engines_clock(skew: float, ages: list[float]) -> None:
    there, here = Lateness(), Lateness()
    for now, age in enumerate(ages):
        there.note(age + skew, float(now))
        here.note(age, float(now))
        assert abs(there.at(now) - here.at(now)) < 1e-3
        assert here.at(now + 1.0) == 0.0


def test_late_at_its_very_end_is_a_clock_that_was_set_back() -> None:
    late = Lateness()
    late.note(0.0, 0.0)
    late.note(3600.0, 1.0)
    assert late.at(1.0) == 3600.0
    late.leave()
    late.note(3600.0, 2.0)
    assert late.at(2.0) == 0.0


class FloodingEngine:
    """One container's log; each reading of it is prepared, and what was asked for is noted."""

    def __init__(self, readings: list[list[list[EngineLine]]]) -> None:
        self.readings = readings
        self.asked: list[tuple[Any, Any]] = []

    async def logs(self, container_id: str, **wanted: Any) -> AsyncGenerator[list[EngineLine]]:
        self.asked.append((wanted["tail"], wanted["since_ns"]))
        for batch in self.readings.pop(0):
            yield batch


def line(number: int, seconds: float) -> EngineLine:
    return "stdout", int((NOW + seconds) * 1e9), b"line %d" % number


@pytest.mark.parametrize(
    ("end", "marks", "numbers"),
    [
        pytest.param([[line(7, -0.2)], [line(8, -0.1)]], 1, [0, 1, 2, 7, 8], id="left-out"),
        pytest.param([[line(2, -9), line(8, -0.2)]], 0, [0, 1, 2, 8], id="nothing-between"),
        pytest.param([[line(2, -9)], [line(8, -0.2)]], 0, [0, 1, 2, 8], id="two-batches"),
    ],
)
async def test_what_lies_between_is_told_and_nothing_comes_twice(
    end: list[list[EngineLine]], marks: int, numbers: list[int]
) -> None:
    engine = FloodingEngine([[[line(0, 0)], [line(1, -9.5), line(2, -9)], [line(3, -8)]], end])
    logs = LogStore()
    streams = LogStreams(cast(EngineClient, engine), logs, clock=lambda: NOW, tail=1000, fair=True)
    streams._keep_up._left_at = asyncio.get_running_loop().time()
    merging = asyncio.create_task(streams.run())
    streams.follow(
        Container(ContainerId("c"), ServiceName("app"), "app-1", 1, "running", started_at=NOW)
    )

    async def take() -> list[str]:
        while "line 8" not in (texts := [entry.text for entry in logs.lines()]):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        return texts

    try:
        texts = await asyncio.wait_for(take(), 10)
    finally:
        merging.cancel()
        await asyncio.gather(merging, return_exceptions=True)
    assert engine.asked == [(1000, None), (END_LINES, None)]
    told = [text for text in texts if "left out" in text]
    assert len(told) == marks and all("too fast" in text for text in told)
    assert sorted(text for text in texts if text not in told) == [f"line {n}" for n in numbers]
