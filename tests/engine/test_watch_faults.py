"""The watch under faults: what runs is left as it is, and in the end it is what the disk holds."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from devenv.engine.compose import find_compose
from devenv.engine.context import Endpoint
from tests.engine.project import BASE, Project, Running, sleeper, wait_for
from tests.engine.proxy import engine_proxy

DOCKERFILE = f"""\
FROM {BASE} AS development
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
    project.write(".dockerignore", ".git\n")
    write_compose(project)
    return project.directory


def write_compose(project: Project, target: str = "development") -> None:
    project.write_compose(
        {"app": {"build": {"context": ".", "target": target}, "init": True}, "other": sleeper()}
    )


def run_inside(project: Project, *words: str) -> str:
    argv = ("docker", "exec", project.ids().get("app", "none"), *words)
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def tree(root: Path) -> str:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return "".join(f"{path.relative_to(root)}: {path.read_text()}" for path in files)


SHOW = """cd /app/src && find . -type f | LC_ALL=C sort |
while read f; do printf "%s: " "${f#./}"; cat "$f"; done"""


def said(watch: Running, text: str, count: int = 1, seconds: float = 90) -> None:
    try:
        wait_for(lambda: watch.stdout.count(text) >= count, seconds=seconds, what=text)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{watch.stdout}\n{watch.stderr}") from None


def holds(project: Project, watch: Running, wanted: str) -> None:
    """The container's files are these in the end."""
    try:
        wait_for(lambda: run_inside(project, "sh", "-c", SHOW) == wanted, seconds=60)
    except AssertionError:
        found = run_inside(project, "sh", "-c", SHOW)
        assert found.splitlines() == wanted.splitlines(), watch.stdout + watch.stderr
        raise


def watching(watch: Running) -> None:
    wait_for(lambda: "watching" in watch.stderr, what="the watch")


def test_dockerfiles_that_do_not_build(project: Project) -> None:
    root = write(project)
    project.up()
    ids = project.ids()
    with project.running("watch") as watch:
        watching(watch)
        dockerfile = root / "Dockerfile"
        for number, fault in enumerate(
            (None, "FROMM nothing\n", DOCKERFILE.replace("AS development", "AS renamed")), 1
        ):
            if fault is None:
                dockerfile.unlink()
            else:
                dockerfile.write_text(fault)
            said(watch, "failed", number)
            assert project.ids() == ids
        # The target's new name in the Compose file is what was missing.
        write_compose(project, "renamed")
        said(watch, "reloaded")
        (root / "deps.txt").write_text("2\n")
        wait_for(lambda: run_inside(project, "cat", "/installed") == "2\n", seconds=90)
        # A stage that is new copies what was not copied before.
        (root / "more.txt").write_text("1\n")
        dockerfile.write_text(
            DOCKERFILE.replace("AS development", "AS renamed") + "COPY more.txt .\n"
        )
        wait_for(lambda: run_inside(project, "cat", "/app/more.txt") == "1\n", seconds=90)
        (root / "more.txt").write_text("2\n")
        wait_for(lambda: run_inside(project, "cat", "/app/more.txt") == "2\n", seconds=60)


def test_ten_saves_a_second(project: Project) -> None:
    root = write(project)
    project.environ["DEVENV_TRACEBACK"] = "1"
    project.up()
    with project.running("watch") as watch:
        watching(watch)
        for number in range(80):
            folder = root / "src" / f"d{number % 7}"
            folder.mkdir(exist_ok=True)
            (folder / f"f{number % 5}.txt").write_text(f"{number}\n")
            if number % 9 == 8:
                shutil.rmtree(root / "src" / f"d{(number + 3) % 7}", ignore_errors=True)
            if number % 25 == 24:
                (root / "deps.txt").write_text(f"{number}\n")
            time.sleep(0.1)  # the pace is what is tested
        (root / "src/last.txt").write_text("end\n")
        wanted = tree(root / "src")
        holds(project, watch, wanted)
        wait_for(lambda: run_inside(project, "cat", "/installed") == "74\n", seconds=60)


