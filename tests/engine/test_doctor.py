"""`devenv doctor` against the real engine: exit code 1 exactly where `up` fails."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from tests.engine.project import Project, sleeper


def look(project: Project, code: int, **environ: str) -> dict[str, list[tuple[str, str]]]:
    said = project.run(
        "doctor", "--offline", "--format", "json", code=code, seconds=90, **environ
    ).stdout
    document: dict[str, Any] = json.loads(said)
    assert document["good"] is (code == 0)
    found: dict[str, list[tuple[str, str]]] = {}
    for one in document["checks"]:
        found.setdefault(one["name"], []).append((one["verdict"], one["message"]))
        assert one["fix"] or one["verdict"] in ("good", "unknown", "warning")
    return found


def test_a_sound_project_is_good_and_starts(project: Project) -> None:
    project.write_compose({"web": sleeper()})
    found = look(project, 0)
    for name in ("engine", "compose", "permissions", "clock", "disk", "project", "ports"):
        assert found[name][0][0] == "good", found[name]
    project.up()
    assert look(project, 0)["ports"][0][0] == "good"


def test_what_up_refuses_is_a_failure(project: Project) -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        port = server.getsockname()[1]
        project.write_compose({"web": sleeper(ports=[f"{port}:80"])})
        found = look(project, 1)
        assert found["ports"][0][0] == "failure" and str(port) in found["ports"][0][1]
        project.run("up", "--detach", code=1)
    project.write_compose({"web": sleeper(environment={"A": "${DOCTOR_A:?set it}"})})
    found = look(project, 1)
    assert found["project"][0][0] == "failure"
    assert "DOCTOR_A" in found["variables"][0][1]
    assert look(project, 0, DOCTOR_A="x")["variables"][0][0] == "good"


def test_what_up_would_fail_on_is_a_failure(project: Project) -> None:
    waits = sleeper(depends_on={"db": {"condition": "service_healthy"}})
    project.write_compose({"web": waits, "db": sleeper()})
    found = look(project, 1)
    assert "compose.yaml:" in found["checks"][0][1] and "no health check" in found["checks"][0][1]
    project.run("up", "--detach", code=1)
    project.write_compose({"web": sleeper(build="./nowhere")})
    assert "nowhere is not there" in look(project, 1)["build"][0][1]
    project.run("up", "--detach", code=1)
    project.write_compose({"web": {"image": f"{project.name}-not-here:1"}})
    assert look(project, 0)["images"] == [("unknown", f"to be fetched: {project.name}-not-here:1")]


def test_no_engine_is_a_failure_and_the_rest_is_still_looked_at(project: Project) -> None:
    project.write_compose({"web": sleeper()})
    found = look(project, 1, DOCKER_HOST="unix:///no/such/socket")
    assert found["engine"][0][0] == "failure"
    assert found["compose"][0][0] == found["project"][0][0] == "good"
    assert "disk" in found and "ports" not in found


def test_without_a_project_the_machine_is_looked_at(project: Project, tmp_path: Path) -> None:
    place = tmp_path / "empty"
    place.mkdir()
    said = project.run("-C", str(place), "doctor", "--offline").stdout
    assert "no Compose file here" in said and "✓ engine" in said
