"""A service in another one's container: its hash is not compared, since it holds that one's id."""

from __future__ import annotations

from typing import Any

import pytest

from devenv.compose.borrowed import comparable_hashes, find_lender
from devenv.compose.names import ServiceName
from devenv.compose.plan import ObservedService, plan_up

from .projects import make_project


@pytest.mark.parametrize(
    ("service", "lender"),
    [
        ({"network_mode": "service:db"}, "db"),
        ({"pid": "service:app"}, "app"),
        ({"ipc": "service:app"}, "app"),
        ({"volumes_from": ["container:x", "db:ro"]}, "db"),
        ({"volumes_from": ["container:x"]}, None),
        ({"network_mode": "host", "ipc": "shareable"}, None),
        ({}, None),
    ],
)
def test_whose_container_it_is(service: dict[str, Any], lender: str | None) -> None:
    assert find_lender(service) == lender
    hashes = {"one": "h1", "two": "h2"}
    left = comparable_hashes({"services": {"one": service, "two": {}}}, hashes)
    assert left == (hashes if lender is None else {"two": "h2"})


@pytest.mark.parametrize(("running", "step"), [(1, "keep"), (0, "start")])
def test_its_plan_does_not_take_the_other_hash_for_a_change(running: int, step: str) -> None:
    project = make_project(
        {"app": {"image": "app", "network_mode": "service:db"}, "db": {"image": "db"}}
    )
    observed = {
        ServiceName("app"): ObservedService(1, running, frozenset({"with db's id"})),
        ServiceName("db"): ObservedService(1, 1, frozenset({"changed"})),
    }
    hashes = {ServiceName("app"): "with db's name", ServiceName("db"): "now"}
    plan = plan_up(project, services=observed, hashes=hashes, images=("app", "db"), volumes={})
    steps = {one.service: (one.step.value, one.cause) for one in plan.steps}
    assert steps[ServiceName("app")][0] == step
    assert ("lives in db's container" in steps[ServiceName("app")][1]) == (running == 1)
    assert steps[ServiceName("db")][0] == "recreate"
