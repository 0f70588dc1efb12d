"""`down`, `stop`, `start`, `restart`, `logs`, `exec`, `port`, `shellenv`, `compose`."""

from __future__ import annotations

import json
import shlex
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from devenv.engine.compose import find_compose
from tests.engine.project import HEALTHY, Project, free_port, shell, sleeper, wait_for


@pytest.mark.parametrize(
    ("file", "text"),
    [("compose.yaml", "services: [\n"), (".env", 'A="never closed\n')],
    ids=["compose file", "env file"],
)
def test_down_where_files_do_not_load(project: Project, file: str, text: str) -> None:
    project.write_compose({"web": sleeper()})
    project.up()
    project.write(file, text)
    project.run("up", "--detach", code=2)
    assert project.running_services() == {"web"}
    project.run("ps")
    project.run("down")
    assert not project.containers()


def test_down_reaches_what_another_profile_started(project: Project) -> None:
    project.write_compose({"web": sleeper(), "extra": sleeper(profiles=["more"])})
    project.write("devenv.toml", 'default_profile = "dev"\n')
    project.write("profiles/dev.toml", "")
    project.write("profiles/more.toml", 'compose_profiles = ["more"]\n')
    project.run("--profile", "more", "up", "--detach", "--wait")
    assert project.running_services() == {"web", "extra"}
    project.run("down")
    assert not project.containers()


def test_down_and_volumes(project: Project) -> None:
    project.write_compose({"web": sleeper(volumes=["data:/data"])}, volumes={"data": {}})
    project.up()
    project.run("down")
    assert not project.containers()
    assert project.volume("data")
    project.up()
    said = project.run("down", "--volumes", code=2).stderr
    assert "--yes" in said
    assert project.running_services() == {"web"}
    project.run("down", "--volumes", "--yes")
    assert not project.containers()
    assert project.volume("data") is None
    project.run("down")  # again: nothing to do is no failure


def test_stop_start_restart_one_service(project: Project) -> None:
    project.write_compose({"a": sleeper(), "b": sleeper()})
    project.up()
    before = project.containers()
    project.run("stop", "a")
    assert project.running_services() == {"b"}
    assert project.statuses() == {"a": "stopped", "b": "running"}
    project.run("start", "a")
    assert project.running_services() == {"a", "b"}
    project.run("restart", "a")
    after = project.containers()
    assert {name: raw["Id"] for name, raw in after.items()} == {
        name: raw["Id"] for name, raw in before.items()
    }
    assert after["a"]["State"]["StartedAt"] > before["a"]["State"]["StartedAt"]
    assert after["b"]["State"]["StartedAt"] == before["b"]["State"]["StartedAt"]
    said = project.run("stop", "aa", code=2).stderr
    assert "did you mean a?" in said


def test_logs_are_merged_by_time(project: Project) -> None:
    script = "for i in $(seq 15); do echo line-$i; sleep 0.1; done; exec sleep 600"
    project.write_compose({"a": shell(script), "b": shell(script)})
    project.up()

    def load(*options: str) -> list[dict[str, Any]]:
        out = project.run("logs", "--format", "json", *options).stdout
        return [json.loads(line) for line in out.splitlines()]

    def load_all() -> list[dict[str, Any]] | None:
        lines = load()
        return lines if len(lines) == 30 else None

    lines = wait_for(load_all, what="30 lines")
    times = [datetime.fromisoformat(line["time"]) for line in lines]
    assert times == sorted(times)
    services = [line["service"] for line in lines]
    assert services != sorted(services)
    assert services != sorted(services, reverse=True)
    for name in "ab":
        texts = [line["text"] for line in lines if line["service"] == name]
        assert texts == [f"line-{number}" for number in range(1, 16)]
        assert [line["text"] for line in load(name)] == texts
    late = load("--since", lines[20]["time"])
    assert 0 < len(late) < 30
    assert all(datetime.fromisoformat(line["time"]) >= times[20] for line in late)
    assert late[-9:] == lines[-9:]
    assert len(load("--tail", "2")) == 4
    assert "line-15" in project.run("logs", "a").stdout


def test_logs_follow(project: Project) -> None:
    project.write_compose({"a": shell("i=0; while sleep 0.2; do i=$((i+1)); echo tick-$i; done")})
    project.up()
    with project.running("logs", "--follow") as following:
        wait_for(lambda: following.stdout.count("tick-") >= 5, what="five lines")
        said = following.stdout.splitlines()
        assert len(said) == len(set(said))


def test_exec(project: Project) -> None:
    project.write_compose({"web": sleeper()})
    said = project.run("exec", "web", "true", code=2).stderr
    assert "devenv up" in said
    project.up()
    assert project.run("exec", "web", "echo", "hello").stdout == "hello\n"
    project.run("exec", "web", "sh", "-c", "exit 7", code=7)
    project.run("exec", "wep", "true", code=2)
    # A relative COMPOSE_FILE of the shell is not looked for where the command runs.
    words = ("exec", "web", "echo", "hello")
    said = project.run(*words, COMPOSE_FILE="compose.yaml", COMPOSE_PROFILES="more").stdout
    assert said == "hello\n"


def test_port(project: Project) -> None:
    port = free_port()
    project.write_compose({"web": sleeper(ports=[f"{port}:80"]), "db": sleeper()})
    project.up()
    assert str(port) in project.run("port", "web", "80").stdout
    assert len(project.run("port", "web").stdout.split()) == 1
    project.run("port", "db", code=2)
    project.run("port", "web", "81", code=2)


def test_shellenv_and_compose(project: Project, tmp_path: Path) -> None:
    project.write_compose({"web": sleeper(healthcheck=HEALTHY), "x": sleeper(profiles=["more"])})
    project.write("profiles/more.yaml", 'services: {web: {environment: {FROM: "$NEW"}}}\n')
    project.write(
        "profiles/full.toml",
        'compose_profiles = ["more"]\nfiles = ["more.yaml"]\n[env]\nNEW = "it\'s new"\n',
    )
    project.write("devenv.toml", 'default_profile = "full"\n')
    project.up()
    assert project.running_services() == {"web", "x"}
    shown = project.run("exec", "web", "printenv", "FROM").stdout
    assert shown == "it's new\n"
    compose = shlex.quote(find_compose(project.environ).path)
    variables = project.run("shellenv").stdout

    def evaluate(words: str) -> str:
        completed = subprocess.run(
            ["sh", "-euc", f'eval "$DEVENV_TEST_TEXT"; {compose} {words}'],
            env={**project.environ, "DEVENV_TEST_TEXT": variables},
            cwd=project.directory,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return completed.stdout

    assert set(evaluate("ps --quiet --no-trunc").split()) == set(project.ids().values())
    hashes = dict(line.split() for line in evaluate("config --hash '*'").splitlines())
    for name, raw in project.containers().items():
        assert raw["Config"]["Labels"]["com.docker.compose.config-hash"] == hashes[name]
    listed = project.run("compose", "ps", "--services").stdout.split()
    assert set(listed) == {"web", "x"}
    project.run("compose", "exec", "-T", "web", "sh", "-c", "exit 9", code=9)
