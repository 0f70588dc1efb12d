"""Whether a container was asked to stop, from the order of the engine's events."""

from __future__ import annotations

import signal

import pytest

from devenv.engine.containers import parse_stop_signal
from devenv.engine.stops import Stops


@pytest.mark.parametrize(
    ("events", "asked"),
    [
        ("", None),
        ("kill:15 die stop", True),
        ("kill:15 die", True),  # the stop comes a moment after the die
        ("kill:15 kill:9 die stop", True),
        ("kill:9 die", False),
        ("kill:1 die", False),  # a reload, then a crash
        ("die", False),
        ("die stop", True),
        ("kill:15 die stop start", None),
        ("kill:15 die stop start die", False),
    ],
)
def test_order_of_events(events: str, asked: bool | None) -> None:
    stops = Stops()
    for word in events.split():
        action, _, number = word.partition(":")
        stops.take("a", {"Action": action, "Actor": {"Attributes": {"signal": number}}}, 15)
    assert stops.was_asked("a") is asked
    assert stops.was_asked("b") is None


@pytest.mark.parametrize(
    ("said", "number"),
    [(None, 15), ("SIGINT", 2), ("int", 2), ("3", 3), ("SIGRTMIN+3", signal.SIGTERM)],
)
def test_stop_signal(said: str | None, number: int) -> None:
    assert parse_stop_signal({"Config": {"StopSignal": said}}) == number
