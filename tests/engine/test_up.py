"""`up --detach --wait` on a real engine: what becomes ready, in which order, and what fails."""

from __future__ import annotations

from datetime import datetime

from tests.engine.project import BASE, FAST, HEALTHY, REDIS, Project, shell, sleeper


def test_all_healthy_and_again(project: Project) -> None:
    redis = {
        "image": REDIS,
        "healthcheck": {"test": ["CMD", "redis-cli", "ping"], **FAST},
    }
    project.write_compose({"cache": redis, "web": sleeper(healthcheck=HEALTHY), "plain": sleeper()})
    project.up()
    found = project.containers()
    assert {name: raw["State"]["Running"] for name, raw in found.items()} == {
        "cache": True,
        "web": True,
        "plain": True,
    }
    assert found["cache"]["State"]["Health"]["Status"] == "healthy"
    assert project.statuses() == {"cache": "healthy", "web": "healthy", "plain": "running"}
    before = project.ids()
    project.up()
    assert project.ids() == before


def test_order_by_health(project: Project) -> None:
    slow = {"test": ["CMD", "test", "-e", "/ready"], **FAST, "retries": 20}
    project.write_compose(
        {
            "web": sleeper(depends_on={"db": {"condition": "service_healthy"}}),
            "db": shell("sleep 1; touch /ready; exec sleep 600", healthcheck=slow),
        }
    )
    project.up()
    found = project.containers()
    probes = found["db"]["State"]["Health"]["Log"]
    healthy = min(probe["End"] for probe in probes if probe["ExitCode"] == 0)
    started = datetime.fromisoformat(found["web"]["State"]["StartedAt"])
    assert started >= datetime.fromisoformat(healthy)


def test_one_shot_is_ready(project: Project) -> None:
    project.write_compose(
        {
            "migrate": shell("echo moved; exit 0"),
            "web": sleeper(
                depends_on={"migrate": {"condition": "service_completed_successfully"}},
                healthcheck=HEALTHY,
            ),
        }
    )
    project.up()
    assert project.running_services() == {"web"}
    assert project.statuses() == {"migrate": "completed", "web": "healthy"}


def test_only_named_services_and_their_needs(project: Project) -> None:
    project.write_compose(
        {"db": sleeper(), "web": sleeper(depends_on=["db"]), "other": sleeper()},
    )
    project.up("web")
    assert project.running_services() == {"db", "web"}


def test_except(project: Project) -> None:
    web = sleeper(depends_on=["other"], environment={"OTHER_URL": "http://other:80"})
    project.write_compose({"web": web, "other": sleeper()})
    loss = "web: other is not started for it; OTHER_URL names other, which does not answer"
    plan = project.run("up", "--dry-run", "--no-checks", "--except", "other").stdout
    assert f"loses: {loss}" in plan
    assert f"without other, {loss}" in project.up("--except", "other")
    assert project.running_services() == {"web"}


def test_changed_service_alone_is_recreated(project: Project) -> None:
    project.write_compose({"a": sleeper(), "b": sleeper()})
    project.up()
    before = project.ids()
    project.write_compose({"a": sleeper(environment={"NEW": "1"}), "b": sleeper()})
    project.up()
    after = project.ids()
    assert after["a"] != before["a"]
    assert after["b"] == before["b"]


def test_exit_code_shows_last_lines(project: Project) -> None:
    project.write_compose({"app": shell("echo cannot-open-thing >&2; exit 3"), "ok": sleeper()})
    said = project.up(code=1)
    assert "cannot-open-thing" in said
    assert "app" in said
    assert "exit code 3" in said


def test_failed_dependency_shows_its_last_lines(project: Project) -> None:
    project.write_compose(
        {
            "migrate": shell("echo no-such-table >&2; exit 4"),
            "web": sleeper(depends_on={"migrate": {"condition": "service_completed_successfully"}}),
        }
    )
    said = project.up(code=1)
    assert "no-such-table" in said
    assert "migrate" in said


def test_unhealthy_shows_the_probe(project: Project) -> None:
    probe = {"test": ["CMD-SHELL", "echo probe-says-no; exit 1"], **FAST, "retries": 1}
    project.write_compose({"app": sleeper(healthcheck=probe)})
    said = project.up(code=1)
    assert "probe-says-no" in said
    assert "unhealthy" in said


def test_timeout_names_what_is_not_ready(project: Project) -> None:
    probe = {"test": ["CMD", "false"], **FAST, "retries": 100}
    project.write_compose({"slow": sleeper(healthcheck=probe), "ok": sleeper()})
    said = project.up("--timeout", "3", code=1)
    assert "slow" in said
    assert "3 s" in said


def test_image_that_cannot_be_pulled(project: Project) -> None:
    project.write_compose({"app": {"image": "localhost:1/gone/thing:9"}})
    said = project.up(code=1)
    assert "localhost:1/gone/thing:9" in said
    assert "fix:" in said
    assert not project.containers()


def test_build_that_fails(project: Project) -> None:
    step = f"echo broken-step-output of {project.name} && exit 5"
    project.write("img/Dockerfile", f"FROM {BASE}\nRUN {step}\n")
    project.write_compose({"app": {"build": "img"}, "other": sleeper()})
    said = project.up(code=1)
    assert "broken-step-output" in said
    assert "exit code 5" in said
    assert f"{project.directory}/img/Dockerfile:2: " in said
    assert not project.containers()


def test_the_last_lines_of_a_build_are_those_of_its_step(project: Project) -> None:
    steps = f"RUN echo first-step of {project.name}\nRUN echo second-step of {project.name}; exit 4"
    project.write("img/Dockerfile", f"FROM {BASE}\n{steps}\n")
    project.write_compose({"app": {"build": "img"}})
    project.environ["DOCKER_BUILDKIT"] = "0"
    shown = project.up(code=1).partition("error: ")[2]
    assert "img/Dockerfile:3: " in f"error: {shown}"
    assert "second-step" in shown
    assert "first-step" not in shown


def test_an_inline_dockerfile_under_the_classic_builder(project: Project) -> None:
    inline = f"FROM {BASE}\nLABEL of={project.name}\n"
    service = sleeper(build={"context": ".", "dockerfile_inline": inline})
    del service["image"]
    project.write_compose({"app": service})
    project.environ["DOCKER_BUILDKIT"] = "0"
    said = project.up(code=1)
    assert "app has a dockerfile_inline, which only BuildKit can build." in said
    assert "fix: install the buildx plugin" in said


def test_dry_run_starts_nothing(project: Project) -> None:
    project.write_compose({"app": sleeper()})
    assert "app" in project.run("up", "--dry-run").stdout
    assert not project.containers()
