"""Branches and worktrees with environments of their own, on a real engine with real git."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from devenv.engine.context import Endpoint
from tests.engine.project import (
    FAST,
    HEALTHY,
    REDIS,
    Project,
    free_port,
    sleeper,
    wait_for,
)

POSTGRES = "devenv-offline/postgres"
SETTINGS = '[isolation]\nmode = "{mode}"\nports = "offset"\n'


def git(directory: Path, *arguments: str) -> str:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for who in ("AUTHOR", "COMMITTER"):
        environ |= {f"GIT_{who}_NAME": "t", f"GIT_{who}_EMAIL": "t@example.org"}
    completed = subprocess.run(
        ("git", *arguments), cwd=directory, env=environ, check=True, capture_output=True, text=True
    )
    return completed.stdout.strip()


@dataclass
class Repository:
    """The main checkout, and a maker of linked worktrees."""

    main: Project
    place: Path
    _endpoint: Endpoint
    _cache: Path

    def worktree(self, branch: str, directory: str) -> Project:
        git(self.main.directory, "worktree", "add", "-q", "-b", branch, str(self.place / directory))
        return self.at(directory)

    def at(self, directory: str) -> Project:
        project = Project(self.place / directory, self._endpoint, self._cache)
        project.name = json.loads(project.run("shellenv", "--format", "json").stdout)[
            "COMPOSE_PROJECT_NAME"
        ]
        return project

    def environments(self) -> dict[str, dict[str, object]]:
        shown = self.main.run("environments", "--format", "json").stdout
        return {row["environment"]: row for row in json.loads(shown)}


@pytest.fixture
def repository(
    make_project: Callable[[str], Project], docker_engine: Endpoint, tmp_path: Path
) -> Iterator[Repository]:
    main = make_project("shop")
    cache = tmp_path / "own-cache"  # its memory too: the rows of this repository alone
    cache.mkdir()
    main.environ |= {"XDG_STATE_HOME": str(cache / "state")}
    git(main.directory, "init", "-q", "-b", "main")
    made = Repository(main, tmp_path, docker_engine, cache)
    yield made
    for name in made.environments():
        other = Project(main.directory, docker_engine, cache)
        other.name = name
        other.remove()


def write(repository: Repository, mode: str) -> int:
    """A database with a volume, and an app that waits for it; the database's host port."""
    port = free_port()
    repository.main.write(
        "compose.yaml",
        yaml.safe_dump(
            {
                "name": repository.main.name,
                "services": {
                    "db": {
                        "image": POSTGRES,
                        "environment": {"POSTGRES_PASSWORD": "x", "POSTGRES_USER": "app"},
                        "volumes": ["data:/var/lib/postgresql/data"],
                        "ports": [f"127.0.0.1:{port}:5432"],
                        "healthcheck": {
                            "test": ["CMD", "pg_isready", "-U", "app", "-h", "127.0.0.1"],
                            **FAST,
                            "retries": 30,
                        },
                    },
                    "app": sleeper(
                        depends_on={"db": {"condition": "service_healthy"}}, healthcheck=HEALTHY
                    ),
                    "search": sleeper(profiles=["search"]),
                },
                "volumes": {"data": None},
            },
            sort_keys=False,
        ),
    )
    repository.main.write("devenv.toml", SETTINGS.format(mode=mode))
    repository.main.write("profiles/dev.toml", 'description = "all"\n')
    repository.main.write(
        "profiles/search.toml", 'extends = "dev"\ncompose_profiles = ["search"]\n'
    )
    git(repository.main.directory, "add", "-A")
    git(repository.main.directory, "commit", "-q", "-m", "one")
    return port


def sql(project: Project, text: str) -> str:
    url = "postgres://app:x@127.0.0.1/app"
    shown = project.run("exec", "db", "psql", "-q", url, "-Atc", text)
    return shown.stdout.strip()


def test_three_worktrees_side_by_side_each_with_its_own_rows(repository: Repository) -> None:
    port = write(repository, "worktree")
    projects = [
        repository.main,
        repository.worktree("one", "a/shop"),
        repository.worktree("feature/two", "b/shop"),
    ]
    assert len({project.name for project in projects}) == 3
    ports = []
    for number, project in enumerate(projects):
        project.up()
        sql(project, f"CREATE TABLE t AS SELECT generate_series(1, {number + 1}) AS n")
        shown = json.loads(project.run("port", "db", "5432", "--format", "json").stdout)
        ports.append(int(shown[0]["address"].rsplit(":", 1)[1]))
    assert [int(sql(project, "SELECT count(*) FROM t")) for project in projects] == [1, 2, 3]
    assert ports[0] == port and len(set(ports)) == 3
    assert all((other - port) % 100 == 0 for other in ports)
    rows = repository.environments()
    assert {rows[project.name]["running"] for project in projects} == {2}
    assert rows[projects[1].name]["kind"] == "worktree"

    moved = repository.place / "moved"
    git(repository.main.directory, "worktree", "move", str(projects[1].directory), str(moved))
    again = repository.at("moved")
    assert again.name == projects[1].name
    assert sql(again, "SELECT count(*) FROM t") == "2"

    git(repository.main.directory, "worktree", "remove", "--force", str(projects[2].directory))
    plan = repository.main.run("gc", "--dry-run").stdout
    assert projects[2].name in plan and "data" in plan and f"{projects[1].name}:" not in plan
    assert repository.main.run("gc", code=2).stderr  # no terminal to ask at
    repository.main.run("gc", "--yes")
    assert set(repository.environments()) == {repository.main.name, projects[1].name}
    assert projects[2].volume("data") is None
    assert sql(again, "SELECT count(*) FROM t") == "2"


