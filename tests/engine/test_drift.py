"""Services that run with another configuration than the files say, on a real engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from devenv.compose.secrets import MASK
from tests.engine.project import BASE, Project, sleeper


def _stale(project: Project) -> dict[str, list[str]]:
    """Each stale service with what differs, as `ps` says it."""
    shown = json.loads(project.run("ps", "--format", "json").stdout)
    return {row["service"]: row["differences"] for row in shown["services"] if row["stale"]}


def test_what_differs_by_key_and_no_secret(project: Project) -> None:
    environment = {"MODE": "dev", "DB_PASSWORD": "hunter2"}
    project.write_compose({"app": sleeper(environment=environment), "other": sleeper()})
    project.up()
    assert _stale(project) == {}
    environment = {"MODE": "test", "DB_PASSWORD": "hunter3"}
    project.write_compose(
        {"app": sleeper(environment=environment, cap_add=["NET_RAW"]), "other": sleeper()}
    )
    assert _stale(project) == {
        "app": [
            "cap_add[0]: (none) → NET_RAW",
            f"environment.DB_PASSWORD: {MASK} → {MASK}",
            "environment.MODE: dev → test",
        ]
    }
    [row] = [line for line in project.run("ps").stdout.splitlines() if line.startswith("app")]
    assert "stale: cap_add[0], environment.DB_PASSWORD, environment.MODE" in row
    plan = project.run("up", "--dry-run", "--no-checks").stdout
    assert (
        "its configuration changed: cap_add[0], environment.DB_PASSWORD, environment.MODE" in plan
    )
    memory = b"".join(
        path.read_bytes() for path in (project.directory.parent.parent).rglob("memory.sqlite3*")
    )
    assert b"hunter" not in memory
    project.up()
    assert _stale(project) == {}


@pytest.mark.parametrize(
    "more",
    [
        {"build": {"context": "."}},
        {"depends_on": ["other"]},
        {"pull_policy": "missing"},
        {"scale": 1},
    ],
    ids=lambda more: next(iter(more)),
)
def test_what_compose_does_not_hash_is_not_stale(project: Project, more: Mapping[str, Any]) -> None:
    project.write("Dockerfile", f"FROM {BASE}\n")
    project.write_compose({"app": sleeper(), "other": sleeper()})
    project.up()
    project.write_compose({"app": sleeper(**more), "other": sleeper()})
    assert _stale(project) == {}


def test_a_start_by_compose_alone_is_stale_without_keys(project: Project) -> None:
    project.write_compose({"app": sleeper()})
    project.run("compose", "up", "--detach")
    project.write_compose({"app": sleeper(user="1")})
    assert _stale(project) == {"app": []}
    assert "stale: its configuration changed" in project.run("ps").stdout


def test_what_is_stopped_is_not_stale(project: Project) -> None:
    project.write_compose({"app": sleeper()})
    project.up()
    project.run("stop")
    project.write_compose({"app": sleeper(user="1")})
    assert _stale(project) == {}
