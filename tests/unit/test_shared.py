"""What an environment shares: who reaches it, what waits for it, and what cannot be shared."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from devenv.compose.isolation import render_override
from devenv.compose.model import Condition
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.compose.shared import (
    LABEL_KIND,
    NotShareable,
    SharedPlan,
    plan_shared,
    render_network,
    render_shared_override,
    render_user,
    shared_name,
    shared_network,
)
from tests.unit.projects import make_project

APP, JOB, LONE, HOST, SEARCH = (
    ServiceName(name) for name in ("app", "job", "lone", "host", "search")
)
NAME = EnvironmentName("shop-shared")


def _edge(condition: str = "service_started") -> dict[str, Any]:
    return {"condition": condition, "required": True}


SERVICES: dict[str, Any] = {
    "search": {"image": "s", "networks": {"back": None}, "container_name": "s"},
    "app": {
        "image": "a",
        "networks": {"back": {"aliases": ["x"]}, "front": None},
        "depends_on": {"search": _edge("service_healthy"), "job": _edge()},
    },
    "job": {"image": "j", "networks": {"front": None}, "depends_on": {"search": _edge()}},
    "lone": {"image": "l", "networks": {"default": None}},
    "host": {"image": "h", "network_mode": "host", "depends_on": {"search": _edge()}},
}


def _plan(services: dict[str, Any] | None = None, *shared: str) -> SharedPlan | None:
    return plan_shared(make_project(services or SERVICES), shared or ("search",), NAME)


def test_who_uses_it_and_what_is_waited_for() -> None:
    assert _plan() == SharedPlan(NAME, (SEARCH,), (APP,), {SEARCH: Condition.HEALTHY})
    assert _plan(None, "other") is None
    assert plan_shared(make_project(SERVICES), ("job", "search"), NAME) == SharedPlan(
        NAME, (JOB, SEARCH), (APP,), {JOB: Condition.STARTED, SEARCH: Condition.HEALTHY}
    )


def test_a_health_check_is_waited_for_though_nobody_asks() -> None:
    search = {"image": "s", "healthcheck": {"test": ["CMD", "true"]}}
    plan = _plan({"search": search, "app": {"image": "a"}})
    assert plan is not None
    assert plan.waits == {SEARCH: Condition.HEALTHY}
    assert plan.users == (APP,)


def test_the_override_leaves_it_out_and_answers_depends_on() -> None:
    project, plan = make_project(SERVICES), _plan()
    assert plan is not None
    text = render_override(
        project,
        labels={},
        offset=None,
        shared=plan.services,
        more=lambda name: render_user(project, plan, name),
        end=render_network(EnvironmentName("shop-x")),
    )
    assert '"search": !reset null' in text
    assert "volumes" not in text
    read = yaml.safe_load(text.replace("!override", "").replace("!reset null", "null"))
    assert read["services"] == {
        "search": None,
        "app": {
            "networks": {"back": {}, "devenv_shared": {}, "front": {}},
            "depends_on": {"job": _edge()},
        },
        "job": {"depends_on": {}},
        "host": {"depends_on": {}},
    }
    assert read["networks"] == {"devenv_shared": {"external": True, "name": "shop-x_devenv_shared"}}


def test_the_override_of_those_who_are_shared() -> None:
    plan = _plan()
    assert plan is not None
    text = render_shared_override(make_project(SERVICES), plan, "/src/a$b")
    read = yaml.safe_load(text.replace("!reset null", "null"))
    labels = read["services"]["search"]["labels"]
    assert labels[LABEL_KIND] == "shared"
    assert "/src/a$$b" in labels.values()
    assert set(read["services"]) == {"search"}
    assert "container_name: !reset null" in text


@pytest.mark.parametrize(
    ("user", "key"),
    [
        ({"network_mode": "service:search"}, "network_mode"),
        ({"pid": "service:search"}, "pid"),
        ({"ipc": "service:search"}, "ipc"),
        ({"links": ["search:s"]}, "links"),
        ({"volumes_from": ["search:ro"]}, "volumes_from"),
    ],
)
def test_what_needs_more_than_the_network(user: dict[str, Any], key: str) -> None:
    with pytest.raises(NotShareable, match=f"app uses search by `{key}`") as caught:
        _plan({"search": {"image": "s"}, "app": {"image": "a", **user}})
    assert caught.value.service == "search"


def test_what_depends_on_its_own() -> None:
    services = {"search": {"image": "s", "depends_on": {"db": _edge()}}, "db": {"image": "d"}}
    with pytest.raises(NotShareable, match="depends on db, which is not"):
        _plan(services)
    assert _plan(services, "search", "db") is not None


def test_names_are_apart_from_those_of_branches() -> None:
    assert shared_name(EnvironmentName("shop")).startswith("shop-shared-by-all-")
    assert shared_network(EnvironmentName("shop")) != shared_network(EnvironmentName("shop-x"))
