"""What the check says about order, against the real Compose and the real engine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from devenv.engine.context import Endpoint
from tests.corpus.order.shapes import RECORD, RealCompose, Shape, load_shapes
from tests.engine.project import Project, sleeper

SHAPES = {shape.name: shape for shape in load_shapes()}
RECORDED = json.loads(RECORD.read_text(encoding="utf-8"))
WORKERS = 4
SAMPLE = (
    "healthy-chain",
    "unhealthy-none",
    "unhealthy-optional",
    "image-checked-interval-of-compose",
    "image-checked-disabled",
    "build-other-stage",
    "build-stage-chain",
    "completed-no-and-deploy-any",
    "completed-always-optional",
    "replicas-zero-network-mode",
    "network-of-service-with-ports",
    "ipc-of-service",
    "start-interval-alone-unawaited",
    "cycle-of-build-contexts",
)


@pytest.fixture
def real(docker_engine: Endpoint) -> Iterator[RealCompose]:
    compose = RealCompose()
    compose.build_images()
    yield compose
    compose.remove_images()


def _in_parallel(names: list[str], directory: Path, run: Callable[[Path], Any]) -> dict[str, str]:
    """Shape to the result of `run` in its directory."""

    def one(shape: Shape) -> str:
        place = directory / shape.name
        place.mkdir()
        shape.write(place)
        return str(run(place).result)

    with ThreadPoolExecutor(WORKERS) as pool:
        return dict(zip(names, pool.map(one, [SHAPES[name] for name in names]), strict=True))


def test_config_takes_and_refuses_what_the_recording_says(tmp_path: Path) -> None:
    found = _in_parallel(list(SHAPES), tmp_path, RealCompose().config)
    recorded = {
        name: "refused" if outcome["result"] == "refused" else "good"
        for name, outcome in RECORDED["shapes"].items()
    }
    assert found == recorded


def test_up_does_what_the_recording_says(real: RealCompose, tmp_path: Path) -> None:
    found = _in_parallel(list(SAMPLE), tmp_path, real.up)
    assert found == {name: RECORDED["shapes"][name]["result"] for name in SAMPLE}


def test_the_bound_of_a_cold_start_agrees_with_the_run(project: Project) -> None:
    project.write_compose(
        {
            "app": sleeper(depends_on={"api": {"condition": "service_healthy"}}),
            "api": sleeper(
                depends_on={"db": {"condition": "service_healthy"}},
                healthcheck={"test": ["CMD", "true"], "interval": "2s"},
            ),
            "db": sleeper(healthcheck={"test": ["CMD", "true"], "interval": "3s"}),
        }
    )
    start = json.loads(project.run("graph", "--times", "--format", "json").stdout)["start"]
    assert start["seconds"] == 5
    assert start["path"] == ["db", "api", "app"]
    assert start["costliest"] == {"service": "api", "waits_for": "db", "seconds": 3}
    assert start["saved_seconds"] == 2
    project.up()
    states = {name: raw["State"] for name, raw in project.containers().items()}
    logs = {name: states[name]["Health"]["Log"][0] for name in ("api", "db")}
    probed = {n: _seconds(log["Start"], states[n]["StartedAt"]) for n, log in logs.items()}
    healthy = {n: _seconds(log["End"], states[n]["StartedAt"]) for n, log in logs.items()}
    for name in ("api", "db"):
        assert start["services"][name]["first_probe"] == pytest.approx(probed[name], abs=0.5)
    assert start["seconds"] <= sum(healthy.values())
    assert start["seconds"] == pytest.approx(sum(healthy.values()), abs=1)
    whole = _seconds(states["app"]["StartedAt"], states["db"]["StartedAt"])
    # Compose looks twice a second, and starts a container in a part of one, at each of two edges.
    assert start["seconds"] <= whole < start["seconds"] + 2 * 2


def _seconds(later: str, earlier: str) -> float:
    return (_time(later) - _time(earlier)).total_seconds()


def _time(text: str) -> datetime:
    """The engine's time, with its nanoseconds cut to microseconds."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