async def test_an_engine_that_goes_in_mid_build(
    project: Project, docker_engine: Endpoint, tmp_path: Path
) -> None:
    root = write(project)
    await asyncio.to_thread(project.up)
    async with engine_proxy(tmp_path / "engine.sock", docker_engine.address) as proxy:
        project.environ["DOCKER_HOST"] = f"unix://{proxy.place}"
        with project.running("watch") as watch:
            project.environ.pop("DOCKER_HOST")
            await asyncio.to_thread(watching, watch)
            # With a word of its own: the step of an earlier run would be in the builder's cache.
            slow = DOCKERFILE.replace("RUN cp", f"RUN sleep 3 && : {project.name} && cp")
            (root / "Dockerfile").write_text(slow)
            (root / "deps.txt").write_text("2\n")
            await asyncio.to_thread(said, watch, "rebuilding")
            await asyncio.sleep(1)  # into the step
            await proxy.close()
            await asyncio.to_thread(said, watch, "failed")
            (root / "src/a.txt").write_text("2\n")
            await asyncio.sleep(1)  # it is noticed while no engine is there
            assert watch.process.poll() is None
            await proxy.open()

            def caught_up() -> bool:
                shown = run_inside(project, "cat", "/installed", "/app/src/a.txt")
                return shown == "2\n2\n"

            await asyncio.to_thread(wait_for, caught_up, seconds=90, what="what was missed")


async def test_a_compose_file_saved_while_the_engine_is_away(
    project: Project, docker_engine: Endpoint, tmp_path: Path
) -> None:
    write(project)
    await asyncio.to_thread(project.up)
    ids = await asyncio.to_thread(project.ids)
    async with engine_proxy(tmp_path / "engine.sock", docker_engine.address) as proxy:
        project.environ["DOCKER_HOST"] = f"unix://{proxy.place}"
        with project.running("watch") as watch:
            project.environ.pop("DOCKER_HOST")
            await asyncio.to_thread(watching, watch)
            await proxy.close()
            project.write_compose(
                {
                    "app": {
                        "build": {"context": ".", "target": "development"},
                        "init": True,
                        "environment": {"NEW": "yes"},
                    },
                    "other": sleeper(),
                }
            )
            await asyncio.to_thread(said, watch, "failed")
            await proxy.open()

            def caught_up() -> bool:
                return run_inside(project, "sh", "-c", "echo $NEW") == "yes\n"

            await asyncio.to_thread(wait_for, caught_up, seconds=90, what="what was missed")
            assert (await asyncio.to_thread(project.ids))["other"] == ids["other"]
            assert watch.process.poll() is None


def test_a_container_that_goes_and_comes_back(project: Project) -> None:
    root = write(project)
    project.up()
    with project.running("watch") as watch:
        watching(watch)
        (root / "src/a.txt").write_text("2\n")
        said(watch, "synced")
        for number in range(40):
            (root / "src" / f"big{number}.txt").write_bytes(b"x\n" * 500_000)
        subprocess.run(
            ("docker", "rm", "--force", project.ids()["app"]), check=True, capture_output=True
        )
        # By somebody else, from the image that lacks all this.
        subprocess.run(("docker", "compose", "version"), capture_output=True, check=False)
        compose_up(project)
        holds(project, watch, tree(root / "src"))


def compose_up(project: Project) -> None:
    argv = find_compose(project.environ).argv("up", "--detach", "--no-build")
    subprocess.run(
        argv, cwd=project.directory, env=project.environ, check=True, capture_output=True
    )


def git(root: Path, *words: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(("git", *identity, *words), cwd=root, check=True, capture_output=True)


def git_repository(project: Project, count: int) -> Path:
    """Three commits, `one` to `three`, that each change so many files and the manifest."""
    root = write(project)
    git(root, "init", "--quiet", "--initial-branch=main")
    (root / ".gitignore").write_text("devenv.*\n")
    for step in ("one", "two", "three"):
        for number in range(count):
            file = root / "src" / f"d{number % 50}" / f"f{number}.txt"
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"{step}\n")
        (root / "deps.txt").write_text(f"{step}\n")
        git(root, "add", ".")
        git(root, "commit", "--quiet", "--message", step)
    return root


