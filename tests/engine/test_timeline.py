"""The timeline of real starts: what it says is what the engine's own times say."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from tests.engine.project import FAST, HEALTHY, REDIS, Project, shell, sleeper


def timeline(project: Project, *arguments: str) -> dict[str, Any]:
    shown = project.run("timeline", "--format", "json", *arguments).stdout
    document: dict[str, Any] = json.loads(shown)
    return document


def epoch(text: str) -> float:
    head, _, rest = text.partition(".")
    return datetime.fromisoformat(f"{head}.{rest[:6].rstrip('Z'):0<6}+00:00").timestamp()


def test_a_start_is_kept_with_the_engines_own_times(project: Project) -> None:
    project.write("app/Dockerfile", f"FROM {REDIS}\nRUN echo {project.name}\n")
    project.write_compose(
        {
            "db": shell(
                "sleep 1; touch /ready; exec sleep 600",
                healthcheck={"test": ["CMD", "test", "-e", "/ready"], **FAST, "retries": 20},
            ),
            "move": shell("sleep 0.5", depends_on={"db": {"condition": "service_healthy"}}),
            "app": {
                "build": "app",
                "init": True,
                "command": ["sleep", "600"],
                "depends_on": {"move": {"condition": "service_completed_successfully"}},
            },
        }
    )
    project.up()
    found = timeline(project)
    assert found["outcome"] == "ready"
    lines = {line["service"]: line for line in found["services"]}
    containers = project.containers()
    origin = found["started_at"]
    for name, line in lines.items():
        started = epoch(containers[name]["State"]["StartedAt"]) - origin
        assert line["started"] == pytest.approx(started, abs=0.01)
        ends = [span["end"] for span in line["spans"]]
        begins = [span["begin"] for span in line["spans"]]
        assert begins[1:] == ends[:-1], "the spans follow each other"
    good = next(p for p in lines["db"]["probes"] if p["exit_code"] == 0)
    assert lines["db"]["ready"] == good["end"]
    assert [span["kind"] for span in lines["db"]["spans"]] == ["wait", "create", "start", "health"]
    assert any(step["text"].startswith("2/") for step in lines["app"]["steps"])
    path = [(part["service"], part["kind"]) for part in found["critical_path"]]
    for part in (("app", "build"), ("db", "health"), ("move", "run")):
        assert part in path
    total = sum(part["seconds"] for part in found["critical_path"])
    assert total == pytest.approx(found["seconds"], abs=0.5)

    project.up()  # only the one-shot runs again
    kept = {line["service"]: line["kept"] for line in timeline(project)["services"]}
    assert kept == {"db": True, "move": False, "app": True}
    project.run("down")
    project.up()
    again = project.run("timeline", "--compare").stdout
    assert "median of 1 earlier start" in again
    assert "app build" in again and "faster" in again  # it comes from the cache now


def test_a_failure_is_kept_with_its_probes(project: Project) -> None:
    bad = {"test": ["CMD-SHELL", "echo not yet; exit 3"], **FAST, "retries": 2}
    project.write_compose(
        {
            "db": sleeper(healthcheck=bad),
            "app": sleeper(
                depends_on={"db": {"condition": "service_healthy"}}, healthcheck=HEALTHY
            ),
        }
    )
    project.up(code=1)
    found = timeline(project)
    assert found["outcome"] == "failed"
    db = next(line for line in found["services"] if line["service"] == "db")
    assert db["ready"] is None
    assert [probe["exit_code"] for probe in db["probes"]] == [3, 3]
    assert "not yet" in db["probes"][-1]["output"]
    shown = project.run("timeline").stdout
    assert "failed after" in shown and "2 of 2 probes failed" in shown and "not yet" in shown


def test_no_start_yet_and_none_that_far_back(project: Project) -> None:
    project.write_compose({"a": sleeper()})
    completed = project.run("timeline", code=1)
    assert "No start" in completed.stderr and "devenv up" in completed.stderr
    project.up()
    project.up()  # starts nothing, so it is not kept
    assert "1 are known" in project.run("timeline", "--last", "2", code=2).stderr
