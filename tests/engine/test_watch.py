"""The running watch on a real engine: what is on the disk is in the container, by the right way."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.engine.project import BASE, Project, Running, free_port, sleeper, wait_for

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
    project.write("deps.txt", "dep1\n")
    project.write("src/a.txt", "one\n")
    project.write("src/deep/b.txt", "one\n")
    project.write_compose(
        {
            "app": {"build": ".", "init": True},
            "other": sleeper(),
            "mounted": sleeper(volumes=["./src:/src"]),
        }
    )
    return project.directory


def inside(project: Project, *words: str) -> str:
    return project.run("exec", "app", *words).stdout.strip()


def said(up: Running, text: str, count: int = 1) -> None:
    try:
        wait_for(lambda: up.stdout.count(text) >= count, seconds=90, what=text)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{up.stdout}\n{up.stderr}") from None


def test_each_change_by_its_own_way(project: Project) -> None:
    root = write(project)
    project.up()
    ids = project.ids()
    with project.running("watch") as watch:
        wait_for(lambda: "watching" in watch.stderr, what="the watch")
        (root / "src/a.txt").write_text("two\n")
        said(watch, "synced")
        assert inside(project, "cat", "/app/src/a.txt") == "two"
        said(watch, "live: src/a.txt")
        assert project.ids() == ids

        before = watch.stdout
        (root / "src/a.txt").touch()
        (root / "README").write_text("nobody reads it\n")
        (root / "src/deep/b.txt").unlink()
        said(watch, "src/deep/b.txt")
        assert inside(project, "ls", "/app/src/deep") == ""
        assert "README" not in watch.stdout and before.count("a.txt") == watch.stdout.count("a.txt")

        (root / "deps.txt").write_text("dep2\n")
        said(watch, "rebuilt")
        assert inside(project, "cat", "/installed") == "dep2"
        assert inside(project, "cat", "/app/src/a.txt") == "two"
        after = project.ids()
        assert after["app"] != ids["app"]
        assert {n: i for n, i in after.items() if n != "app"} == {
            n: i for n, i in ids.items() if n != "app"
        }

        (root / "Dockerfile").write_text(DOCKERFILE + "RUN false\n")
        said(watch, "failed")
        assert "Dockerfile:7" in watch.stdout
        assert project.ids() == after
        (root / "Dockerfile").write_text(DOCKERFILE)
        said(watch, "rebuilt", 2)

        (root / "compose.yaml").write_text("services: [\n")
        said(watch, "What runs is left as it is")
        project.write_compose(
            {
                "app": {"build": ".", "init": True, "environment": {"PORT": str(free_port())}},
                "other": sleeper(),
                "mounted": sleeper(volumes=["./src:/src"]),
            }
        )
        said(watch, "reloaded")
        assert "environment" in watch.stdout
        assert project.ids()["other"] == ids["other"]
        assert "pid" in project.run("watch", code=2).stderr
        watch.process.terminate()
        assert watch.process.wait(20) == 130


def test_a_storm_of_saves_ends_with_what_the_disk_holds(project: Project) -> None:
    root = write(project)
    project.up()
    with project.running("watch") as watch:
        wait_for(lambda: "watching" in watch.stderr, what="the watch")
        for number in range(150):
            (root / f"src/f{number % 10}.txt").write_text(f"{number}\n")
            (root / "deps.txt").write_text(f"{number // 50}\n")
        (root / "src/last.txt").write_text("end\n")

        show = "cat /app/src/*.txt /installed"

        def same() -> bool:
            shown = subprocess.run(
                ("docker", "exec", project.ids()["app"], "sh", "-c", show),
                capture_output=True,
                text=True,
                check=False,
            ).stdout
            files = sorted((root / "src").glob("*.txt"))
            return shown == "".join(file.read_text() for file in files) + "2\n"

        wait_for(same, seconds=60, what="the container to hold what the disk holds")
        assert watch.process.poll() is None
