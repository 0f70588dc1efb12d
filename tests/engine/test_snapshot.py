"""Snapshots of real volumes: what is saved, who goes on, and what is refused."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.engine.project import BASE, FAST, REDIS, Project, sleeper, wait_for

POSTGRES = "devenv-offline/postgres"
URL = "postgres://app:x@127.0.0.1/app"


@pytest.fixture(autouse=True)
def own_state(project: Project, tmp_path: Path) -> None:
    project.environ |= {"XDG_STATE_HOME": str(tmp_path / "state")}


def database(**more: Any) -> dict[str, Any]:
    return {
        "image": POSTGRES,
        "environment": {"POSTGRES_PASSWORD": "x", "POSTGRES_USER": "app"},
        "volumes": ["data:/var/lib/postgresql/data"],
        "healthcheck": {
            "test": ["CMD", "pg_isready", "-U", "app", "-h", "127.0.0.1"],
            **FAST,
            "retries": 30,
        },
        **more,
    }


def write_database(project: Project) -> None:
    project.write_compose(
        {"db": database(), "cache": {"image": REDIS, "volumes": ["cache:/data"]}},
        volumes={"data": None, "cache": None},
    )


def sql(project: Project, text: str) -> str:
    return project.run("exec", "db", "psql", "-q", URL, "-Atc", text).stdout.strip()


def states(project: Project) -> dict[str, str]:
    return {name: raw["State"]["Status"] for name, raw in project.containers().items()}


def leftovers(project: Project) -> list[str]:
    """The marks and vessels that there still are for the project."""

    async def load() -> list[str]:
        filters = {"label": [f"dev.devenv.work.environment={project.name}"]}
        rows = await project.client.get_json("/containers/json", all=True, filters=filters)
        return [row["Labels"]["dev.devenv.work"] for row in rows]

    return asyncio.run(load())


def test_each_database_is_held_in_its_way_and_goes_on(project: Project) -> None:
    write_database(project)
    project.up()
    sql(project, "CREATE TABLE t AS SELECT generate_series(1, 1000) AS n")
    project.run("exec", "cache", "redis-cli", "set", "key", "in memory alone")
    before = project.ids()
    said = project.run("snapshot", "save", "one", code=2).stderr
    assert "no terminal to ask at" in said and "Redis writes what it has in memory" in said
    assert states(project) == {"db": "running", "cache": "running"}
    saved = json.loads(project.run("snapshot", "save", "one", "--yes", "--format", "json").stdout)
    rows = {row["volume"]: row for row in saved["volumes"]}
    assert (rows["data"]["held"], rows["data"]["database"]) == ("paused", "PostgreSQL")
    assert rows["data"]["database_major"] == "15"
    assert (rows["cache"]["held"], rows["cache"]["database"]) == ("stopped", "Redis")
    assert rows["data"]["stored_bytes"] < rows["data"]["size_bytes"] / 3
    assert states(project) == {"db": "running", "cache": "running"}
    assert project.ids() == before and leftovers(project) == []
    assert project.run("exec", "cache", "redis-cli", "get", "key").stdout.strip()
    assert json.loads(project.run("snapshot", "list", "--format", "json").stdout) == [saved]
    assert "one" in project.run("snapshot", "list").stdout

    project.run("exec", "cache", "sh", "-c", "echo 1 >/data/new; rm /data/dump.rdb")
    diff = json.loads(project.run("snapshot", "diff", "one", "--format", "json").stdout)
    assert {row["path"]: row["change"] for row in diff["cache"]} == {
        "new": "added",
        "dump.rdb": "removed",
    }
    assert states(project) == {"db": "running", "cache": "running"}
    assert "already" in project.run("snapshot", "save", "one", "--yes", code=2).stderr
    project.run("snapshot", "save", "one", "--yes", "--replace", "--volume", "cache")
    assert "nothing differs" in project.run("snapshot", "diff", "one", "one").stdout
    assert "no terminal" in project.run("snapshot", "rm", "one", code=2).stderr
    project.run("snapshot", "rm", "one", "--yes")
    assert json.loads(project.run("snapshot", "list", "--format", "json").stdout) == []


def test_what_cannot_be_saved_is_refused_with_what_can(project: Project) -> None:
    project.write_compose(
        {"web": sleeper(volumes=["data:/data", "other:/other"])},
        volumes={"data": None, "other": {"external": True, "name": f"{project.name}-other"}},
    )
    said = project.run("snapshot", "save", "one", code=2).stderr
    assert "nothing to save" in said and "devenv up" in said
    assert (
        "not on the engine yet"
        in project.run("snapshot", "save", "one", "--volume", "data", code=2).stderr
    )
    assert "external" in project.run("snapshot", "save", "one", "--volume", "other", code=2).stderr
    said = project.run("snapshot", "save", "one", "--volume", "dta", code=2).stderr
    assert "did you mean data?" in said
    assert "for example: a-b" in project.run("snapshot", "save", "a/b", code=2).stderr
    assert "no snapshot" in project.run("snapshot", "diff", "none", code=2).stderr


def test_a_volume_that_no_container_has_is_reached_through_the_model(project: Project) -> None:
    project.write_compose({"web": sleeper(volumes=["data:/data"])}, volumes={"data": None})
    project.up()
    project.run("exec", "web", "sh", "-c", "echo kept >/data/file")
    project.run("down")
    said = project.run("snapshot", "save", "one", "--format", "json").stdout
    assert json.loads(said)["volumes"][0]["held"] == "idle"
    project.write_compose(
        {"web": {"image": f"{project.name}-none", "volumes": ["data:/data"]}},
        volumes={"data": None},
    )
    said = project.run("snapshot", "save", "two", code=1).stderr
    assert "none is on the engine" in said and "devenv up" in said
    assert BASE not in said


def test_a_paused_service_stays_paused_and_a_stopped_one_stopped(project: Project) -> None:
    project.write_compose(
        {
            "a": sleeper(volumes=["data:/data"]),
            "b": sleeper(volumes=["data:/data:ro"]),
            "c": sleeper(volumes=["data:/data"]),
        },
        volumes={"data": None},
    )
    project.up()
    ids = project.ids()

    async def act() -> None:
        await project.client.request("POST", f"/containers/{ids['a']}/pause")
        await project.client.request("POST", f"/containers/{ids['c']}/stop")

    asyncio.run(act())
    said = project.run("snapshot", "save", "one").stderr
    assert "paused meanwhile" not in said  # b cannot write
    assert states(project) == {"a": "paused", "b": "running", "c": "exited"}


def test_a_save_that_is_killed_leaves_a_paused_service_which_the_next_call_resumes(
    project: Project,
) -> None:
    project.write_compose({"a": sleeper(volumes=["data:/data"])}, volumes={"data": None})
    project.up()
    project.run("exec", "a", "sh", "-c", "head -c 100000000 /dev/urandom >/data/file")
    with project.running("snapshot", "save", "one") as save:
        wait_for(lambda: states(project)["a"] == "paused", what="the pause")
        save.process.kill()
        save.process.wait()
    assert states(project)["a"] == "paused" and leftovers(project)
    said = project.run("snapshot", "save", "one").stderr
    assert "goes on: a copy of its data had been cut off" in said
    assert states(project)["a"] == "running" and leftovers(project) == []
    store = Path(project.environ["XDG_STATE_HOME"]) / "devenv" / "snapshots"
    assert [one.name for one in store.rglob("*") if one.is_file()] == ["one.snapshot"]


def test_interrupt_lets_the_service_go_on_and_keeps_nothing(project: Project) -> None:
    project.write_compose({"a": sleeper(volumes=["data:/data"])}, volumes={"data": None})
    project.up()
    project.run("exec", "a", "sh", "-c", "head -c 100000000 /dev/urandom >/data/file")
    with project.running("snapshot", "save", "one") as save:
        wait_for(lambda: states(project)["a"] == "paused", what="the pause")
        save.process.send_signal(signal.SIGINT)
        assert save.process.wait(30) == 130, save.stderr
        assert "Traceback" not in save.stderr
    assert states(project)["a"] == "running" and leftovers(project) == []
    store = Path(project.environ["XDG_STATE_HOME"]) / "devenv" / "snapshots"
    assert [one for one in store.rglob("*") if one.is_file()] == []
