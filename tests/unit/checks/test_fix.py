"""`devenv check --fix` on whole projects: what is kept, what is refused, what is taken back."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from devenv.cli.check_runner import load_checks
from devenv.cli.main import run_command_line
from devenv.cli.session import Session
from devenv.engine.compose import find_compose

COMPOSE = """\
services:
  app:
    image: node:22
    depends_on: [db]  # first
  db:
    image: postgres:16
    healthcheck: {test: [CMD, pg_isready], interval: 2s}
"""
HEALTHY = COMPOSE.replace("[db]", "{db: {condition: service_healthy}}")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "shop"
    directory.mkdir()
    (directory / "compose.yaml").write_text(COMPOSE)
    for name in [name for name in os.environ if name.startswith(("COMPOSE_", "DEVENV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    monkeypatch.chdir(directory)
    return directory


def fix(capsys: pytest.CaptureFixture[str], *rules: str, code: int = 0, words: str = "") -> str:
    select = [word for rule in rules for word in ("--select", rule)]
    found = run_command_line(["check", "--fix", "--fail-on", "never", *select, *words.split()])
    captured = capsys.readouterr()
    assert found == code, captured.err
    return captured.err


def fix_and_settle(capsys: pytest.CaptureFixture[str], *rules: str) -> None:
    assert "repaired." in fix(capsys, *rules)
    assert "Nothing to repair" in fix(capsys, *rules)


def model() -> Any:
    argv = find_compose(os.environ).argv("config", "--format", "json")
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_an_example_gets_the_names_and_keeps_everything_else(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = b"\xef\xbb\xbf# Copy me.\r\n\r\nHOST=db   # the host\r\nLAST='x'"
    (project / ".env.example").write_bytes(before)
    (project / ".env.example").chmod(0o640)
    (project / ".env").write_text("HOST=db\nLAST=1\nAPI_KEY=very-secret-9\nPORT=1\n")
    fix_and_settle(capsys, "env-example-drift")
    assert (project / ".env.example").read_bytes() == before + b"\r\nAPI_KEY=\r\nPORT=\r\n"
    assert (project / ".env.example").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    "name",
    ["app.env", "a b.env", "#x.env", "!x.env", "a[1].env", "a*b.env", "conf/é.env", "x.env "],
)
def test_git_ignores_what_the_new_line_names(
    project: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    subprocess.run(("git", "init", "--quiet"), check=True)
    (project / "compose.yaml").write_text(
        COMPOSE + f"    env_file: [{json.dumps(name, ensure_ascii=False)}]\n"
    )
    (project / ".gitignore").write_bytes(b"*.log\r\n# ours")
    path = project / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("API_KEY=q7Gm2vZ9Lw4xKp8RtB6nYc3D\n")
    fix_and_settle(capsys, "env-file-not-ignored")
    asked = subprocess.run(("git", "check-ignore", "--", name), capture_output=True, check=False)
    assert asked.returncode == 0
    lines = (project / ".gitignore").read_bytes().split(b"\r\n")
    assert lines[:2] == [b"*.log", b"# ours"]
    assert len(lines) == 4
    other = subprocess.run(("git", "check-ignore", "--", "ab.env", "a1.env"), check=False)
    assert other.returncode == 1


def test_an_ignore_file_keeps_its_line_ends(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "compose.yaml").write_text("services:\n  app:\n    build: .\n")
    (project / "Dockerfile").write_text("FROM node:22-slim\nCOPY . .\nRUN npm ci\n")
    (project / "package.json").write_text("{}")
    (project / ".dockerignore").write_bytes(b"# kept\r\n*.log")
    fix_and_settle(capsys, "dockerignore-incomplete")
    text = (project / ".dockerignore").read_bytes()
    assert text.startswith(b"# kept\r\n*.log\r\n")
    assert b"node_modules\r\n" in text
    assert b"\n" not in text.replace(b"\r\n", b"")


def test_a_quoted_value_changes_that_value_alone(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = COMPOSE + "    environment:\n      A: ${A}\n      B: ${B}\n      C: ${C}\n"
    (project / "compose.yaml").write_text(text)
    env = '# first\nA=pa$sword # kept\nB=x\nC="two $words"\n'
    (project / ".env").write_text(env)
    before = model()
    fix_and_settle(capsys, "env-dollar")
    assert (project / ".env").read_text() == ("# first\nA='pa$sword' # kept\nB=x\nC='two $words'\n")
    after = model()
    changed = after["services"]["db"]["environment"]
    assert changed == {"A": "pa$$sword", "B": "x", "C": "two $$words"}
    after["services"]["db"]["environment"] = before["services"]["db"]["environment"]
    assert after == before


def test_a_symbolic_link_stays_one(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "docker").mkdir()
    (project / "compose.yaml").rename(project / "docker" / "real.yaml")
    (project / "compose.yaml").symlink_to("docker/real.yaml")
    fix_and_settle(capsys, "started-not-healthy")
    assert (project / "compose.yaml").is_symlink()
    assert (project / "docker" / "real.yaml").read_text() == HEALTHY


def test_a_file_outside_is_named_and_all_others_are_changed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = project.parent / "common.yaml"
    outside.write_text("services:\n  base:\n    image: node:22\n    depends_on: [db]\n")
    (project / "compose.yaml").write_text(
        COMPOSE + "  job:\n    extends: {file: ../common.yaml, service: base}\n"
    )
    text = outside.read_text()
    said = fix(capsys, "started-not-healthy", code=2)
    assert "common.yaml: error: This file lies outside the project" in said
    assert outside.read_text() == text
    assert "{db: {condition: service_healthy}}" in (project / "compose.yaml").read_text()


def test_a_repair_that_makes_an_error_elsewhere_is_taken_back(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "profiles").mkdir()
    (project / "devenv.toml").write_text('default_profile = "dev"\n')
    (project / "profiles" / "dev.toml").write_text("")
    (project / "profiles" / "quick.toml").write_text('files = ["quick.yaml"]\n')
    (project / "profiles" / "quick.yaml").write_text(
        "services:\n  db:\n    healthcheck: {disable: true}\n"
    )
    (project / ".env").write_text("A=pa$x\n")
    said = fix(capsys, "started-not-healthy", "healthy-without-healthcheck", "env-dollar")
    assert "1 finding left: the repair would not help here." in said
    assert (project / "compose.yaml").read_text() == COMPOSE
    assert (project / ".env").read_text() == "A='pa$x'\n"


def test_a_failing_write_leaves_the_file_and_nothing_beside_it(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    said = fix(capsys, "started-not-healthy", code=2)
    assert "cannot be written: No space left on device" in said
    assert [path.name for path in project.iterdir()] == ["compose.yaml"]
    assert (project / "compose.yaml").read_text() == COMPOSE


def test_files_that_are_not_utf8_are_left_alone(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = b"A=pa$x\nB=\xff\n"
    (project / ".env").write_bytes(content)
    assert "Nothing to repair" in fix(capsys, "env-dollar")
    assert (project / ".env").read_bytes() == content


def test_a_preview_and_a_diff_show_no_secret(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / ".env").write_text("DB_PASSWORD=hunter2hunter2\nA=pa$x\nAPI_TOKEN=q7Gm2vZ9Lw4x\n")
    assert run_command_line(["check", "--diff", "--select", "env-dollar"]) == 0
    said = capsys.readouterr().err
    assert "+++ b/.env" in said and "DB_PASSWORD=" in said
    session = Session(argparse.Namespace(directory=None, profile=None, context=None))
    shown = [line for lines in load_checks(session).previews.values() for line in lines]
    assert any(line.startswith("+A=") for line in shown)
    for text in (said, "\n".join(shown)):
        assert "hunter2" not in text and "q7Gm2" not in text and "pa$x" not in text