def test_worktrees_started_at_once_get_ports_of_their_own(repository: Repository) -> None:
    main, port = repository.main, free_port()
    main.write_compose({"app": sleeper(ports=[f"127.0.0.1:{port}:80"])})
    main.write("devenv.toml", SETTINGS.format(mode="worktree"))
    git(main.directory, "add", "-A")
    git(main.directory, "commit", "-q", "-m", "one")
    places = []
    for name in ("one", "two", "three"):
        place = repository.place / name
        git(main.directory, "worktree", "add", "-q", "-b", name, str(place))
        places.append(Project(place, repository._endpoint, repository._cache))
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(Project.up, places))
    offsets = {row["port_offset"] for row in repository.environments().values()}
    assert offsets == {100, 200, 300}


def test_branches_there_and_back_keep_their_data(repository: Repository) -> None:
    write(repository, "branch")
    main = repository.main
    main.up()
    sql(main, "CREATE TABLE t AS SELECT 1 AS n")
    before = main.ids()
    git(main.directory, "branch", "topic")
    for rows in ("", "2"):
        main.run("switch", "topic")
        topic = repository.at("shop")
        assert topic.name != main.name
        assert topic.running_services() == {"db", "app"}
        assert main.running_services() == set()
        if rows:
            assert sql(topic, "SELECT count(*) FROM t") == rows
        else:
            sql(topic, "CREATE TABLE t AS SELECT generate_series(1, 2) AS n")
            topic_ids = topic.ids()
        assert topic.ids() == topic_ids
        main.run("switch", "main")
        assert main.running_services() == {"db", "app"}
        assert topic.running_services() == set()
        assert main.ids() == before
        assert sql(main, "SELECT count(*) FROM t") == "1"
    git(main.directory, "branch", "-D", "topic")
    main.run("gc", "--yes")
    assert set(repository.environments()) == {main.name}
    assert main.volume("data") is not None


def test_where_git_refuses_what_was_stopped_is_started_again(repository: Repository) -> None:
    write(repository, "branch")
    main = repository.main
    main.up()
    ids = main.ids()
    git(main.directory, "switch", "-q", "-c", "topic")
    (main.directory / "devenv.toml").write_text(SETTINGS.format(mode="branch") + "# x\n")
    git(main.directory, "commit", "-qam", "two")
    git(main.directory, "switch", "-q", "main")
    (main.directory / "devenv.toml").write_text(SETTINGS.format(mode="branch") + "# mine\n")
    said = main.run("switch", "topic", code=1).stderr
    assert "devenv.toml" in said and "started again" in said
    assert main.running_services() == {"db", "app"} and main.ids() == ids


def test_profiles_touch_only_what_differs(repository: Repository) -> None:
    write(repository, "none")
    main = repository.main
    main.up()
    ids = main.ids()
    plan = json.loads(main.run("switch", "search", "--dry-run", "--format", "json").stdout)
    assert {step["service"]: step["step"] for step in plan["steps"]} == {
        "db": "keep",
        "app": "keep",
        "search": "create",
    }
    assert main.running_services() == {"db", "app"}
    main.run("switch", "search")
    assert main.running_services() == {"db", "app", "search"}
    assert "chosen for branch main" in main.run("profile", "list").stdout
    main.run("switch", "--auto")
    assert main.running_services() == {"db", "app"}
    assert {name: i for name, i in main.ids().items() if name in ids} == ids
    git(main.directory, "branch", "feature/serach")
    said = main.run("switch", "serch", code=2).stderr
    assert "did you mean 'search' or 'feature/serach'?" in said
    git(main.directory, "switch", "-q", "-c", "topic")
    main.write("compose.yaml", (main.directory / "compose.yaml").read_text() + "x-a: {}\n")
    services = '{"services": {"new": {"image": "busybox"}}}'
    main.write("profiles/search.toml", 'compose_profiles = ["search"]\nfiles = ["new.yaml"]\n')
    main.write("profiles/new.yaml", services)
    main.write("devenv.toml", '[branches]\ntopic = "search"\n')
    git(main.directory, "add", "-A")
    git(main.directory, "commit", "-qm", "two")
    git(main.directory, "switch", "-q", "main")
    plan = json.loads(main.run("switch", "topic", "--dry-run", "--format", "json").stdout)
    assert plan["services"] == ["app", "db", "new", "search"] and plan["stops"] == ["app", "db"]
    assert plan["steps"][-1] == f"start {main.name} with profile search: app, db, new, search"
    assert main.running_services() == {"db", "app"}


