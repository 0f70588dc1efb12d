"""The watch as the UI meets it, built by its events through the real reducer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from devenv.compose.model import Build
from devenv.compose.watch.values import WatchAction
from devenv.state import actions as do
from devenv.state.build_logs import BuildLogs
from devenv.state.model import Problem, State
from devenv.state.start_seen import BuildStepRun
from devenv.state.watch import Activity, Cause, Hold, Note, Outcome, Part, WatchStatus
from devenv.state.watch_events import (
    ActivityBegan,
    ActivityEnded,
    ImagesStale,
    WatchEvent,
    WatchHeld,
    WatchNoted,
    WatchTurned,
    WorkQueued,
)
from tests.tui.states import NOW, PROJECT, SERVICES, after, connected, healthy, name

MANIFEST = Cause(
    "app/package.json",
    WatchAction.REBUILD,
    "RUN npm ci (line 9) installs from it, and the container uses what it installed",
    where="app/Dockerfile:8",
    line="COPY package.json package-lock.json ./",
)


def activity(number: int, action: WatchAction, *services: str, ago: float, **more: Any) -> Activity:
    return Activity(number, action, tuple(map(name, services)), NOW - ago, **more)


LIVE = activity(
    1,
    WatchAction.LIVE,
    "app",
    ago=60,
    causes=(
        Cause(
            "app/src/http.js",
            WatchAction.LIVE,
            "a bind mount already shows it, and node loads changes by itself",
            "/app/src/http.js",
            "compose.yaml:13",
            "- ./app:/app",
        ),
    ),
    count=1,
    outcome=Outcome.DONE,
)
SYNCED = activity(
    2,
    WatchAction.SYNC,
    "worker",
    ago=40,
    causes=tuple(
        Cause(
            f"worker/job{number}.py",
            WatchAction.SYNC,
            "copied into the image and used by no later step",
            f"/srv/job{number}.py",
            "worker/Dockerfile:5",
            "COPY . /srv",
        )
        for number in range(3)
    ),
    count=3,
    outcome=Outcome.DONE,
    seconds=0.12,
    parts={Part.NOTICE: 0.08},
)
STEPS = (
    BuildStepRun("image", "build shop-app", NOW - 9, NOW - 6.5),
    BuildStepRun("step 1", "1/7 FROM node:20", NOW - 9, NOW - 9, cached=True),
    BuildStepRun("step 4", "4/7 RUN npm ci", NOW - 9, NOW - 6.6),
)
REBUILT = activity(
    3,
    WatchAction.REBUILD,
    "app",
    "migrate",
    ago=9,
    causes=(MANIFEST,),
    count=2,
    outcome=Outcome.DONE,
    seconds=2.1,
    steps=STEPS,
    parts={
        Part.NOTICE: 0.09,
        Part.CONTEXT: 0.2,
        Part.BUILD: 1.2,
        Part.STOP: 0.1,
        Part.CREATE: 0.6,
    },
)
BUILDING = replace(
    REBUILT,
    number=4,
    began_at=NOW - 3,
    outcome=Outcome.UNDER_WAY,
    seconds=None,
    doing="build",
    steps=(
        replace(STEPS[0], started_at=NOW - 3, ended_at=None),
        STEPS[1],
        replace(STEPS[2], started_at=NOW - 2, ended_at=None),
    ),
    parts={Part.NOTICE: 0.09},
)
FAILED = replace(
    BUILDING,
    outcome=Outcome.FAILED,
    seconds=2.8,
    doing="",
    steps=(STEPS[1], replace(STEPS[2], started_at=NOW - 2, ended_at=NOW - 0.2, failed=True)),
    problem=Problem(
        "The build of app failed at RUN npm ci (exit code 1).",
        "app/Dockerfile:9",
        excerpt=("npm error code EUSAGE", "npm error package.json and package-lock.json differ"),
    ),
)
STOP_NOTE = Note(
    name("worker"),
    "stop-ignored",
    "PID 1 does not end on SIGTERM: a stop took 2.0 s until it was killed (exit code 137); "
    "outside of the watch that is 10 s",
    "write CMD in exec form, or init: true",
    "worker/Dockerfile:9",
)
ON = WatchTurned(
    NOW - 90, WatchStatus.ON, files=1204, services=(name("app"), name("migrate"), name("worker"))
)


def watched(*events: WatchEvent) -> State:
    app = replace(SERVICES[name("app")], build=Build("/src/shop/app", "Dockerfile", None))
    project = replace(PROJECT, services={**SERVICES, app.name: app})
    told = [do.WatchTold(event) for event in (ON, *events)]
    return after(healthy(), [do.ModelLoaded(project), *told])


DONE = (
    ActivityEnded(NOW - 60, LIVE),
    ActivityEnded(NOW - 39, SYNCED),
    ImagesStale(NOW - 39, frozenset({name("worker")})),
    ActivityEnded(NOW - 7, REBUILT),
)


def quiet() -> State:
    """Some changes were brought in; one service stops slowly."""
    return watched(*DONE, WatchNoted(NOW - 7, STOP_NOTE))


def building() -> State:
    queued = WorkQueued(NOW - 1, {name("app"): WatchAction.SYNC})
    return watched(*DONE, ActivityBegan(NOW - 3, BUILDING), queued)


def build_failed() -> State:
    return watched(*DONE, ActivityEnded(NOW, FAILED))


def paused() -> State:
    return watched(*DONE, WatchHeld(NOW - 1, Hold.PAUSE, {name("app"): 2, name("worker"): 1}, 3))


def git() -> State:
    return watched(*DONE, WatchHeld(NOW - 1, Hold.GIT, {name("app"): 4987}, 5000))


def off() -> State:
    return watched(WatchTurned(NOW, WatchStatus.OFF, "--no-watch was given"))


def taken() -> State:
    words = "another devenv (pid 4711) watches; this one takes over when it ends"
    return watched(WatchTurned(NOW, WatchStatus.TAKEN, words, pid=4711))


def broken() -> State:
    return watched(WatchTurned(NOW, WatchStatus.FAILED, "The sources cannot be watched: no room."))


def waiting() -> State:
    return connected()


def fill(builds: BuildLogs) -> None:
    for number in (REBUILT.number, BUILDING.number):
        for line in ("Step 1/7 : FROM node:20", " ---> Using cache", "Step 4/7 : RUN npm ci"):
            builds.append(number, line)
