"""Names, ports and the generated override of environments; and the plan of a switch."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from devenv.compose.isolation import (
    Checkout,
    choose_offset,
    parse_published,
    port_variables,
    published_ports,
    render_override,
    resolve_key,
    resolve_name,
    resolve_slug,
)
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.compose.plan import Plan, PlannedStep, Step
from devenv.compose.switch import Stop, plan_switch
from devenv.report.switch import render_switch
from tests.unit.projects import make_project

PORTS: dict[str, Any] = {
    "app": {
        "image": "app",
        "container_name": "shop-app",
        "ports": [
            {"mode": "ingress", "target": 3000, "published": "3000", "protocol": "tcp"},
            {"target": 9000, "published": "9000-9002", "protocol": "udp", "host_ip": "127.0.0.1"},
            {"target": 80},
        ],
    },
    "db": {"image": "db"},
}


@pytest.mark.parametrize(
    ("mode", "checkout", "key"),
    [
        ("none", Checkout("feature/x"), None),
        ("branch", Checkout("main"), None),
        ("branch", Checkout("main", "wt"), None),
        ("branch", Checkout("search"), "search"),
        ("branch", Checkout(None), "detached"),
        ("branch", Checkout(None, "wt"), "detached-wt"),
        ("worktree", Checkout("search"), None),
        ("worktree", Checkout("main", "wt"), "wt"),
    ],
)
def test_which_environment_a_checkout_belongs_to(
    mode: str, checkout: Checkout, key: str | None
) -> None:
    assert resolve_key(mode, checkout, "main") == key
    assert resolve_name("shop", key) == (f"shop-{key}" if key else "shop")


def test_slugs_are_readable_and_told_apart() -> None:
    assert resolve_slug("search") == "search"
    slugs = {resolve_slug(name) for name in ("a/b", "a-b", "a_b", "A-B", "a.b", "ä-b", "…")}
    assert len(slugs) == 7
    assert resolve_slug("feature/search").startswith("feature-search-")


@given(st.text(min_size=1, max_size=300))
def test_every_slug_fits_a_project_name(text: str) -> None:
    slug = resolve_slug(text)
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]*", slug) and len(slug) <= 45
    assert slug == resolve_slug(text)


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_unlike_names_have_unlike_slugs(one: str, other: str) -> None:
    # 16 bits of hash: names that differ in what a slug keeps never meet; others nearly never.
    if one != other and resolve_slug(one) == resolve_slug(other):
        assert resolve_slug(one) not in (one, other)


def test_offsets_keep_clear_of_what_is_taken() -> None:
    assert choose_offset((3000, 5432), (), lambda _: False) == 100
    assert choose_offset((3000, 5432), (3100,), lambda _: False) == 200
    assert choose_offset((3000, 3100), (), lambda _: False) == 200
    assert choose_offset((3000,), (), lambda port: port == 3100) == 200
    assert choose_offset((), (), lambda _: True) is None
    with pytest.raises(ValueError, match="no block"):
        choose_offset((65500,), (), lambda _: False)


@pytest.mark.parametrize(
    ("text", "ports"),
    [("80", [80]), ("80-82", [80, 81, 82]), (None, []), ("", []), ("x", []), ("80-", [80])],
)
def test_published(text: str | None, ports: list[int]) -> None:
    assert list(parse_published(text)) == ports


def test_the_override_moves_ports_and_nothing_else() -> None:
    project = make_project(PORTS)
    assert published_ports(project) == (3000, 9000, 9001, 9002)
    assert port_variables(project, 100) == {"DEVENV_PORT_APP_3000": "3100"}
    text = render_override(project, labels={"dev.devenv.branch": 'a"$b'}, offset=100)
    assert "ports: !override" in text and "container_name: !reset null" in text
    assert "volumes" not in text
    read = yaml.safe_load(text.replace("!override", "").replace("!reset null", "null"))
    assert read["services"]["app"]["ports"] == [
        {"mode": "ingress", "target": 3000, "published": "3100", "protocol": "tcp"},
        {"target": 9000, "published": "9100-9102", "protocol": "udp", "host_ip": "127.0.0.1"},
        {"target": 80},
    ]
    assert read["services"]["db"] == {"labels": {"dev.devenv.branch": 'a"$$b'}}


def test_without_an_offset_the_ports_stay() -> None:
    assert "ports" not in render_override(make_project(PORTS), labels={"a": "b"}, offset=None)
    assert yaml.safe_load(render_override(make_project({}), labels={}, offset=1)) == {
        "services": {}
    }


@given(name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_no_service_name_breaks_the_override(name: str) -> None:
    text = render_override(make_project({name: {"image": "x"}}), labels={"l": name}, offset=None)
    services = yaml.safe_load(text)["services"]
    assert services == {name: {"labels": {"l": name.replace("$", "$$")}}}


SHOP, OTHER = EnvironmentName("shop"), EnvironmentName("shop-x")
DB, APP, SEARCH = (ServiceName(name) for name in ("db", "app", "search"))
UP = Plan((PlannedStep(Step.KEEP, DB, "runs"), PlannedStep(Step.CREATE, APP, "new")), (DB, APP), ())


def test_within_an_environment_only_what_the_profile_leaves_out_stops() -> None:
    plan = plan_switch(SHOP, SHOP, (DB, SEARCH), UP, ("shop_data",), ("shop_data",))
    assert plan.stops == (Stop(SHOP, SEARCH, "not in the selection any more"),)
    assert [step.service for step in plan.changes] == [APP]
    assert plan.data == () and not plan.is_empty


def test_between_environments_all_stops_and_the_data_is_named() -> None:
    plan = plan_switch(SHOP, OTHER, (DB,), UP, ("shop-x_data", "shop-x_new"), ("shop-x_data",))
    shown = render_switch(plan)
    assert "from shop to shop-x" in shown
    assert "stop  db  of environment shop; its data stays" in shown
    assert "data: data as it was left: shop-x_data" in shown
    assert "data: new and empty: shop-x_new" in shown
    nothing = plan_switch(None, SHOP, (), Plan((), (), ()), (), ())
    assert nothing.is_empty and nothing.data == ()
