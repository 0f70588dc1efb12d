"""`devenv check --deep` against an image of the real engine."""

from __future__ import annotations

import json

from tests.engine.project import Project, sleeper


def test_the_programs_of_health_checks_are_looked_for_in_the_image(project: Project) -> None:
    project.write_compose(
        {
            "exec": sleeper(healthcheck={"test": ["CMD", "no-such-program", "-x"]}),
            "text": sleeper(healthcheck={"test": "LEVEL=1 no-such-program -x || exit 1"}),
            "word": sleeper(healthcheck={"test": "exit 0"}),
            "path": sleeper(healthcheck={"test": ["CMD", "/bin/sh", "-c", "true"]}),
            "name": sleeper(healthcheck={"test": ["CMD", "sh", "-c", "true"]}),
            "gone": {"image": "example.com/no-such-image:1", "healthcheck": {"test": ["CMD", "x"]}},
        }
    )
    words = ("check", "--format", "json", "--select", "healthcheck-command-missing")
    found = json.loads(project.run(*words, "--deep").stdout)
    assert [one["service"] for one in found["findings"]] == ["exec", "text"]
    assert all("no-such-program" in one["message"] for one in found["findings"])
    assert any("gone" in one["what"] for one in found["not_checked"])
    assert json.loads(project.run(*words).stdout)["findings"] == []
    assert project.containers() == {}