@pytest.mark.parametrize("count", [1000])
def test_git_is_one_event(project: Project, count: int) -> None:
    root = git_repository(project, count)
    project.up()
    with project.running("watch") as watch:
        watching(watch)
        moves = (
            (("checkout", "--quiet", "HEAD~2"), "one\n"),
            (("checkout", "--quiet", "main"), "three\n"),
            (("bisect", "start", "HEAD", "HEAD~2"), "two\n"),
            (("bisect", "reset"), "three\n"),
        )
        for builds, (words, expected) in enumerate(moves, 1):
            git(root, *words)
            wait_for(
                lambda wanted=expected: run_inside(project, "cat", "/installed") == wanted,  # type: ignore[misc]
                seconds=120,
                what=f"git {words} in\n{watch.stdout}",
            )
            said(watch, "rebuilt", builds)
            assert watch.stdout.count("rebuilding") == builds, watch.stdout
            last = f"/app/src/d{(count - 1) % 50}/f{count - 1}.txt"
            assert run_inside(project, "cat", last) == expected


def test_rebases_merges_and_stashes_are_one_event_each(project: Project) -> None:
    root = git_repository(project, 20)
    # A branch of five commits beside main, each of which changes the manifest anew.
    git(root, "checkout", "--quiet", "-b", "topic", "HEAD~1")
    for number in range(5):
        (root / "deps.txt").write_text(f"two\ntopic {number}\n")
        (root / "src/topic.txt").write_text(f"{number}\n")
        git(root, "commit", "--quiet", "--all", "--message", f"topic {number}")
        git(root, "add", ".")
        git(root, "commit", "--quiet", "--allow-empty", "--message", f"topic {number}, rest")
    git(root, "checkout", "--quiet", "-b", "side", "main")
    (root / "src/side.txt").write_text("side\n")
    (root / "more.txt").write_text("side\n")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "side")
    git(root, "checkout", "--quiet", "topic")
    project.up()
    with project.running("watch") as watch:
        watching(watch)
        (root / "deps.txt").write_text("not committed\n")
        said(watch, "rebuilt")
        moves = (
            (("stash",), "two\ntopic 4\n"),
            (("stash", "pop"), "not committed\n"),
            (("stash",), "two\ntopic 4\n"),
            (("rebase", "--quiet", "--strategy-option=theirs", "main"), "two\ntopic 4\n"),
            (("merge", "--quiet", "--no-edit", "side"), "two\ntopic 4\n"),
        )
        builds = 1
        for words, manifest in moves:
            changes_manifest = (root / "deps.txt").read_text() != manifest
            before = watch.stdout.count("rebuilding")
            git(root, *words)
            assert (root / "deps.txt").read_text() == manifest
            builds += changes_manifest
            holds(project, watch, tree(root / "src"))
            wait_for(
                lambda wanted=manifest: run_inside(project, "cat", "/installed") == wanted,  # type: ignore[misc]
                seconds=90,
                what=f"git {words} in\n{watch.stdout}",
            )
            said(watch, "rebuilt", builds)
            assert watch.stdout.count("rebuilding") - before <= 1, watch.stdout
        # Only the stashes changed what the build reads: after a rebase it is as it was before.
        assert watch.stdout.count("rebuilding") == 4, watch.stdout


@pytest.mark.parametrize(
    "limit", [("max_inotify_watches", "1"), ("max_inotify_instances", "0")], ids=lambda one: one[0]
)
def test_the_limits_of_the_kernel(project: Project, limit: tuple[str, str]) -> None:
    root = write(project)
    project.up()
    # A limit of its own, in a user namespace.
    lower = f'echo {limit[1]} > /proc/sys/user/{limit[0]} && exec "$@"'
    with project.running("watch", under=("unshare", "-Ur", "sh", "-c", lower, "sh")) as watch:
        said(watch, f"fs.inotify.{limit[0].replace('inotify', 'user')}")
        (root / "src/a.txt").write_text("2\n")
        wait_for(lambda: run_inside(project, "cat", "/app/src/a.txt") == "2\n", seconds=60)
        (root / "src/new").mkdir()
        (root / "src/new/b.txt").write_text("2\n")
        holds(project, watch, tree(root / "src"))
        assert watch.stdout.count("turns instead") == 1
        watch.process.terminate()
        assert watch.process.wait(30) == 130
        assert "Traceback" not in watch.stderr
