"""The watch's events: what they make of the state, and the lines that they are shown as."""

from __future__ import annotations

from typing import Any

import pytest

from devenv.compose.names import ServiceName
from devenv.compose.watch.values import WatchAction
from devenv.report.watch_lines import render_event
from devenv.state.model import Problem
from devenv.state.start_seen import BuildStepRun
from devenv.state.watch import (
    KEPT_ACTIVITIES,
    Activity,
    Cause,
    Hold,
    Note,
    Outcome,
    Part,
    Watch,
    WatchStatus,
)
from devenv.state.watch_events import (
    ActivityBegan,
    ActivityEnded,
    ActivityWent,
    ImagesStale,
    WatchEvent,
    WatchHeld,
    WatchNoted,
    WatchTurned,
    see_watch,
)
from devenv.values import replace

APP, WORKER = ServiceName("app"), ServiceName("worker")


def cause(
    path: str, action: WatchAction = WatchAction.REBUILD, reason: str = "RUN reads it"
) -> Cause:
    return Cause(path, action, reason, where="Dockerfile:4", line="RUN x")


def activity(number: int = 1, action: WatchAction = WatchAction.REBUILD, **more: Any) -> Activity:
    given = {"causes": (cause("deps.txt", action),), "count": 1, **more}
    return Activity(number, action, given.pop("services", (APP,)), 100.0, **given)


def seen(*events: WatchEvent) -> Watch:
    watch = None
    for event in events:
        watch = see_watch(watch, event)
    assert watch is not None
    return watch


def line(event: WatchEvent) -> str:
    """Without the clock, which is that of the machine's zone."""
    return render_event(event, 6)[9:]


def test_an_activity_is_one_thing_from_its_begin_to_its_end() -> None:
    first = activity()
    step = BuildStepRun("step 2", "2/4 RUN x", 101.0)
    went = replace(first, steps=(step,), doing="build")
    watch = seen(ActivityBegan(1, first), ActivityBegan(2, activity(2)), ActivityWent(3, went))
    assert [one.number for one in watch.activities] == [1, 2]
    assert watch.building == (went, activity(2))
    assert went.step == step
    ended = replace(went, outcome=Outcome.DONE, seconds=2.1)
    watch = see_watch(watch, ActivityEnded(4, ended))
    assert watch.find(1) == ended
    assert [one.number for one in watch.building] == [2]


def test_what_is_remembered_is_bounded_but_never_what_goes_on() -> None:
    watch = seen(ActivityBegan(1, activity(0)))
    for number in range(1, KEPT_ACTIVITIES + 30):
        done = activity(number, outcome=Outcome.DONE, seconds=1.0)
        watch = see_watch(watch, ActivityEnded(2, done))
    assert len(watch.activities) == KEPT_ACTIVITIES
    assert watch.activities[0].number == 0
    assert watch.activities[-1].number == KEPT_ACTIVITIES + 29
    for number in range(40):
        watch = see_watch(watch, WatchNoted(3, Note(APP, f"rule{number}", "x")))
    watch = see_watch(watch, WatchNoted(3, Note(APP, "rule39", "y")))
    assert len(watch.notes) == 20
    assert [one.message for one in watch.notes if one.rule == "rule39"] == ["y"]


def test_of_a_file_that_is_live_the_last_save_is_kept() -> None:
    live = WatchAction.LIVE
    saves = [
        activity(number, live, causes=(cause(path, live),), outcome=Outcome.DONE)
        for number, path in enumerate(("a", "b", "a", "a"))
    ]
    others = activity(9, live, services=(WORKER,), causes=(cause("a", live),))
    watch = seen(*(ActivityEnded(1, one) for one in (others, *saves)))
    assert [one.number for one in watch.activities] == [9, 1, 3]


