"""Compose's JSON to the model, the graph and the plan."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.compose.build_progress import BuildStep, parse_build_step
from devenv.compose.graph import awaited_completions, resolve_closure, resolve_start_order
from devenv.compose.inputs import References, find_references
from devenv.compose.model import Condition, Dependency, Healthcheck, Port
from devenv.compose.names import ServiceName
from devenv.compose.parse_config import parse_duration
from devenv.compose.plan import ObservedService, ObservedVolume, PortConflict, plan_up
from devenv.compose.secrets import MASK, is_secret_name, mask_document, mask_text, mask_value
from devenv.report.graph import graph_to_json, render_graph, render_mermaid
from devenv.report.plan import plan_to_json, render_plan
from tests.unit.projects import make_project


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("1m30s", 90), ("1h5m0s", 3900), ("500ms", 0.5), ("1.5s", 1.5), ("", 0)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


def test_a_service_is_parsed_whole() -> None:
    project = make_project(
        {
            "app": {
                "build": {"context": "/src", "dockerfile": "Dockerfile", "target": "development"},
                "ports": [{"target": 80, "published": "8080", "protocol": "tcp"}, {"target": 9}],
                "links": ["cache:redis"],
                "network_mode": "service:vpn",
                "deploy": {"replicas": 0},
                "healthcheck": {"test": ["CMD-SHELL", "true"], "interval": "2s", "retries": 0},
                "depends_on": {
                    "db": {"condition": "service_started", "required": False, "restart": True}
                },
            }
        }
    )
    app = project.services[ServiceName("app")]
    assert app.build is not None and app.build.target == "development"
    assert app.replicas == 0
    assert app.ports == (Port(80, "8080", None), Port(9, None, None))
    assert app.healthcheck == Healthcheck(("CMD-SHELL", "true"), interval_seconds=2.0)
    assert app.dependencies == (
        Dependency(ServiceName("db"), Condition.STARTED, required=False, restart=True),
        Dependency(ServiceName("cache"), implied_by="links"),
        Dependency(ServiceName("vpn"), implied_by="network_mode"),
    )


@pytest.mark.parametrize(
    "raw",
    [{"disable": True, "test": ["CMD", "x"]}, {"test": ["NONE"]}, {"interval": "1s"}, {}],
)
def test_a_health_check_without_an_effective_test_is_none(raw: dict[str, object]) -> None:
    assert (
        make_project({"db": {"healthcheck": raw}}).services[ServiceName("db")].healthcheck is None
    )


def _edges(*names: str) -> dict[str, object]:
    return {"depends_on": {name: {"condition": "service_started"} for name in names}}


def test_start_order_is_in_waves_and_names_cycles_once() -> None:
    project = make_project(
        {"a": _edges("b"), "b": _edges("c"), "c": {}, "x": _edges("y"), "y": _edges("x")}
    )
    order = resolve_start_order(project.services)
    assert order.waves == (("c",), ("b",), ("a",))
    assert order.cycles == (("x", "y"),)
    assert "cycle: x → y → x" in render_graph(project)
    assert graph_to_json(project)["cycles"] == [["x", "y"]]


@given(
    st.dictionaries(
        st.sampled_from("abcdefgh"), st.lists(st.sampled_from("abcdefgh"), max_size=3), max_size=8
    )
)
def test_every_service_is_in_one_wave_after_what_it_waits_on(edges: dict[str, list[str]]) -> None:
    project = make_project({name: _edges(*to) for name, to in edges.items()})
    order = resolve_start_order(project.services)
    placed = {name: number for number, wave in enumerate(order.waves) for name in wave}
    assert sum(len(wave) for wave in order.waves) == len(placed)
    for name, number in placed.items():
        for edge in project.services[name].dependencies:
            if edge.service in project.services:
                assert placed[edge.service] < number
    assert bool(order.cycles) == (len(placed) < len(project.services))


def test_closure_and_completions() -> None:
    project = make_project(
        {
            "a": {"depends_on": {"b": {"condition": "service_completed_successfully"}}},
            "b": _edges("c"),
            "c": {},
            "d": {},
        }
    )
    assert resolve_closure(project, [ServiceName("a")]) == {"a", "b", "c"}
    assert awaited_completions(project.services) == {"b"}


def test_graph_reports() -> None:
    project = make_project()
    assert render_graph(project) == "1  db\n2  app\n   waits for db healthy\n"
    assert render_mermaid(project) == (
        'flowchart LR\n  s_app["app"]\n  s_db["db"]\n  s_db -->|healthy| s_app\n'
    )


def test_the_plan_says_what_happens_to_each_service_and_why() -> None:
    project = make_project(
        {
            "app": {"build": {"context": ".", "target": "development"}, **_edges("db", "old")},
            "db": {"image": "postgres:16"},
            "old": {"image": "busybox"},
            "rest": {"image": "busybox"},
            "calm": {"image": "busybox"},
        }
    )
    plan = plan_up(
        project,
        services={
            ServiceName("old"): ObservedService(1, 1, frozenset({"before"})),
            ServiceName("rest"): ObservedService(1, 0, frozenset({"h"})),
            ServiceName("calm"): ObservedService(1, 1, frozenset({"h"})),
            ServiceName("gone"): ObservedService(1, 1, frozenset({"h"})),
        },
        hashes={ServiceName(name): "h" for name in project.services},
        images={"busybox"},
        volumes={},
        port_conflicts=[PortConflict(ServiceName("app"), 80, "tcp", "nginx (process 1)")],
    )
    assert render_plan(plan) == (
        "keep      calm  runs with this configuration\n"
        "pull      db    postgres:16 is not on the engine\n"
        "create    db    has no container yet\n"
        "recreate  old   its configuration changed\n"
        "start     rest  its container is stopped\n"
        "build     app   built from Dockerfile target development\n"
        "create    app   has no container yet\n"
        "left alone: gone has containers, but is not in this selection\n"
        "refused: app wants port 80/tcp, held by nginx (process 1)\n"
    )
    assert plan_to_json(plan)["port_conflicts"][0]["holder"] == "nginx (process 1)"
    assert plan.builds == ("app",)


def test_a_volume_that_would_be_recreated_is_a_conflict() -> None:
    project = make_project(
        volumes={"data": {"name": "shop_data", "labels": {"keep": "yes"}}, "mine": {"name": "m"}}
    )
    own = {"com.docker.compose.project": "shop"}
    plan = plan_up(
        project,
        services={},
        hashes={},
        images=(),
        volumes={
            "shop_data": ObservedVolume("local", {"type": "nfs"}, own),
            "m": ObservedVolume("local", {}, own),
        },
    )
    assert [(c.volume, c.differences) for c in plan.volume_conflicts] == [
        ("shop_data", ("driver_opts.type: nfs → (none)", "labels.keep: (none) → yes"))
    ]


def test_build_steps_of_both_builders() -> None:
    names = [ServiceName("app"), ServiceName("search")]
    assert parse_build_step("Step 4/7 : RUN npm ci", names) == BuildStep(None, "4/7 RUN npm ci")
    assert parse_build_step("#8 [search development 4/7] RUN npm ci", names) == BuildStep(
        ServiceName("search"), "4/7 RUN npm ci"
    )
    assert parse_build_step(" ---> Using cache", names) is None


def test_references_of_a_compose_file() -> None:
    text = """
