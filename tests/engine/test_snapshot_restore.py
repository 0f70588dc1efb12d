"""Restoring real databases: whole, or not at all, wherever it is cut off."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.project import REDIS, Project, sleeper, wait_for
from tests.engine.second_engine import shared_files
from tests.engine.test_snapshot import POSTGRES, database, leftovers, sql, states

ROWS = 20_000
REPOSITORY = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def own_state(project: Project, tmp_path: Path) -> None:
    project.environ |= {"XDG_STATE_HOME": str(tmp_path / "state")}


@pytest.fixture
def image(project: Project) -> Iterator[str]:
    """A name for an image of this test."""
    name = f"{project.name}-image"
    yield name
    subprocess.run(["docker", "rmi", "--force", name], capture_output=True, check=False)


def kill_at(project: Project, number: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "tests.engine.kill_at", str(number)),
            *("-C", str(project.directory), *arguments),
        ],
        cwd=REPOSITORY,
        env={**project.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def volumes(project: Project) -> list[str]:
    """All volumes that have to do with the project, those beside too."""

    async def load() -> list[str]:
        found = await project.client.get_json("/volumes")
        names = [raw["Name"] for raw in found["Volumes"]]
        return sorted(name for name in names if name.startswith(project.name))

    return asyncio.run(load())


PROVE = """
export PGPASSWORD=x PGUSER=app PGHOST=127.0.0.1 PATH=$PATH:$(echo /usr/lib/postgresql/*/bin)
pg_dumpall >/dev/null && pg_amcheck --database app --install-missing --heapallindexed &&
  psql -d app -Atc 'SELECT count(*) FROM t'
"""


def prove(project: Project) -> int:
    """The rows there are, after a dump of all that the database has and a check of its pages."""
    return int(project.run("exec", "db", "sh", "-c", PROVE).stdout.split()[-1])


def write_rows(project: Project) -> None:
    project.write_compose({"db": database()}, volumes={"data": None})
    project.up()
    sql(project, f"CREATE TABLE t AS SELECT n, md5(n::text) AS m FROM generate_series(1, {ROWS}) n")
    sql(project, "CREATE INDEX ON t (m)")


def test_a_database_comes_back_as_it_was(project: Project) -> None:
    project.write_compose(
        {
            "db": database(),
            "cache": {"image": REDIS, "volumes": ["cache:/data"]},
            "app": sleeper(),
        },
        volumes={"data": None, "cache": None},
    )
    project.up()
    sql(project, f"CREATE TABLE t AS SELECT generate_series(1, {ROWS}) AS n")
    project.run("exec", "cache", "redis-cli", "set", "key", "old")
    project.run("snapshot", "save", "one", "--yes")
    sql(project, "DELETE FROM t WHERE n > 5")
    project.run("exec", "cache", "redis-cli", "set", "key", "new")
    project.run("exec", "cache", "sh", "-c", "mkdir /data/.more && touch /data/.more/x '/data/a b'")
    ids = project.ids()
    said = project.run("snapshot", "restore", "one", code=2).stderr
    assert "What is there now is lost" in said and "no terminal" in said
    assert sql(project, "SELECT count(*) FROM t") == "5"
    shown = project.run("snapshot", "restore", "one", "--yes", "--format", "json").stdout
    assert json.loads(shown)["volumes"] == ["cache", "data"]
    project.up()
    assert prove(project) == ROWS
    assert project.run("exec", "cache", "redis-cli", "get", "key").stdout.strip() == "old"
    assert project.run("exec", "cache", "ls", "-A", "/data").stdout.split() == ["dump.rdb"]
    assert project.ids() == ids and leftovers(project) == []
    assert volumes(project) == [f"{project.name}_cache", f"{project.name}_data"]

    project.run("down", "--volumes", "--yes")  # and where nothing is there at all
    project.run("snapshot", "restore", "one", "--yes")
    project.up()
    assert prove(project) == ROWS
    assert states(project) == {"db": "running", "cache": "running", "app": "running"}


def test_a_restore_that_is_killed_at_any_step_is_undone_or_completed(project: Project) -> None:
    write_rows(project)
    project.run("snapshot", "save", "one")
    sql(project, "INSERT INTO t VALUES (0, '')")
    counted = kill_at(project, 0, "snapshot", "restore", "one", "--yes")
    assert counted.returncode == 0, counted.stderr
    project.up()
    assert prove(project) == ROWS
    steps = counted.stderr.splitlines()[-1].partition(": ")[2].split("; ")
    puts = [at for at, step in enumerate(steps, 1) if step.startswith("PUT")]
    stop = next(at for at, step in enumerate(steps, 1) if step.endswith("/stop"))
    waits = [at for at, step in enumerate(steps, 1) if step.endswith("/wait")]
    start = max(at for at, step in enumerate(steps, 1) if step.endswith("/start"))
    directory, content, root = puts  # the place within the volume, its content, the volume's owner
    (swap,) = waits  # the container that renames is at work
    commit = swap - 1
    assert stop < directory < content < commit < swap < root < start < len(steps)
    assert steps[commit - 1] == "POST /containers/create"
    # The others are like one of these: a vessel more or less, or a mark.
    for at in (content, commit, swap, start):
        sql(project, "INSERT INTO t VALUES (0, '')")
        killed = kill_at(project, at, "snapshot", "restore", "one", "--yes")
        assert killed.returncode == -9, f"{at} {steps[at - 1]}: {killed.stderr}"
        said = project.up()
        rows = prove(project)
        is_done = at > commit
        assert rows == (ROWS if is_done else ROWS + 1), f"killed before {at}: {steps[at - 1]}"
        assert ("completing the restore of data" in said) is (commit < at < start), said
        assert leftovers(project) == [] and volumes(project) == [f"{project.name}_data"]
        sql(project, "DELETE FROM t WHERE n = 0")


ODD = r"""
cd /data; chmod 2771 .; chown 12:34 .; mkdir -p d/e; printf x >"$(printf 'bad\377name')"; echo >"a
b"; echo >"'\"\\ \$x*"; echo >-rf; echo >...three; ln -s /etc/passwd abs
ln -s ../../../etc/shadow out; ln -s nowhere dangling; chown -h 5:6 dangling; mkfifo pipe
mknod null c 1 3; echo h >h1; ln h1 d/e/h2; chmod 4755 h1; chown 70000:3000000 d
touch -d '1999-12-31 23:59:58' old d/e; chmod 000 old; long=$(printf 'n%.0s' $(seq 120))
mkdir -p $long/$long; echo l >$long/$long/$long
"""
SHOW = r"""
cd /data; find . ! -path . -printf '%p|%y|%m|%U:%G|%s|%TY-%Tm-%Td %TH:%TM|%l|%n\n' | sort | cat -v
find . -type f -exec cksum {} + | sort | cat -v; stat -c '%a %u:%g' .; test h1 -ef d/e/h2 &&
  echo linked
"""


def test_all_that_a_volume_can_have_comes_back_for_both_who_have_it(project: Project) -> None:
    project.write_compose(
        {"a": sleeper(volumes=["data:/data"]), "b": sleeper(volumes=["data:/mnt/x"])},
        volumes={"data": None},
    )
    project.up()
    project.run("exec", "a", "sh", "-ec", ODD)
    before = project.run("exec", "a", "sh", "-c", SHOW).stdout
    assert "linked" in before and "2771 12:34" in before and "../../../etc/shadow" in before
    said = project.run("snapshot", "save", "one").stderr
    assert "a: paused" in said and "b: paused" in said
    project.run("exec", "a", "sh", "-c", "cd /data; rm -rf d abs h1 n*; echo new >new; chmod 700 .")
    project.run("snapshot", "restore", "one", "--yes")
    assert project.run("exec", "a", "sh", "-c", SHOW).stdout == before
    project.run("exec", "b", "test", "!", "-e", "/mnt/x/new")
    assert states(project) == {"a": "running", "b": "running"} and leftovers(project) == []


def test_a_damaged_snapshot_changes_nothing(project: Project) -> None:
    project.write_compose({"a": sleeper(volumes=["data:/data"])}, volumes={"data": None})
    project.up()
    project.run(
        "exec", "a", "sh", "-c", "head -c 3000000 /dev/urandom >/data/file; echo 1 >/data/n"
    )
    project.run("snapshot", "save", "one")
    project.run("exec", "a", "sh", "-c", "echo 2 >/data/n")
    store = Path(project.environ["XDG_STATE_HOME"]) / "devenv" / "snapshots"
    (file,) = store.rglob("*.snapshot")
    whole = file.read_bytes()
    at = len(whole) // 2
    file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    said = project.run("snapshot", "restore", "one", "--yes", code=1).stderr
    assert "Snapshot one is damaged" in said and "Nothing was changed" in said
    file.write_bytes(whole[:at])
    said = project.run("snapshot", "restore", "one", "--yes", code=1).stderr
    assert "it is no whole file" in said
    assert "is damaged" in project.run("snapshot", "list").stderr
    file.write_bytes(whole.replace(b'"format": 1', b'"format": 2'))
    said = project.run("snapshot", "restore", "one", "--yes", code=1).stderr
    assert "damaged" in said  # the checksum of the manifest itself is another one now
    assert project.run("exec", "a", "cat", "/data/n").stdout.strip() == "2"
    assert states(project) == {"a": "running"} and leftovers(project) == []
    assert volumes(project) == [f"{project.name}_data"]


def test_another_major_version_is_refused(project: Project, image: str) -> None:
    write_rows(project)
    project.run("snapshot", "save", "one")
    ids = project.ids()
    docker = ["docker", "commit", "--change", "ENV PG_MAJOR=16", ids["db"], image]
    subprocess.run(docker, capture_output=True, check=True)
    project.write_compose({"db": database(image=image)}, volumes={"data": None})
    said = project.run("snapshot", "restore", "one", "--yes", code=1).stderr
    assert "PostgreSQL 15" in said and f"the image {image} is PostgreSQL 16" in said
    assert "Nothing was changed" in said and f"comes from {POSTGRES}" in said

    docker = ["docker", "commit", "--change", "LABEL a=b", ids["db"], image]
    subprocess.run(docker, capture_output=True, check=True)
    project.run("exec", "db", "sh", "-c", "echo 16 >$PGDATA/PG_VERSION")
    said = project.run("snapshot", "restore", "one", "--yes", code=1).stderr
    assert "the volume has the data of PostgreSQL 16 now" in said
    assert states(project) == {"db": "running"} and project.ids() == ids


def test_interrupt_before_the_replacement_changes_nothing(project: Project) -> None:
    project.write_compose({"a": sleeper(volumes=["data:/data"])}, volumes={"data": None})
    project.up()
    project.run(
        "exec", "a", "sh", "-c", "head -c 100000000 /dev/urandom >/data/file; echo 1 >/data/n"
    )
    project.run("snapshot", "save", "one")
    project.run("exec", "a", "sh", "-c", "echo 2 >/data/n")
    with project.running("snapshot", "restore", "one", "--yes") as restore:
        wait_for(lambda: "stage" in leftovers(project), what="the place for what is new")
        os.kill(restore.process.pid, signal.SIGINT)
        assert restore.process.wait(30) == 130, restore.stderr
        assert "Traceback" not in restore.stderr
    assert project.run("exec", "a", "cat", "/data/n").stdout.strip() == "2"
    assert leftovers(project) == [] and volumes(project) == [f"{project.name}_data"]


def test_an_image_without_a_shell(project: Project, image: str, tmp_path: Path) -> None:
    """Its volumes are reached all the same; one that a container has cannot be emptied."""
    tar = tmp_path / "image.tar"
    with tarfile.open(tar, "w") as archive:
        for path in shared_files(("/bin/sleep",)):
            archive.add(os.path.realpath(path), arcname=path.lstrip("/"))
    subprocess.run(["docker", "import", str(tar), image], capture_output=True, check=True)
    service = {"image": image, "command": ["/bin/sleep", "600"], "stop_grace_period": "0s"}
    project.write_compose({"a": {**service, "volumes": ["data:/data"]}}, volumes={"data": None})
    project.up()
    project.run("snapshot", "save", "one")
    said = project.run("snapshot", "restore", "one", "--yes", code=1).stderr
    assert "none of the project's images has a shell" in said and "devenv down" in said
    assert states(project) == {"a": "running"} and leftovers(project) == []
    project.run("down")
    project.run("snapshot", "restore", "one", "--yes")
    assert "nothing differs" in project.run("snapshot", "diff", "one").stdout
    project.up()
    assert volumes(project) == [f"{project.name}_data"]