def test_the_memory_is_lost_and_nothing_with_it(repository: Repository) -> None:
    write(repository, "branch")
    main = repository.main
    git(main.directory, "switch", "-q", "-c", "topic")
    topic = repository.at("shop")
    topic.up()
    sql(topic, "CREATE TABLE t AS SELECT 1 AS n")
    ids = topic.ids()
    memory = Path(main.environ["XDG_STATE_HOME"]) / "devenv" / "memory.sqlite3"
    for file in memory.parent.glob("memory.sqlite3*"):
        file.unlink()
    again = repository.at("shop")
    assert again.name == topic.name
    again.up()
    assert again.ids() == ids
    assert sql(again, "SELECT count(*) FROM t") == "1"
    (main.directory / "compose.yaml").write_text("services: [\n")
    main.run("down")  # by the name that is remembered
    assert topic.containers() == {}


def test_a_running_up_notices_the_branch_and_pauses_what_would_run_its_code(
    repository: Repository,
) -> None:
    write(repository, "branch")
    main = repository.main
    text = (main.directory / "compose.yaml").read_text()
    services = yaml.safe_load(text)
    services["services"]["app"]["volumes"] = [".:/src"]
    main.write("compose.yaml", yaml.safe_dump(services, sort_keys=False))
    git(main.directory, "commit", "-qam", "two")
    git(main.directory, "branch", "topic")
    with main.running("up", "--plain") as up:
        wait_for(lambda: "Ready in" in up.stderr, seconds=60)
        git(main.directory, "switch", "-q", "topic")
        wait_for(lambda: "now on branch topic" in up.stderr, seconds=10)
        assert "paused until then: app" in up.stderr
        states = {name: raw["State"]["Status"] for name, raw in main.containers().items()}
        assert states == {"app": "paused", "db": "running"}
        git(main.directory, "switch", "-q", "main")
        wait_for(
            lambda: main.containers()["app"]["State"]["Status"] == "running" or None, seconds=10
        )
        git(main.directory, "switch", "-q", "topic")
        (main.directory / "compose.yaml").write_text("services: [\n")
        git(main.directory, "commit", "-qam", "broken")
        git(main.directory, "switch", "-q", "main")
        git(main.directory, "switch", "-q", "topic")
        wait_for(lambda: "What runs is left as it is" in up.stderr, seconds=10)
        assert main.containers()["db"]["State"]["Status"] == "running"


def test_auto_switch_follows_the_branch(repository: Repository) -> None:
    write(repository, "branch")
    main = repository.main
    settings = "auto_switch = true\n" + SETTINGS.format(mode="branch")
    main.write("devenv.toml", settings)
    git(main.directory, "commit", "-qam", "two")
    git(main.directory, "branch", "topic")
    with main.running("up", "--plain") as up:
        wait_for(lambda: "Ready in" in up.stderr, seconds=60)
        git(main.directory, "switch", "-q", "topic")
        wait_for(lambda: up.stderr.count("Ready in") == 2 or None, seconds=60)
    topic = repository.at("shop")
    assert topic.running_services() == {"db", "app"} and main.running_services() == set()


def test_two_checkouts_of_one_name_do_not_take_each_others_containers(
    make_project: Callable[[str], Project], tmp_path: Path
) -> None:
    first = make_project("one")
    first.write_compose({"app": sleeper()})
    first.up()
    ids = first.ids()
    second = make_project("two")
    second.write("compose.yaml", (first.directory / "compose.yaml").read_text())
    said = second.run("up", "--detach", code=1).stderr
    assert str(first.directory) in said and "worktree" in said
    assert first.ids() == ids


def test_isolation_needs_git(make_project: Callable[[str], Project]) -> None:
    project = make_project("plain")
    project.write_compose({"cache": {"image": REDIS}})
    project.write("devenv.toml", SETTINGS.format(mode="branch"))
    said = project.run("up", "--detach", code=2).stderr
    assert "devenv.toml:2" in said and "git init" in said