include:
  - other.yaml
  - path: [a.yaml, b.yaml]
    env_file: inc.env
services:
  x:
    extends: {file: base.yaml, service: y}
    env_file: [one.env, {path: two.env, required: false}]
    ports: !override ["80:80"]
"""
    assert find_references(text) == References(
        ("other.yaml", "a.yaml", "b.yaml", "inc.env", "base.yaml", "one.env", "two.env"),
        compose_files=(
            ("other.yaml", True),
            ("a.yaml", True),
            ("b.yaml", True),
            ("base.yaml", False),
        ),
    )
    assert not find_references("include: ['https://example.org/x.yaml']").cacheable
    assert not find_references("include: ['${WHERE}/x.yaml']").cacheable
    assert not find_references("include: [").cacheable


@pytest.mark.parametrize(
    "name",
    [
        "POSTGRES_PASSWORD",
        "API_KEY",
        "TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "githubToken",
        "JWT",
        "TOKENS_KEY_BASE",
    ],
)
def test_secret_names(name: str) -> None:
    assert is_secret_name(name) and mask_value(name, "hunter2") == MASK


@pytest.mark.parametrize("name", ["POSTGRES_USER", "PATH", "KEYBOARD", "AUTHOR", "PASSENGERS"])
def test_names_that_are_no_secrets(name: str) -> None:
    assert not is_secret_name(name)


def test_a_switch_is_no_secret_whatever_its_name() -> None:
    assert mask_value("GF_AUTH_ANONYMOUS_ENABLED", "true") == "true"
    assert mask_value("DB_PASSWORD", "truest") == MASK
    document = {"environment": {"MOCK_AUTH": "true", "AUTH_TOKEN": "hunter2"}}
    assert mask_document(document)["environment"] == {"MOCK_AUTH": "true", "AUTH_TOKEN": MASK}
    assert mask_text("MOCK_AUTH=False TOKEN=x") == f"MOCK_AUTH=False TOKEN={MASK}"


def test_secrets_are_masked_wherever_they_stand() -> None:
    document = {
        "services": {
            "app": {
                "environment": {"DB_PASSWORD": "hunter2", "URL": "postgres://u:hunter2@db/x"},
                "command": ["run", "--token=x", "API_TOKEN=hunter2"],
                "build": {"args": {"NPM_TOKEN": "hunter2"}},
                "labels": {"my.secret": "hunter2"},
            }
        }
    }
    assert "hunter2" not in str(mask_document(document))
    assert mask_text("postgres://u:pw@db/x") == f"postgres://u:{MASK}@db/x"
