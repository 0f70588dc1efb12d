"""An environment that begins with the default branch's data, on a real engine with real git."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from typing import Any

import pexpect
import pytest
import yaml

from tests.engine.project import REDIS, Project, devenv_argv, sleeper, wait_for
from tests.engine.test_isolation import Repository, git, repository
from tests.engine.test_snapshot import database, leftovers, states
from tests.engine.test_snapshot_restore import PROVE, kill_at

__all__ = ["repository"]

SETTINGS = '[isolation]\nmode = "worktree"\nclone_volumes = {volumes}\n'
WRITE = """
export PGPASSWORD=x PGUSER=app PGHOST=127.0.0.1 PGDATABASE=app
while :; do
  psql -qc 'BEGIN; INSERT INTO t SELECT max(n) + 1, repeat(md5(random()::text), 10) FROM t;
    INSERT INTO u SELECT max(n) FROM t; COMMIT' || exit 1
done
"""


def write(repository: Repository, volumes: list[str], **services: object) -> None:
    main = repository.main
    main.write(
        "compose.yaml",
        yaml.safe_dump(
            {
                "name": main.name,
                "services": services or {"db": database()},
                "volumes": {"data": None, "cache": None} if services else {"data": None},
            },
            sort_keys=False,
        ),
    )
    main.write("devenv.toml", SETTINGS.format(volumes=json.dumps(volumes)))
    git(main.directory, "add", "-A")
    git(main.directory, "commit", "-q", "-m", "one")


def psql(project: Project, text: str) -> str:
    url = "postgres://app:x@127.0.0.1/app"
    return project.run("exec", "db", "psql", "-q", url, "-Atc", text).stdout.strip()


def test_a_clone_while_the_app_writes_is_of_one_moment(repository: Repository) -> None:
    write(repository, ["data"])
    main = repository.main
    main.up()
    psql(main, "CREATE TABLE t AS SELECT 1 AS n, '' AS m; CREATE TABLE u AS SELECT 1 AS n")
    topic = repository.worktree("topic", "a/shop")
    ids = main.ids()
    assert f"clone: data: from {main.name}_data" in topic.run("up", "--dry-run").stdout
    with main.running("exec", "db", "sh", "-c", WRITE) as writer:
        wait_for(lambda: int(psql(main, "SELECT count(*) FROM t")) > 20, what="the writer")
        before = int(psql(main, "SELECT count(*) FROM t"))
        said = topic.up()
        after = int(psql(main, "SELECT count(*) FROM t"))
        assert writer.process.poll() is None  # it was never cut off
        writer.process.send_signal(signal.SIGTERM)
        writer.process.wait(30)
    assert f"its volumes are copied from {main.name}" in said and "db: paused meanwhile" in said
    count = int(topic.run("exec", "db", "sh", "-c", PROVE).stdout.split()[-1])
    assert before <= count <= after
    assert psql(topic, "SELECT max(n) = count(*) FROM t") == "t"
    assert psql(topic, "SELECT count(*) FROM u") == str(count)
    assert states(main) == {"db": "running"} and main.ids() == ids
    assert leftovers(main) == [] and leftovers(topic) == []
    psql(topic, "DELETE FROM t")  # its own
    assert int(psql(main, "SELECT count(*) FROM t")) >= after
    topic.run("down")
    assert "copied" not in topic.up()
    assert psql(topic, "SELECT count(*) FROM t") == "0"


def test_a_clone_that_is_killed_is_made_again_and_the_source_goes_on(
    repository: Repository,
) -> None:
    write(repository, ["data"])
    main = repository.main
    main.up()
    psql(main, "CREATE TABLE t AS SELECT n FROM generate_series(1, 50000) n")
    topic = repository.worktree("topic", "a/shop")
    up = ("up", "--detach", "--wait")
    steps = _steps(topic, *up)
    put = next(at for at, step in enumerate(steps, 1) if step.startswith("PUT"))
    resume = next(at for at, step in enumerate(steps, 1) if step.endswith("/unpause"))
    for at in (put, resume + 1):
        topic.run("down", "--volumes", "--yes")
        killed = kill_at(topic, at, *up)
        assert killed.returncode == -9, killed.stderr
        held = at <= resume
        assert states(main) == {"db": "paused" if held else "running"}, steps[at - 1]
        if at == put:  # the environment of the source brings it back as well
            main.run("start")
            assert states(main) == {"db": "running"}
        said = topic.up()
        assert "is made again" in said and "are copied from" in said
        assert states(main) == {"db": "running"}
        assert psql(topic, "SELECT count(*), max(n) FROM t") == "50000|50000"
        assert leftovers(main) == [] and leftovers(topic) == []
    assert psql(main, "SELECT count(*) FROM t") == "50000"


def _steps(project: Project, *arguments: str) -> list[str]:
    counted = kill_at(project, 0, *arguments)
    assert counted.returncode == 0, counted.stderr
    return counted.stderr.splitlines()[-1].partition(": ")[2].split("; ")


def test_what_has_to_be_stopped_is_asked_for(repository: Repository) -> None:
    services = {
        "cache": {"image": REDIS, "volumes": ["cache:/data"]},
        "web": sleeper(volumes=["data:/data"]),
    }
    write(repository, ["cache"], **services)
    main = repository.main
    main.up()
    main.run("exec", "cache", "redis-cli", "set", "key", "value")
    topic = repository.worktree("topic", "a/shop")
    plan = json.loads(topic.run("switch", "--auto", "--dry-run", "--format", "json").stdout)
    assert f"copied from the default branch's environment: {topic.name}_cache" in plan["data"]
    said = topic.run("up", "--detach", "--wait", code=2).stderr
    assert "Stop cache while its data is copied: there is no terminal" in said
    assert topic.volume("cache") is None and states(main) == {"cache": "running", "web": "running"}
    topic.up("--no-clone")
    assert topic.run("exec", "cache", "redis-cli", "get", "key").stdout.strip() == ""
    topic.run("down", "--volumes", "--yes")
    topic.up("--yes")
    assert topic.run("exec", "cache", "redis-cli", "get", "key").stdout.strip() == "value"
    assert states(main) == {"cache": "running", "web": "running"}
    topic.write("devenv.toml", SETTINGS.format(volumes='["cahe"]'))
    said = topic.run("up", "--detach", "--wait", code=2).stderr
    assert "clone_volumes names 'cahe'" in said and "did you mean cache?" in said
    assert "devenv.toml:3" in said


@pytest.fixture
def terminal(repository: Repository) -> Iterator[list[Any]]:
    made: list[Any] = []
    yield made
    for one in made:
        one.close(force=True)


def test_what_stays_behind_is_offered_once(repository: Repository, terminal: list[Any]) -> None:
    write(repository, [], web=sleeper(volumes=["data:/data"]))
    main = repository.main
    main.up()
    main.run("exec", "web", "sh", "-c", "echo kept >/data/file")
    for answer, kept in (("y", "kept"), ("n", "")):
        topic = repository.worktree(f"topic-{answer}", f"{answer}/shop")
        argv = [*devenv_argv(), "up", "--detach", "--wait"]
        spawn: Any = pexpect.spawn
        child = spawn(
            argv[0], argv[1:], cwd=str(topic.directory), env=topic.environ, encoding="utf-8"
        )
        terminal.append(child)
        child.timeout = 60
        child.expect("begins without: data")
        child.expect(r"Copy it\? \[y/N\]")
        child.sendline(answer)
        child.expect("Ready in")
        child.expect(pexpect.EOF)
        shown = topic.run("exec", "web", "sh", "-c", "cat /data/file 2>/dev/null || true").stdout
        assert shown.strip() == kept
        assert "begins without" not in topic.up()