def test_a_branch_that_lacks_an_override_file_leaves_the_other_ones_alone(
    repository: Repository,
) -> None:
    main = repository.main
    main.write_compose({"app": sleeper()})
    main.write("devenv.toml", 'default_profile = "dev"\n' + SETTINGS.format(mode="branch"))
    main.write("profiles/dev.toml", 'files = ["dev.compose.yaml"]\n')
    override = main.write("profiles/dev.compose.yaml", "services: {app: {labels: {a: b}}}\n")
    git(main.directory, "add", "-A")
    git(main.directory, "commit", "-q", "-m", "one")
    git(main.directory, "switch", "-q", "-c", "topic")
    override.unlink()
    git(main.directory, "commit", "-qam", "two")
    git(main.directory, "switch", "-q", "main")
    with main.running("up", "--plain") as up:
        wait_for(lambda: "Ready in" in up.stderr, seconds=60)
        ids = main.ids()
        git(main.directory, "switch", "-q", "topic")
        wait_for(lambda: "What runs is left as it is" in up.stderr, seconds=30)
        assert "dev.compose.yaml, which does not exist" in up.stderr
        assert main.running_services() == {"app"} and main.ids() == ids
        git(main.directory, "switch", "-q", "main")
    said = main.run("switch", "topic", "--dry-run", code=1).stderr
    assert "The files of topic do not load" in said and "topic:profiles/dev.toml:1" in said
    assert "dev.compose.yaml, which does not exist" in said
    said = main.run("switch", "topic", code=2).stderr
    assert "profiles/dev.toml:1" in said and "Still on main" in said
    assert main.running_services() == {"app"} and main.ids() == ids
    assert git(main.directory, "branch", "--show-current") == "main"


def test_a_state_directory_that_cannot_be_written_is_said(repository: Repository) -> None:
    main = repository.main
    main.write_compose({"app": sleeper()})
    main.write("devenv.toml", SETTINGS.format(mode="branch"))
    main.up()  # the plain environment needs none
    git(main.directory, "switch", "-q", "-c", "topic")
    closed = main.write("closed", "")  # no directory, for root neither
    said = main.run("up", "--detach", code=2, XDG_STATE_HOME=str(closed)).stderr
    assert "cannot be written" in said and "XDG_STATE_HOME" in said
    assert main.running_services() == {"app"}


def test_a_detached_shallow_clone_and_a_submodule_are_environments_of_their_own(
    repository: Repository,
) -> None:
    main = repository.main
    main.write_compose({"app": sleeper()})
    main.write("devenv.toml", SETTINGS.format(mode="branch"))
    git(main.directory, "add", "-A")
    git(main.directory, "commit", "-q", "-m", "one")
    place = repository.place
    url = f"file://{main.directory}"
    git(place, "clone", "-q", "--depth", "1", url, "shallow")
    git(place / "shallow", "checkout", "-q", "--detach")
    shallow = repository.at("shallow")
    assert shallow.name == f"{main.name}-detached"
    shallow.run("environments")
    outer = place / "outer"
    outer.mkdir()
    git(outer, "init", "-q", "-b", "main")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "inner")
    git(outer / "inner", "switch", "-q", "-c", "topic")
    assert repository.at("outer/inner").name == f"{main.name}-topic"


def test_environments_are_listed_whatever_the_files_of_the_checkout_are_like(
    repository: Repository,
) -> None:
    main = repository.main
    main.write_compose({"app": sleeper()})
    main.write("devenv.toml", SETTINGS.format(mode="branch"))
    main.up()
    for file, text in (("compose.yaml", "services: [\n"), ("devenv.toml", "mode =\n")):
        before = (main.directory / file).read_text()
        main.write(file, text)
        shown = main.run("environments")
        assert f"*  {main.name}  " in shown.stdout and "1 of 1 up" in shown.stdout
        assert "do not load" in shown.stderr and f"/{file}:" in shown.stderr
        assert json.loads(main.run("environments", "--format", "json").stdout)
        assert "Nothing to remove" in main.run("gc").stdout
        main.write(file, before)
    memory = Path(main.environ["XDG_STATE_HOME"]) / "devenv" / "memory.sqlite3"
    with contextlib.closing(sqlite3.connect(memory)) as connection:
        connection.execute("PRAGMA user_version = 999")
    shown = main.run("environments")
    assert "newer devenv" in shown.stderr
    assert f"*  {main.name}  " in shown.stdout and "1 of 1 up" in shown.stdout
    with contextlib.closing(sqlite3.connect(memory)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (999,)


def test_a_preview_writes_no_override_of_an_environment_that_was_never_started(
    repository: Repository,
) -> None:
    write(repository, "branch")
    main = repository.main
    git(main.directory, "switch", "-q", "-c", "feature/new")
    assert "create" in main.run("up", "--dry-run").stdout
    state = Path(main.environ["XDG_STATE_HOME"]) / "devenv"
    assert not (state / "environments").exists()
