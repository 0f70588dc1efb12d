"""`devenv watch --explain` and `--list` on a project that Compose itself merges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.engine.project import Project

DOCKERFILE = """\
FROM scratch AS base
COPY package.json /app/
FROM base AS dev
COPY src /app/src
FROM base
COPY prod.txt /app/
"""


@pytest.fixture
def shop(project: Project) -> Project:
    project.write("app/Dockerfile", DOCKERFILE)
    project.write("app/.dockerignore", "*.log\n")
    project.write("app/src/a.js", "a\n")
    project.write("more/worker.yaml", "services:\n  worker:\n    image: x\n    env_file: w.env\n")
    project.write("more/w.env", "A=1\n")
    project.write(
        "base.yaml", "services:\n  web:\n    build: {context: ./app, target: dev}\n    command: x\n"
    )
    project.write(
        "compose.yaml",
        f"name: {project.name}\n"
        "include: [more/worker.yaml]\n"
        "services:\n"
        "  web:\n"
        "    extends: {file: base.yaml, service: web}\n"
        "  db:\n"
        "    image: ${DB:-postgres}\n"
        "    volumes:\n"
        "      - ${CONF:-./db.conf}:/etc/db.conf:ro\n",
    )
    project.write("compose.override.yaml", "services:\n  web:\n    environment: {A: b}\n")
    project.write("db.conf", "x\n")
    return project


def explain(project: Project, *paths: str, **more: Any) -> list[dict[str, Any]]:
    said = project.run("watch", "--explain", *paths, "--format", "json", **more).stdout
    return list(json.loads(said))


def brief(entries: list[dict[str, Any]]) -> list[tuple[str, str | None, str, str]]:
    return [
        (e["path"], e["service"], e["action"], f"{e['because']['path']}:{e['because']['line']}")
        if e["because"]
        else (e["path"], e["service"], e["action"], "")
        for e in entries
    ]


def test_every_shape_of_the_contract(shop: Project) -> None:
    paths = ("app/src/a.js", "app/package.json", "app/prod.txt", "app/x.log", "db.conf")
    assert brief(explain(shop, *paths)) == [
        ("app/src/a.js", "web", "sync+restart", "app/Dockerfile:4"),
        ("app/package.json", "web", "sync+restart", "app/Dockerfile:2"),
        ("app/prod.txt", None, "ignore", "app/Dockerfile:6"),
        ("app/x.log", None, "ignore", "app/.dockerignore:1"),
        ("db.conf", "db", "restart", "compose.yaml:9"),
    ]
    models = ("compose.yaml", "compose.override.yaml", "base.yaml", "more/worker.yaml", ".env")
    assert {e["action"] for e in explain(shop, *models)} == {"reload"}
    assert brief(explain(shop, "more/w.env")) == [
        ("more/w.env", "worker", "reload", "more/worker.yaml:4")
    ]
    assert brief(explain(shop, "app/Dockerfile", "app/.dockerignore")) == [
        ("app/Dockerfile", "web", "rebuild", "base.yaml:3"),
        ("app/.dockerignore", "web", "rebuild", "base.yaml:3"),
    ]
    (entry,) = explain(shop, "app/src/a.js")
    assert set(entry) == {"path", "service", "action", "target", "reason", "because"}
    assert entry["target"] == "/app/src/a.js"


def test_paths_may_be_absolute_gone_outside_or_seen_from_a_subdirectory(shop: Project) -> None:
    absolute = str(shop.directory / "app/src/a.js")
    (shop.directory / "app/src/a.js").unlink()
    inside = explain(shop, absolute)
    assert [(e["path"], e["action"]) for e in inside] == [("app/src/a.js", "sync+restart")]
    said = shop.run("-C", "app", "watch", "--explain", "src/new.js", "--format", "json").stdout
    assert [e["path"] for e in json.loads(said)] == ["app/src/new.js"]
    (outside,) = explain(shop, str(Path("/nowhere/x")), "--format", "json")
    assert (outside["service"], outside["action"]) == (None, "ignore")


def test_a_remote_engine_shows_no_file_of_this_machine(shop: Project) -> None:
    (entry,) = explain(shop, "db.conf", DOCKER_HOST="ssh://someone@far.invalid")
    assert (entry["action"], entry["target"]) == ("sync+restart", "/etc/db.conf")


def test_text_and_list(shop: Project) -> None:
    said = shop.run("watch", "--explain", "app/src/a.js").stdout
    assert "web          sync+restart  →  /app/src/a.js" in said
    listed = json.loads(shop.run("watch", "--list", "--format", "json").stdout)
    asked = {(e["service"], e["path"], e["use"]) for e in listed}
    assert ("web", "app/src", "copied") in asked
    assert ("web", "app/Dockerfile", "Dockerfile") in asked
    assert ("db", "db.conf", "mounted") in asked
    assert (None, "compose.override.yaml", "Compose file") in asked
    assert not any(path == "app/prod.txt" for _, path, _ in asked)


def test_wrong_use(shop: Project) -> None:
    shop.run("watch", "--explain", "x", "--list", code=2)
