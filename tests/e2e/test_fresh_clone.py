"""The first morning: a clone, one command, what is missing typed, and rows in the database."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from devenv.engine.context import Endpoint
from tests.e2e.terminal import Terminal
from tests.engine.project import FAST, Project, devenv_argv, free_port
from tests.engine.test_isolation import POSTGRES, git

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

SERVE = (
    "require('http').createServer((_, r) => r.end('hello ' + process.env.GREETING))"
    ".listen(3000, '0.0.0.0')"
)
EXAMPLE = """\
# At least 12 characters. Only this machine's database has it.
DB_PASSWORD=
# What the page says; ask the team.
GREETING=
"""
SETTINGS = """\
[hooks]
after_healthy = [
  {service = "db", run = "psql -q -U app -h 127.0.0.1 -c 'CREATE TABLE notes AS SELECT 1 AS n'"},
]
"""


def write_repository(directory: Path, name: str, port: int) -> None:
    """A commit with an application, its database, and all that a colleague needs but values."""
    probe = {"test": ["CMD", "pg_isready", "-U", "app", "-h", "127.0.0.1"], **FAST, "retries": 60}
    app = {
        "image": "devenv-offline/node",
        "init": True,
        "command": ["node", "-e", SERVE],
        "environment": {"GREETING": "${GREETING:?}"},
        "ports": [f"127.0.0.1:{port}:3000"],
        "depends_on": {"db": {"condition": "service_healthy"}},
    }
    db = {
        "image": POSTGRES,
        "environment": {
            "POSTGRES_USER": "app",
            "POSTGRES_PASSWORD": "${DB_PASSWORD:?}",
            "PGPASSWORD": "${DB_PASSWORD}",
        },
        "volumes": ["data:/var/lib/postgresql/data"],
        "healthcheck": probe,
    }
    document = {"name": name, "services": {"app": app, "db": db}, "volumes": {"data": None}}
    texts = {
        "compose.yaml": yaml.safe_dump(document, sort_keys=False),
        ".env.example": EXAMPLE,
        ".gitignore": ".env\n",
        "devenv.toml": SETTINGS,
    }
    for path, text in texts.items():
        (directory / path).write_text(text)
    git(directory, "init", "-q", "-b", "main")
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "-m", "one")


@pytest.fixture
def clone(docker_engine: Endpoint, tmp_path: Path, cache: Path) -> Iterator[Project]:
    """Where the clone of a bare repository will be; its port is in `environ`, for the test."""
    project = Project(tmp_path / "clone", docker_engine, cache)
    project.environ |= {"XDG_STATE_HOME": str(tmp_path / "state"), "TEST_PORT": str(free_port())}
    project.environ.pop("CI", None)
    source = tmp_path / "source"
    source.mkdir()
    write_repository(source, project.name, int(project.environ["TEST_PORT"]))
    git(tmp_path, "clone", "-q", "--bare", str(source), "shop.git")
    yield project
    project.remove()


def test_from_the_clone_to_rows_in_the_database(clone: Project, tmp_path: Path) -> None:
    bare, url = tmp_path / "shop.git", f"http://localhost:{clone.environ['TEST_PORT']}"
    script = f"git clone -q {bare} {clone.directory} && cd {clone.directory} && exec "
    with Terminal(
        ["/bin/sh", "-c", script + " ".join([*devenv_argv(), "up"])], tmp_path, clone.environ
    ) as terminal:

        def wait(*patterns: str, seconds: float = 60) -> str:
            return terminal.wait(
                lambda screen: all(re.search(p, screen) for p in patterns),
                seconds=seconds,
                what=str(patterns),
            )

        wait("DB_PASSWORD, GREETING are not set", "Fill in .env now")
        terminal.press("\r")
        wait("# At least 12 characters", r"DB_PASSWORD \(g: generate\)")
        terminal.press("g\r")
        wait("generated, 43 characters", "# What the page says", r"GREETING:\s")
        terminal.press("new here\r")
        wait(
            "made .env: DB_PASSWORD .generated., GREETING",
            "after_healthy, in service db",
            r"\[w\]ithout them",
        )
        assert not clone.containers()
        terminal.press("y\r")
        wait(rf"ready in \d+\.\d s: {url}", "✓ 2", seconds=120)
        terminal.press("q")
        wait("Leave running")
        terminal.press("\r")
        terminal.wait_end(seconds=30)
        assert terminal.exit_code == 0
    text = (clone.directory / ".env").read_text()
    password = re.search(r"^DB_PASSWORD=(\w{43})$", text, re.MULTILINE)
    assert password is not None
    assert password[1].encode() not in terminal.raw
    with urllib.request.urlopen(url, timeout=10) as response:
        assert response.read() == b"hello new here"
    address = "postgres://app@127.0.0.1/app"
    shown = clone.run("exec", "db", "psql", "-q", address, "-Atc", "SELECT count(*) FROM notes")
    assert shown.stdout.strip() == "1"
    assert git(clone.directory, "status", "--porcelain") == ""
