"""`devenv why` and `config --origins`: paths, places, what is masked, what is not known."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from devenv.cli.main import run_command_line
from devenv.cli.why import parse_path, show_keys
from devenv.compose.short_forms import expand_port, is_value, is_volume
from devenv.errors import UsageError

COMPOSE = """\
services:
  app:
    image: shop/app:${TAG:-1}
    ports: ["8080:80"]
    environment:
      API_TOKEN: q7Gm2vZ9Lw4xKp8R
      MODE: dev
    labels: {com.example.a: x}
"""
OVERRIDE = """\
services:
  app:
    ports: ["9090:90"]
    environment: {MODE: "${MODE}"}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "shop"
    directory.mkdir()
    (directory / "compose.yaml").write_text(COMPOSE)
    (directory / "compose.override.yaml").write_text(OVERRIDE)
    (directory / ".env").write_text("# values\nMODE=test\n")
    for name in [name for name in os.environ if name.startswith(("COMPOSE_", "DEVENV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("MODE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(directory)
    return directory


def say(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert run_command_line(list(words)) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_a_value_with_its_layer_its_variable_and_what_it_replaced(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert say(capsys, "why", "app.environment.MODE") == (
        'services.app.environment.MODE = "test"\n'
        "  compose.override.yaml:4:19 (override file)\n"
        "  through MODE: .env:2:1\n"
        "  instead of compose.yaml:7:7 (Compose file)\n"
    )
    said = say(capsys, "why", "app.ports[1].published")
    assert "compose.override.yaml:3:13 (override file, short form)" in said
    assert "joined from several files" in said
    assert "through TAG: not set" in say(capsys, "why", "services.app.image")


def test_a_variable_of_the_shell_wins(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODE", "mine")
    assert "through MODE: the shell" in say(capsys, "why", "app.environment.MODE")


def test_what_devenv_sets_itself_wins_and_is_named(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    git = project / ".git"
    git.mkdir()
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    monkeypatch.setenv("DEVENV_GIT_DIR", "/left/by/another")
    text = "services: {app: {volumes: ['${DEVENV_GIT_DIR:-./.git}:/git:ro']}}"
    (project / "compose.override.yaml").write_text(text)
    said = say(capsys, "why", "app.volumes[0].source")
    assert f'= "{git}"' in said
    assert "through DEVENV_GIT_DIR: devenv itself" in said


def test_secrets_are_masked_unless_revealed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (("why", "app"), ("config", "--origins"), ("why", "app", "--format", "json")):
        assert "q7Gm2" not in say(capsys, *words)
        assert "q7Gm2" in say(capsys, *words, "--reveal")


def test_json_is_a_list_of_values(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [found] = json.loads(say(capsys, "why", "app.environment.MODE", "--format", "json"))
    assert found["source"] == {
        "path": "compose.override.yaml",
        "line": 4,
        "column": 19,
        "layer": "override file",
    }
    assert found["origin"] == "written" and found["appended"] is False
    assert [one["name"] for one in found["variables"]] == ["MODE"]
    all_of_them = json.loads(say(capsys, "config", "--origins", "app", "--format", "json"))
    assert len(all_of_them) > 10


def test_what_nothing_explains_has_no_place(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "compose.override.yaml").write_text("services:\n  app:\n    gpus: all\n")
    found = json.loads(say(capsys, "why", "app.gpus", "--format", "json"))
    assert {one["origin"] for one in found} == {"unknown"}
    assert {one["source"] for one in found} == {None}
    assert "its origin is not known" in say(capsys, "why", "app.gpus")


def test_a_wrong_path_names_the_nearest(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean ports?" in say(capsys, "why", "app.prots", code=2)
    assert "did you mean app?" in say(capsys, "why", "ap.ports", code=2)
    assert "there is: [0]" in say(capsys, "why", "app.ports[7]", code=2)


DOCUMENT: dict[str, Any] = {
    "name": "shop",
    "services": {"app": {"labels": {"com.example.a": "x"}, "ports": [{"target": 80}]}},
    "volumes": {"data": {}},
}


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("app.ports[0].target", ("services", "app", "ports", 0, "target")),
        ("app.ports.0.target", ("services", "app", "ports", 0, "target")),
        ("services.app", ("services", "app")),
        ("volumes.data", ("volumes", "data")),
        ('app.labels."com.example.a"', ("services", "app", "labels", "com.example.a")),
        ("name", ("name",)),
    ],
)
def test_paths(text: str, keys: tuple[str | int, ...]) -> None:
    assert parse_path(text, DOCUMENT) == keys
    assert parse_path(show_keys(keys), DOCUMENT) == keys


def test_a_path_of_nothing_is_wrong_use() -> None:
    with pytest.raises(UsageError):
        parse_path("app.none", DOCUMENT)


@pytest.mark.parametrize(
    ("text", "model", "key", "same"),
    [
        ("90s", "1m30s", "", True),
        ("90s", "1m31s", "", False),
        ("512m", "536870912", "", True),
        ("a$b", "a$$b", "", True),
        ("api", "/p/api", "context", True),
        ("api", "/p/other", "context", False),
        ("true", True, "", True),
        ("1", True, "", False),
        ("3", 3, "", True),
        ("~", None, "", True),
        ("x", None, "", False),
    ],
)
def test_written_values_and_those_of_the_model(
    text: str, model: object, key: str, same: bool
) -> None:
    assert is_value(text, model, key=key, directory="/p") is same


def test_short_forms() -> None:
    assert expand_port("127.0.0.1:8080:80/udp") == {
        "mode": "ingress",
        "target": 80,
        "published": "8080",
        "host_ip": "127.0.0.1",
        "protocol": "udp",
    }
    assert expand_port("8000-8001:80-81") is None
    bind = {"type": "bind", "source": "/p/src", "target": "/app"}
    assert is_volume("./src:/app/:ro", bind, "/p")
    assert not is_volume("./src:/other", bind, "/p")
    assert not is_volume("./other:/app", bind, "/p")
