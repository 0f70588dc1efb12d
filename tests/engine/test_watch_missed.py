"""What changed while devenv was not running, and images that lack what was synced."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.engine.project import BASE, Project, Running, sleeper, wait_for

DOCKERFILE = f"""\
FROM {BASE}
WORKDIR /app
COPY deps.txt .
RUN cp deps.txt /installed
COPY src ./src
CMD ["sleep", "600"]
"""


def write(project: Project) -> Path:
    project.write("Dockerfile", DOCKERFILE)
    project.write("deps.txt", "1\n")
    project.write("src/a.txt", "1\n")
    project.write("served/nginx.conf", "1\n")
    project.write_compose({"app": {"build": ".", "init": True}, "other": sleeper()})
    return project.directory


def inside(project: Project, path: str) -> str:
    argv = ("docker", "exec", project.ids().get("app", "none"), "cat", path)
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()


def said(watch: Running, text: str) -> None:
    try:
        wait_for(lambda: text in watch.stdout, seconds=90, what=text)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{watch.stdout}\n{watch.stderr}") from None


def end(watch: Running) -> None:
    watch.process.terminate()
    assert watch.process.wait(30) == 130


def test_changes_of_a_time_without_a_watch(project: Project) -> None:
    root = write(project)
    project.up()
    with project.running("watch") as watch:
        wait_for(lambda: "watching" in watch.stderr, what="the watch")
        (root / "src/a.txt").write_text("2\n")
        said(watch, "synced")
        end(watch)
    ids = project.ids()

    (root / "src/a.txt").write_text("3\n")
    (root / "src/a.txt").touch()
    with project.running("watch", log="second") as watch:
        said(watch, "synced")
        wait_for(lambda: inside(project, "/app/src/a.txt") == "3")
        assert project.ids() == ids
        # A build that fails is kept for the next watch.
        (root / "Dockerfile").write_text(DOCKERFILE + "RUN false\n")
        said(watch, "failed")
        end(watch)
    (root / "Dockerfile").write_text(DOCKERFILE)
    (root / "deps.txt").write_text("2\n")
    with project.running("watch", log="third") as watch:
        said(watch, "rebuilt")
        assert inside(project, "/installed") == "2"
        ids = project.ids()
        end(watch)
    with project.running("watch", log="fourth") as watch:
        wait_for(lambda: "watching" in watch.stderr, what="the watch")
        (root / "src/a.txt").write_text("4\n")
        said(watch, "synced")
        # Nothing else was found to do.
        assert watch.stdout.count("\n") == 1, watch.stdout
        watch.process.kill()
        watch.process.wait(30)

    # Killed, it may have kept nothing; and the container comes back with the image's bytes.
    subprocess.run(("docker", "rm", "-f", ids["app"]), check=True, capture_output=True)
    project.run("up", "--detach", "--wait", "--no-build")
    with project.running("watch", log="fifth") as watch:
        wait_for(lambda: inside(project, "/app/src/a.txt") == "4", seconds=60)
        end(watch)


def test_a_model_that_changed_meanwhile(project: Project) -> None:
    write(project)
    project.up()
    with project.running("watch") as watch:
        wait_for(lambda: "watching" in watch.stderr, what="the watch")
        end(watch)
    ids = project.ids()
    project.write_compose(
        {"app": {"build": ".", "init": True, "environment": {"X": "1"}}, "other": sleeper()}
    )
    with project.running("watch", log="second") as watch:
        said(watch, "reloaded")
        now = project.ids()
        assert now["app"] != ids["app"] and now["other"] == ids["other"]


def test_a_stale_image_is_built_before_it_is_used_again(project: Project) -> None:
    root = write(project)
    project.up()
    with project.running("watch") as watch:
        wait_for(lambda: "watching" in watch.stderr, what="the watch")
        (root / "src/a.txt").write_text("2\n")
        said(watch, "synced")
        end(watch)
    ids = project.ids()
    project.write_compose(
        {"app": {"build": ".", "init": True, "environment": {"X": "1"}}, "other": sleeper()}
    )
    project.run("up", "--detach", "--wait", "--no-build")
    assert project.ids()["app"] != ids["app"]
    assert inside(project, "/app/src/a.txt") == "2"


def test_compose_itself_is_given_no_stale_image(project: Project) -> None:
    root = write(project)
    project.up()
    with project.running("watch") as watch:
        wait_for(lambda: "watching" in watch.stderr, what="the watch")
        (root / "src/a.txt").write_text("2\n")
        said(watch, "synced")
        end(watch)
    done = project.run("compose", "create", "--no-build", "app")
    assert "app: the image lacks what the watch copied" in done.stderr
    done = project.run("compose", "run", "--rm", "app", "cat", "src/a.txt")
    assert done.stdout.strip().endswith("2") and "it is built first" in done.stderr
    done = project.run("compose", "up", "--detach", "--force-recreate", "app")
    assert inside(project, "/app/src/a.txt") == "2" and "lacks" not in done.stderr


def test_after_up_of_one_service_the_others_changes_are_found(project: Project) -> None:
    root = write(project)
    project.write("two/Dockerfile", DOCKERFILE.replace("cp deps.txt", "cat deps.txt >"))
    project.write("two/deps.txt", "1\n")
    project.write("two/src/a.txt", "1\n")
    services = {"app": {"build": ".", "init": True}, "two": {"build": "./two", "init": True}}
    project.write_compose({**services, "other": sleeper()})
    project.up()
    (root / "two/deps.txt").write_text("2\n")
    (root / "src/a.txt").write_text("2\n")
    with project.running("up", "--plain", "--no-checks", "app") as up:
        said(up, "two   rebuilt")
        assert inside(project, "/app/src/a.txt") == "2"


def test_a_reload_that_could_not_be_brought_up_is_tried_again(project: Project) -> None:
    write(project)
    project.up()
    with project.running("watch") as watch:
        wait_for(lambda: "watching" in watch.stderr, what="the watch")
        broken = {"app": {"build": ".", "command": ["/no/such/program"]}}
        project.write_compose({**broken, "other": sleeper()})
        said(watch, "failed")
        end(watch)
    # The same Compose file; the image has the program now.
    (project.directory / "Dockerfile").write_text(
        DOCKERFILE + 'RUN mkdir -p /no/such && printf "#!/bin/sh\\nexec sleep 600\\n" '
        "> /no/such/program && chmod +x /no/such/program\n"
    )
    with project.running("watch", log="second") as watch:
        said(watch, "reloaded")
        assert "app" in project.running_services()


def test_what_was_saved_while_up_builds(project: Project) -> None:
    root = write(project)
    slow = DOCKERFILE.replace("COPY src", "RUN sleep 4\nCOPY src")
    (root / "Dockerfile").write_text(slow)
    with project.running("up", "--plain", "--no-checks") as up:
        wait_for(lambda: "sleep 4" in up.stdout + up.stderr, seconds=60, what="the build")
        (root / "src/a.txt").write_text("late\n")
        (root / "deps.txt").write_text("late\n")
        wait_for(lambda: inside(project, "/installed") == "late", seconds=90, what="the rebuild")
        assert inside(project, "/app/src/a.txt") == "late"
