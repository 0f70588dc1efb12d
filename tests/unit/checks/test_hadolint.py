"""hadolint's findings beside the rules: which join, under which names, and what goes wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from devenv.cli.main import run_command_line

MESSAGES = [
    {"code": "DL3006", "level": "warning", "line": 1, "message": "Always tag", "column": 1},
    {"code": "DL3008", "level": "warning", "line": 2, "message": "Pin versions", "column": 1},
    {"code": "SC2046", "level": "error", "line": 2, "message": "Quote this", "column": 5},
    {"code": "DL3015", "level": "info", "line": 2, "message": "No recommends", "column": 1},
]
"""As hadolint 2.15 prints them, without the file."""
DOCKERFILE = "FROM debian\nRUN apt-get update && apt-get install -y curl\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "shop"
    (root / "bin").mkdir(parents=True)
    (root / "compose.yaml").write_text(
        "services:\n  app: {build: .}\n  web: {build: .}\n  gone: {build: nowhere}\n"
    )
    (root / "Dockerfile").write_text(DOCKERFILE)
    monkeypatch.chdir(root)
    monkeypatch.setenv("PATH", f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return root


def install(root: Path, script: str) -> None:
    program = root / "bin" / "hadolint"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, list[dict[str, Any]]]:
    run_command_line(["check", "--format", "json", "--fail-on", "never", *arguments])
    found: dict[str, list[dict[str, Any]]] = json.loads(capsys.readouterr().out)
    return found


def printing(root: Path) -> str:
    rows = [{**one, "file": str(root / "Dockerfile")} for one in MESSAGES]
    (root / "out.json").write_text(json.dumps(rows))
    return f'echo "$@" > {root}/asked\ncat {root}/out.json'


def test_its_findings_join_under_their_names(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(project, printing(project))
    found = {f["rule"]: f for f in check(capsys)["findings"]}
    assert {name for name in found if name.startswith("hadolint/")} == {
        "hadolint/DL3008",
        "hadolint/SC2046",
        "hadolint/DL3015",
    }
    assert "base-unpinned" in found or "image-unpinned" in found  # what DL3006 says
    one = found["hadolint/SC2046"]
    assert (one["severity"], one["path"], one["line"], one["column"]) == (
        "warning",
        "Dockerfile",
        2,
        5,
    )
    assert one["service"] == "app"
    asked = (project / "asked").read_text().split()
    assert asked == ["--no-fail", "--format", "json", "--", str(project / "Dockerfile")]


def test_they_can_be_left_out_changed_and_chosen(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(project, printing(project))
    (project / "devenv.toml").write_text(
        '[checks]\nignore = ["hadolint/DL3008"]\n[checks.severity]\n"hadolint/DL3015" = "error"\n'
    )
    found = {f["rule"]: f["severity"] for f in check(capsys)["findings"]}
    assert "hadolint/DL3008" not in found and found["hadolint/DL3015"] == "error"
    (project / "Dockerfile").write_text(
        DOCKERFILE.replace("RUN", "# devenv: ignore[hadolint/SC2046] meant so\nRUN")
    )
    rows = [{**one, "file": str(project / "Dockerfile"), "line": 3} for one in MESSAGES]
    (project / "out.json").write_text(json.dumps(rows))
    assert "hadolint/SC2046" not in {f["rule"] for f in check(capsys)["findings"]}


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo nonsense", "could not be run"),
        ("echo broken >&2; exit 3", "broken"),
        ("echo '[{}]'", "could not be run"),
        ("echo '{\"a\": 1}'", "could not be run"),
    ],
)
def test_where_it_fails_the_rest_is_checked(
    project: Path, capsys: pytest.CaptureFixture[str], script: str, why: str
) -> None:
    install(project, script)
    found = check(capsys)
    assert any(why in one["why"] for one in found["not_checked"])
    assert any(f["rule"] == "build-context-missing" for f in found["findings"])


def test_a_file_that_it_cannot_read_is_not_checked(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"code": "DL1000", "level": "error", "line": 2, "column": 1, "message": "unexpected '<'"}
    (project / "out.json").write_text(json.dumps([{**row, "file": str(project / "Dockerfile")}]))
    install(project, f"cat {project}/out.json")
    found = check(capsys)
    assert {"what": "Dockerfile by hadolint", "path": "Dockerfile", "why": "unexpected '<'"} in [
        {key: one[key] for key in ("what", "path", "why")} for one in found["not_checked"]
    ]
