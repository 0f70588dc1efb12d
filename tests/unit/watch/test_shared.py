"""What only a shared service reads: not watched, and said so."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from devenv.cli.main import run_command_line

COMPOSE = """\
services:
  app: {build: ./app}
  search: {build: ./search}
"""
SETTINGS = '[isolation]\nmode = "branch"\nshared = ["search"]\n'


def test_a_file_of_a_shared_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in os.environ if name.startswith(("COMPOSE_", "DEVENV_"))]:
        monkeypatch.delenv(name)
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    project = tmp_path / "shop"
    texts = {
        "compose.yaml": COMPOSE,
        "devenv.toml": SETTINGS,
        ".git/HEAD": "ref: refs/heads/topic\n",
        "app/Dockerfile": "FROM scratch\nCOPY . /\n",
        "search/Dockerfile": "FROM scratch\nCOPY . /\n",
    }
    for path, text in texts.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text)
    monkeypatch.chdir(project)
    words = ["watch", "--format", "json", "--explain", "app/a", "search/a", "other"]
    assert run_command_line(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(one["service"], one["action"]) for one in found] == [
        ("app", "sync+restart"),
        (None, "ignore"),
        (None, "ignore"),
    ]
    assert "only search reads it, which all environments share" in found[1]["reason"]
    assert found[2]["reason"] == "no service reads it"
    assert run_command_line(["watch", "--list"]) == 0
    assert "since all environments share it: search" in capsys.readouterr().out
