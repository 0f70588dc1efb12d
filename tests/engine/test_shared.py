"""A service that all environments of a repository share, with two worktrees on a real engine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devenv.compose.shared import LABEL_USES
from devenv.engine.api import ApiError
from devenv.engine.context import Endpoint
from devenv.engine.networks import remove_network
from tests.engine.project import FAST, REDIS, Project, free_port, wait_for
from tests.engine.test_isolation import Repository, git

READY = {"condition": "service_healthy"}


def _services(**search: Any) -> dict[str, Any]:
    app = {"image": REDIS, "init": True, "command": ["sleep", "600"]}
    probe = {"test": ["CMD", "redis-cli", "ping"], **FAST, "retries": 20}
    return {
        "app": {**app, "depends_on": {"search": READY, "other": {"condition": "service_started"}}},
        "other": app,
        "search": {"image": REDIS, "healthcheck": probe, **search},
    }


def _settings(shared: str = '"search"') -> str:
    return f'[isolation]\nmode = "worktree"\nports = "offset"\nshared = [{shared}]\n'


@pytest.fixture
def repository(
    make_project: Callable[[str], Project], docker_engine: Endpoint, tmp_path: Path
) -> Iterator[Repository]:
    main = make_project("shop")
    cache = tmp_path / "own-cache"
    cache.mkdir()
    main.environ |= {"XDG_STATE_HOME": str(cache / "state")}
    git(main.directory, "init", "-q", "-b", "main")
    made = Repository(main, tmp_path, docker_engine, cache)
    yield made
    main.write("devenv.toml", _settings(""))  # so that what a test broke keeps nothing alive
    for name in made.environments():
        other = Project(main.directory, docker_engine, cache)
        other.name = name
        other.remove()
        with contextlib.suppress(ApiError):
            asyncio.run(remove_network(main.client, f"{name}_devenv_shared"))


def _commit(project: Project, settings: str | None = None, **search: Any) -> None:
    project.write_compose(_services(**search))
    project.write("devenv.toml", settings if settings is not None else _settings())
    git(project.directory, "add", ".")
    git(project.directory, "commit", "-q", "-m", "x")


def _shared(repository: Repository, docker_engine: Endpoint) -> Project:
    """The environment of the shared services, to ask the engine about."""
    [name] = [name for name, row in repository.environments().items() if row["kind"] == "shared"]
    project = Project(repository.main.directory, docker_engine, repository._cache)
    project.name = name
    return project


def _say(project: Project, *words: str) -> str:
    return project.run("exec", "app", *words).stdout.strip()


def test_two_worktrees_one_service(repository: Repository, docker_engine: Endpoint) -> None:
    main = repository.main
    port = free_port()
    _commit(main, ports=[f"{port}:6379"])
    one = repository.worktree("feature/one", "one")
    said = main.up()
    assert "starting search for all environments" in said
    assert "starting search" not in one.up()
    shared = _shared(repository, docker_engine)
    before = shared.ids()
    assert set(before) == {"search"}
    assert main.running_services() == one.running_services() == {"app", "other"}

    # Both reach it under its usual name; what one writes the other reads.
    assert _say(main, "redis-cli", "-h", "search", "set", "k", "v") == "OK"
    assert _say(one, "redis-cli", "-h", "search", "get", "k") == "v"

    # Names of the environment's own services stay its own.
    for project in (main, one):
        raw = project.containers()["app"]["NetworkSettings"]["Networks"]
        own = {network["IPAddress"] for network in raw.values()}
        assert set(_say(project, "getent", "ahostsv4", "app").split()) & own
        others = (one if project is main else main).containers()["app"]["NetworkSettings"]
        foreign = {network["IPAddress"] for network in others["Networks"].values()}
        assert not set(_say(project, "getent", "ahostsv4", "app").split()) & foreign

    # Its port is that of the files, in every environment.
    shown = json.loads(one.run("ps", "--format", "json").stdout)
    row = next(row for row in shown["services"] if row["service"] == "search")
    assert (row["status"], row["detail"]) == ("healthy", "shared by all environments")
    assert row["ports"][0]["host_port"] == port
    assert one.run("exec", "search", "redis-cli", "get", "k").stdout.strip() == "v"
    assert "is shared by all" in one.run("restart", "search", code=2).stderr
    assert "ready to accept" in one.run("logs", "search").stdout.lower()

    # It goes on while one uses it, and stops with the last one; its data stays.
    said = one.run("down").stderr
    assert "stopping search" not in said
    assert shared.running_services() == {"search"}
    said = main.run("stop").stderr
    assert "stopping search" in said
    assert shared.running_services() == set()
    main.run("start")
    assert shared.ids() == before
    assert _say(main, "redis-cli", "-h", "search", "get", "k") == "v"
    main.run("down")
    assert shared.running_services() == set()
    networks = subprocess.run(
        ["docker", "network", "ls", "--filter", f"label={LABEL_USES}={shared.name}", "-q"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert networks.stdout == ""


def test_what_is_in_use_is_not_recreated_for_another(
    repository: Repository, docker_engine: Endpoint
) -> None:
    main = repository.main
    _commit(main)
    one = repository.worktree("feature/one", "one")
    main.write("devenv.toml", _settings(""))
    main.up()
    assert main.running_services() == {"app", "other", "search"}
    main.write("devenv.toml", _settings())
    assert "it is shared now" in main.up()
    assert main.running_services() == {"app", "other"}
    shared = _shared(repository, docker_engine)
    before = shared.ids()
    services = _services(environment={"NEW": "1"})
    one.name, name = main.name, one.name  # the file names the project as it is committed
    one.write_compose(services)
    one.name = name
    said = one.up()
    assert "search goes on with its configuration" in said
    assert shared.ids() == before
    main.run("down")
    one.run("down")
    one.up()
    assert shared.ids() != before


def test_a_shared_service_that_is_not_healthy_starts_nothing(repository: Repository) -> None:
    main = repository.main
    probe = {"test": ["CMD-SHELL", "echo no-index; exit 1"], **FAST, "retries": 1}
    _commit(main, healthcheck=probe)
    said = main.up(code=1)
    assert "search, which all environments share, is not ready" in said
    assert "no-index" in said
    assert not main.containers()


@pytest.mark.parametrize(
    ("shared", "search", "words"),
    [
        ('"serch"', {}, "There is no service 'serch' to share."),
        ('"search"', {"depends_on": ["other"]}, "depends on other, which is not"),
    ],
    ids=["unknown", "depends on its own"],
)
def test_what_cannot_be_shared(
    repository: Repository, shared: str, search: dict[str, Any], words: str
) -> None:
    _commit(repository.main, _settings(shared), **search)
    said = repository.main.up(code=2)
    assert words in said
    assert f"{repository.main.directory}/devenv.toml:4:11: " in said


def test_a_watch_that_runs_while_a_service_becomes_shared(
    repository: Repository, docker_engine: Endpoint
) -> None:
    main = repository.main
    _commit(main, _settings(""))
    main.up()
    with main.running("watch") as watch:
        wait_for(lambda: "watching" in watch.stderr, what="the watch")
        main.write("devenv.toml", _settings())
        wait_for(lambda: "reloaded" in watch.stdout, seconds=90, what="the reload")
        assert "failed" not in watch.stdout
    assert set(_shared(repository, docker_engine).ids()) == {"search"}
    assert _say(main, "redis-cli", "-h", "search", "ping") == "PONG"
