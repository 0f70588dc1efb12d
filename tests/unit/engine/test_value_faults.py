"""Values that Compose refuses without a line: the entry, and the variables that made it so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from devenv.cli.main import run_command_line
from devenv.compose.refused import find_refused
from devenv.engine.errors import classify_compose_failure

HEAD = """\
services:
  other:
    image: shop/other
    ports: ['80:80']
  web:
    image: shop/web
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith(("COMPOSE_", "DEVENV_"))]:
        monkeypatch.delenv(name)
    for name in ("WEB_PORT", "DATA_PATH", "READ_ONLY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("written", "column", "said"),
    [
        ('ports: ["${WEB_PORT}:${WEB_PORT}"]', 13, "names no port: ':', since WEB_PORT is not set"),
        ('ports: ["1:2", "${WEB_PORT}:${X:-}/udp"]', 20, "':/udp', since WEB_PORT is not set"),
        ('ports: ["web"]', 13, "is no port (1 to 65535): 'web'"),
        ('ports: ["80-82:90-91"]', 13, "has ranges of two lengths: '80-82:90-91'"),
        ('volumes: ["${DATA_PATH}:/x:ro"]', 15, "':/x:ro', since DATA_PATH is not set"),
        ('volumes: ["./a:/b:zz:ww"]', 15, "has too many colons: './a:/b:zz:ww'"),
        ('devices: ["a:b:c:d"]', 15, "has too many colons: 'a:b:c:d'"),
        ("read_only: ${READ_ONLY}", 5, "is not true or false, since READ_ONLY is not set"),
        ("cpus: ${READ_ONLY}", 5, "is not a number, since READ_ONLY is not set"),
        ("mem_limit: ${READ_ONLY}", 5, "invalid size: '', since READ_ONLY is not set"),
        ('deploy: {replicas: "some"}', 14, "services.web.deploy.replicas is not a whole number."),
        ("scale: -1", 5, "must be greater than or equal to 0"),
        ("labels: {a: [}", 18, "The YAML does not load"),
    ],
)
def test_the_place_and_the_cause(
    project: Path, capsys: pytest.CaptureFixture[str], written: str, column: int, said: str
) -> None:
    (project / "compose.yaml").write_text(f"{HEAD}    {written}\n")
    assert run_command_line(["config"]) == 2
    told = capsys.readouterr().err
    assert f"compose.yaml:7:{column}: error: " in told
    assert said in told


def test_of_two_entries_that_are_it_the_first_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"{HEAD}    ports: ['${{WEB_PORT}}:${{WEB_PORT}}', '${{DATA_PATH}}:${{DATA_PATH}}']\n"
    (project / "compose.yaml").write_text(text)
    assert run_command_line(["config"]) == 2
    assert "compose.yaml:7:13: error: " in capsys.readouterr().err


def test_an_entry_that_may_be_it_is_not_certain() -> None:
    text = f"{HEAD}    ports: ['${{A}}:${{B}}', '${{C}}:${{D}}']\n"
    assert len(find_refused(text, ("ports",), ":", ["A", "B", "C", "D"])) == 2
    assert all(one.certain for one in find_refused(text, ("ports",), ":", ["A", "B", "C", "D"]))
    [one] = find_refused(text, ("ports",), "9:", ["A", "B", "D"])
    assert not one.certain
    assert (one.text, one.line, one.service) == ("${C}:${D}", 7, "web")
    assert find_refused(text, ("volumes",), ":", ["A", "B"]) == ()
    assert find_refused("a: [", ("ports",), ":", []) == ()


def test_compose_files_in_a_circle_and_what_no_text_is_known_for(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "compose.yaml").write_text("include: [compose.yaml]\n")
    assert run_command_line(["config"]) == 2
    told = capsys.readouterr().err
    assert "compose.yaml:1:1: error: Compose files include each other in a circle: " in told
    (project / "compose.yaml").write_text(
        f"{HEAD}    platform: linux/s390x\n    build: {{platforms: [linux/amd64]}}\n"
    )
    assert run_command_line(["config"]) == 2
    assert "platform linux/s390x is none of its build.platforms" in capsys.readouterr().err
    error = classify_compose_failure(
        ("docker", "compose", "config"), 1, "a new refusal\n", files=["compose.yaml"]
    )
    assert str(error.source) == "compose.yaml" and "a new refusal" in error.message