def test_a_pause_and_its_end() -> None:
    on = WatchTurned(1, WatchStatus.ON, files=7, services=(APP,))
    held = WatchHeld(2, Hold.PAUSE, {APP: 2, None: 1}, 3)
    watch = seen(on, held)
    assert (watch.status, watch.held, watch.held_files) == (WatchStatus.PAUSED, held.counts, 3)
    watch = see_watch(watch, WatchHeld(3, None))
    assert (watch.status, watch.hold, watch.held) == (WatchStatus.ON, None, {})
    watch = seen(on, WatchHeld(2, Hold.GIT, {APP: 2}, 2))
    assert (watch.status, watch.hold) == (WatchStatus.ON, Hold.GIT)


def test_what_was_under_way_ends_with_the_watch() -> None:
    watch = seen(
        WatchTurned(1, WatchStatus.ON, files=7, services=(APP,)),
        ActivityBegan(2, activity()),
        ImagesStale(3, frozenset({APP})),
        WatchTurned(4, WatchStatus.FAILED, "no engine"),
    )
    assert watch.activities[0].outcome is Outcome.CANCELLED
    assert (watch.services, watch.stale) == ((APP,), frozenset({APP}))
    assert see_watch(None, WatchTurned(1, WatchStatus.TAKEN, "x", pid=7)).pid == 7


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (ActivityBegan(0, activity()), "app    rebuilding: deps.txt: RUN reads it"),
        (
            ActivityBegan(0, activity(text="read-only root filesystem")),
            "app    rebuilding: deps.txt: read-only root filesystem",
        ),
        (ActivityBegan(0, activity(causes=(), count=0)), "app    rebuilding: asked for"),
        (ActivityBegan(0, activity(action=WatchAction.SYNC)), ""),
        (ActivityWent(0, activity()), ""),
        (
            ActivityEnded(
                0,
                activity(
                    services=(APP, WORKER),
                    outcome=Outcome.DONE,
                    seconds=2.61,
                    parts={Part.CREATE: 0.6, Part.NOTICE: 0.1, Part.BUILD: 2.01},
                ),
            ),
            "app    rebuilt in 2.6 s, worker too: build steps 2.0 s, create 600 ms",
        ),
        (
            ActivityEnded(
                0,
                activity(
                    action=WatchAction.SYNC,
                    causes=tuple(cause(f"{n}.txt", WatchAction.SYNC) for n in range(5)),
                    count=9,
                    outcome=Outcome.DONE,
                    seconds=0.09,
                    text="2 containers",
                ),
            ),
            "app    synced in 90 ms: 0.txt, 1.txt, 2.txt and 6 more, 2 containers",
        ),
        (
            ActivityEnded(
                0,
                activity(
                    action=WatchAction.RELOAD,
                    services=(),
                    outcome=Outcome.DONE,
                    seconds=0.9,
                    text="app: environment",
                ),
            ),
            "model  reloaded in 900 ms: deps.txt: app: environment",
        ),
        (
            ActivityEnded(
                0,
                activity(
                    outcome=Outcome.FAILED,
                    problem=Problem(
                        "RUN false ended with 1.", "Dockerfile:7", excerpt=("a\x1b[2J",)
                    ),
                ),
            ),
            "app    failed: Dockerfile:7: RUN false ended with 1.\n  a",
        ),
        (
            ActivityEnded(0, activity(outcome=Outcome.CANCELLED, seconds=1.0, text="a newer save")),
            "app    cancelled in 1.0 s: a newer save",
        ),
        (WatchHeld(0, Hold.PAUSE, {APP: 1}, 2), "model  paused: 2 changed files are held"),
        (WatchHeld(0, Hold.GIT, {APP: 1}, 2), ""),
        (WatchTurned(0, WatchStatus.ON), ""),
        (WatchTurned(0, WatchStatus.FAILED, "gone"), "model  off: gone"),
        (
            WatchNoted(0, Note(APP, "stop-ignored", "it waits", "init: true", "Dockerfile:3")),
            "app    note: Dockerfile:3: it waits\n  fix: init: true",
        ),
    ],
)
def test_lines(event: WatchEvent, expected: str) -> None:
    assert line(event) == expected
