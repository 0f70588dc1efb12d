"""How a container begins, where files are synced into, and what a slow stop is said to be."""

from __future__ import annotations

import pytest

from devenv.cli.watch_stops import describe_ignored
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.compose.watch.startup import Startup
from devenv.compose.watch.values import Place
from devenv.engine.containers import LABEL_SERVICE
from devenv.engine.stop_times import StopSeen, StopTimes
from tests.unit.watch.model import ROOT, make_planner

APP = ServiceName("app")
DOCKERFILE = """\
FROM node:20
WORKDIR /app
COPY package.json .
RUN npm ci
COPY src ./src
USER node
%s
"""


def at(path: str, line: int) -> Place:
    return Place(f"{ROOT}/{path}", line)


@pytest.mark.parametrize(
    ("end", "service", "expected"),
    [
        ('CMD ["node", "x"]', "", Startup("node", at("Dockerfile", 6), at("Dockerfile", 7))),
        ("CMD node x", "", Startup("node", at("Dockerfile", 6), at("Dockerfile", 7), True)),
        (
            'CMD ["sh", "-c", "exec node x"]',
            "init: true",
            Startup("node", at("Dockerfile", 6), at("Dockerfile", 7), has_init=True),
        ),
        (
            'CMD ["node"]',
            "user: '1000', command: [sh, -c, node x]",
            Startup("1000", at("compose.yaml", 1), at("compose.yaml", 1), True),
        ),
        (
            'ENTRYPOINT ["node"]',
            "command: [sh, -c, x]",
            Startup("node", at("Dockerfile", 6), at("Dockerfile", 7)),
        ),
        (
            'CMD ["node"]',
            "stop_grace_period: 1m30s",
            Startup("node", at("Dockerfile", 6), at("Dockerfile", 7), grace_seconds=90.0),
        ),
        (
            "ENTRYPOINT node",
            "entrypoint: [node]",
            Startup("node", at("Dockerfile", 6), at("compose.yaml", 1)),
        ),
    ],
)
def test_startup(end: str, service: str, expected: Startup) -> None:
    compose = f"services: {{app: {{build: ., {service}}}}}"
    planner = make_planner(compose, {"Dockerfile": DOCKERFILE % end})
    assert planner.startup(APP) == expected


def test_of_an_image_that_is_not_built_only_compose_is_known() -> None:
    planner = make_planner("services: {app: {image: redis, user: redis}}")
    assert planner.startup(APP) == Startup("redis", at("compose.yaml", 1))


def test_where_files_are_synced_into() -> None:
    planner = make_planner(
        "services: {app: {build: .}}",
        {"Dockerfile": DOCKERFILE % 'CMD ["node", "x"]', "package.json": "{}"},
        is_directory=lambda path: path == f"{ROOT}/src",
    )
    found = {one.path: planner.sync_folder(one) for one in planner.inputs()}
    assert found[f"{ROOT}/src"] == "/app/src"
    assert found[f"{ROOT}/package.json"] is None
    assert found[f"{ROOT}/Dockerfile"] is None


def event(action: str, container: str, seconds: float, **attributes: str) -> dict[str, object]:
    actor = {"ID": container, "Attributes": {LABEL_SERVICE: "app", **attributes}}
    return {"Action": action, "Actor": actor, "timeNano": int(seconds * 1e9)}


async def test_stops_are_read_off_the_events() -> None:
    times = StopTimes(None, EnvironmentName("shop"))  # type: ignore[arg-type]
    times.take(event("die", "z", 0.5, exitCode="1"))
    times.take(event("kill", "a", 1.0, signal="15"))
    times.take(event("kill", "b", 1.5, signal="15"))
    times.take(event("kill", "a", 3.0, signal="9"))
    times.take(event("die", "a", 3.1, exitCode="137"))
    mark = times.mark
    times.take(event("die", "b", 1.6, exitCode="0"))
    times.take(event("kill", "c", 4.0, signal="9"))
    times.take(event("die", "c", 4.1, exitCode="137"))
    times.take(event("exec_die", "c", 4.2, exitCode="137"))
    first, *rest = await times.find_since(0)
    assert (first.service, round(first.seconds, 3), first.exit_code, first.signal) == (
        "app",
        2.1,
        137,
        15,
    )
    assert first.ignored(2.0) and not first.ignored(3.0) and not first.ignored(0)
    assert [stop.ignored(0.05) for stop in rest] == [False, False]
    assert [stop.number for stop in await times.find_since(mark)] == [2, 3]


@pytest.mark.parametrize(
    ("startup", "fix"),
    [
        (Startup(is_shell=True), "exec form"),
        (Startup(), "init: true, or stop_signal"),
        (Startup(has_init=True, is_shell=True), "stop_signal: "),
    ],
)
def test_what_helps_against_a_stop_that_is_ignored(startup: Startup, fix: str) -> None:
    message, said = describe_ignored(StopSeen(1, APP, 2.04, 137, 15), startup)
    assert "PID 1 does not end on SIGTERM: a stop took 2.0 s" in message
    assert fix in said
    assert "does not end on signal 99" in describe_ignored(StopSeen(1, APP, 2, 137, 99), startup)[0]
