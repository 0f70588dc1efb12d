"""`check --fix` over generated layouts: what Compose makes of the files changes only as meant."""

from __future__ import annotations

import difflib
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from devenv.cli.main import run_command_line
from devenv.engine.compose import find_compose
from tests.corpus.fix.layouts import Layout, layouts

RULES = ("started-not-healthy", "start-interval-without-start-period")
WORDS = [word for rule in RULES for word in ("--select", rule)]


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("COMPOSE_", "DEVENV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(layouts())
def test_only_what_is_meant_changes(capsys: pytest.CaptureFixture[str], layout: Layout) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for file, content in layout.files.items():
            (directory / file).write_bytes(content)
        before = load_model(directory)
        if before is None:
            return  # Compose refuses it: there is nothing to compare
        run(directory, "--diff")
        assert read(directory) == layout.files
        run(directory, "--fix")
        fixed = read(directory)
        after = load_model(directory)
        assert after is not None
        assert_meant(before, after)
        assert_layout_kept(layout.files, fixed)
        capsys.readouterr()
        run(directory, "--fix")
        assert "Nothing to repair" in capsys.readouterr().err
        assert read(directory) == fixed


def run(directory: Path, *words: str) -> None:
    code = run_command_line(["-C", str(directory), "check", *WORDS, "--fail-on", "never", *words])
    assert code == 0


def read(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def load_model(directory: Path) -> dict[str, Any] | None:
    argv = find_compose(os.environ).argv("config", "--format", "json")
    done = subprocess.run(argv, cwd=directory, capture_output=True, text=True, check=False)
    return json.loads(done.stdout)["services"] if done.returncode == 0 else None


def assert_meant(before: dict[str, Any], after: dict[str, Any]) -> None:
    """The only differences: a condition that is now healthy, and a start period."""
    for name, service in after.items():
        for target, edge in service.get("depends_on", {}).items():
            old = before[name]["depends_on"][target]
            if old["condition"] != edge["condition"]:
                assert (old["condition"], edge["condition"]) == (
                    "service_started",
                    "service_healthy",
                )
                assert has_check(before[target])
                old["condition"] = edge["condition"]
        health = service.get("healthcheck", {})
        was = before[name].get("healthcheck", {})
        if "start_period" in health and "start_period" not in was:
            assert "start_interval" in was
            was["start_period"] = health["start_period"]
    assert after == before


def has_check(service: dict[str, Any]) -> bool:
    health = service.get("healthcheck", {})
    return "test" in health and not health.get("disable")


def assert_layout_kept(before: dict[str, bytes], after: dict[str, bytes]) -> None:
    assert set(before) == set(after)
    for name, content in before.items():
        old, new = content.decode(), after[name].decode()
        assert old.startswith("\ufeff") == new.startswith("\ufeff")
        if "\r\n" in old:
            assert not re.search(r"(?<!\r)\n", new)
        else:
            assert "\r" not in new
        assert old.endswith("\n") == new.endswith("\n")
        assert re.findall(r"#[^\r\n]*", old) == re.findall(r"#[^\r\n]*", new)
        assert re.findall(r"[&*][\w-]+", old) == re.findall(r"[&*][\w-]+", new)
        for line in difflib.ndiff(old.splitlines(), new.splitlines()):
            if line.startswith(("- ", "+ ")):
                assert re.search(
                    r"depends_on|condition|start_period|start_interval|\b(db|cache|queue)\b|^..\s*[]}]",
                    line,
                ), line
