"""Files into running containers of a real engine: what arrives, whose it is, what is refused."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devenv.engine.api import EngineClient
from devenv.engine.context import Endpoint
from devenv.engine.exec_api import run_in_container
from devenv.engine.sync import (
    After,
    Change,
    Hook,
    Outcome,
    Syncer,
    SyncResult,
    find_unwritable,
    sync_containers,
)
from devenv.engine.sync_place import resolve_owner
from devenv.engine.sync_tar import Owner, divide, load_disk_state

BASE = "devenv-offline/base"
SLEEP = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done")


def docker(*arguments: str, stdin: str | None = None) -> str:
    """Run the client; its standard output."""
    done = subprocess.run(
        ("docker", *arguments), input=stdin, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def run() -> Iterator[Callable[..., str]]:
    """Start a container; its full id."""
    made: list[str] = []

    def start(*options: str, image: str = BASE, command: tuple[str, ...] = SLEEP) -> str:
        name = f"devenvsync{uuid.uuid4().hex[:10]}"
        made.append(docker("run", "--detach", "--name", name, *options, image, *command))
        return made[-1]

    yield start
    if made:
        subprocess.run(("docker", "rm", "-fv", *made), capture_output=True, timeout=60)


@pytest.fixture
def client(docker_engine: Endpoint) -> EngineClient:
    return EngineClient(docker_engine)


@pytest.fixture(scope="module")
def bare_image(docker_engine: Endpoint) -> Iterator[str]:
    """An image with one program and no shell."""
    name = f"devenv-offline/bare-{uuid.uuid4().hex[:8]}"
    copies = "/usr/bin/sleep /lib/x86_64-linux-gnu/libc.so.6 /lib64/ld-linux-x86-64.so.2"
    copies = copies if os.uname().machine == "x86_64" else "/usr/bin/sleep /lib/"
    lines = [f"FROM {BASE} AS base", "FROM scratch"]
    lines += [f"COPY --from=base {one} {one}" for one in copies.split()]
    docker("build", "--quiet", "--tag", name, "-", stdin="\n".join(lines) + "\n")
    yield name
    docker("rmi", "--force", name)


def look(container: str, *argv: str) -> str:
    return docker("exec", "--user", "0", container, *argv)


async def sync(client: EngineClient, container: str, *pairs: tuple[Path, str]) -> SyncResult:
    (result,) = await sync_containers(client, [container], [Change(str(a), b) for a, b in pairs])
    return result


async def test_files_modes_links_and_folders(
    run: Callable[..., str], client: EngineClient, tmp_path: Path
) -> None:
    container = run("--user", "1234:99", "--workdir", "/")
    look(container, "sh", "-c", "mkdir -p /app/old && echo old > /app/a.py && touch /app/old/x")
    (tmp_path / "a.py").write_text("new\n")
    (tmp_path / "run.sh").write_text("#!/bin/sh\n")
    (tmp_path / "run.sh").chmod(0o750)
    (tmp_path / "new").mkdir(mode=0o700)
    (tmp_path / "new" / "déép 'x'").write_bytes(b"\0\xff")
    (tmp_path / "link").symlink_to("a.py")
    os.mkfifo(tmp_path / "pipe")
    result = await sync(
        client,
        container,
        (tmp_path / "a.py", "/app/a.py"),
        (tmp_path / "run.sh", "/app/run.sh"),
        (tmp_path / "new", "/app/new"),
        (tmp_path / "new" / "déép 'x'", "/app/new/déép 'x'"),
        (tmp_path / "link", "/app/link"),
        (tmp_path / "pipe", "/app/pipe"),
        (tmp_path / "gone", "/app/old"),
        (tmp_path / "a.py", "/elsewhere/deep/a.py"),
    )
    assert result.outcome is Outcome.SYNCED, result
    assert result.is_atomic
    assert result.deleted == ("/app/old",)
    assert result.skipped == ("/app/pipe",)
    assert result.content_bytes == 4 + 10 + 2 + 4
    shown = look(container, "find", "/app", "/elsewhere", "-printf", "%p %m %U:%G %l\n")
    assert sorted(line.rstrip() for line in shown.splitlines()) == [
        "/app 755 0:0",
        "/app/a.py 644 1234:99",
        "/app/link 777 1234:99 a.py",
        "/app/new 700 1234:99",
        "/app/new/déép 'x' 644 1234:99",
        "/app/run.sh 750 1234:99",
        "/elsewhere 755 1234:99",
        "/elsewhere/deep 755 1234:99",
        "/elsewhere/deep/a.py 644 1234:99",
    ]
    assert look(container, "cat", "/app/link") == "new"


@pytest.mark.parametrize("spoil", ["rm /usr/bin/tar", "ln -sf /bin/false /usr/bin/tar"])
async def test_without_a_tar_that_works(
    run: Callable[..., str], client: EngineClient, tmp_path: Path, spoil: str
) -> None:
    container = run()
    look(container, "sh", "-c", spoil)
    (tmp_path / "a.py").write_text("new\n")
    syncer = Syncer(client)
    for count in (1, 2):
        (tmp_path / "b.py").write_text(f"{count}\n")
        changes = [Change(str(tmp_path / name), f"/app/{name}") for name in ("a.py", "b.py")]
        (result,) = await syncer.sync([container], changes)
        assert result.outcome is Outcome.SYNCED and result.is_atomic
        assert look(container, "sh", "-c", "cat /app/*; ls -A /app").split() == [
            "new",
            str(count),
            "a.py",
            "b.py",
        ]


async def test_what_was_of_another_kind_is_replaced(
    run: Callable[..., str], client: EngineClient, tmp_path: Path
) -> None:
    container = run()
    look(container, "sh", "-c", "mkdir -p /a/dir/x /a/target && ln -s target /a/link && touch /a/f")
    (tmp_path / "dir").write_text("file")
    (tmp_path / "link").write_text("file")
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "in").write_text("in")
    names = ("dir", "link", "f", "f/in")
    result = await sync(client, container, *((tmp_path / name, f"/a/{name}") for name in names))
    assert result.outcome is Outcome.SYNCED, result
    shown = look(container, "find", "/a", "-printf", "%p %y\n").splitlines()
    assert sorted(shown) == ["/a d", "/a/dir f", "/a/f d", "/a/f/in f", "/a/link f", "/a/target d"]


async def test_names_of_a_user_are_those_of_the_container(
    run: Callable[..., str], client: EngineClient, tmp_path: Path, docker_engine: Endpoint
) -> None:
    container = run("--user", "www-data:mail")
    (tmp_path / "a").write_text("x")
    await sync(client, container, (tmp_path / "a", "/srv/a"))
    assert look(container, "stat", "-c", "%U:%G", "/srv/a") == "www-data:mail"
    unwritable = await find_unwritable(client, container, ["/srv", "/tmp", "/etc"])
    assert unwritable == ("/etc", "/srv")


def test_numbers_of_a_user() -> None:
    passwd = "root:x:0:0::/:/bin/sh\napp:x:1000:1001::/:/bin/sh\nbroken\n"
    groups = "root:x:0:\nmail:x:8:app\n"
    assert resolve_owner("app", passwd, groups) == Owner(1000, 1001)
    assert resolve_owner("1000", passwd, groups) == Owner(1000, 1001)
    assert resolve_owner("app:mail", passwd, groups) == Owner(1000, 8)
    assert resolve_owner("5:6", passwd, groups) == Owner(5, 6)
    assert resolve_owner("5", passwd, groups) == Owner(5, 0)
    assert resolve_owner("nobody", passwd, groups) == Owner(0, 0)


async def test_a_reader_never_sees_half_a_file(
    run: Callable[..., str], client: EngineClient, tmp_path: Path
) -> None:
    """A loop in the container reads all the time, and writes down each size that is neither."""
    container = run()
    size = 3_000_000
    look(container, "sh", "-c", f"mkdir /app; head -c {size} /dev/zero > /app/big")
    loop = (
        "while [ ! -e /stop ]; do n=$(wc -c < /app/big 2>/dev/null) || n=missing; "
        f'[ "$n" = {size} ] || echo "$n" >> /seen; echo >> /reads; done'
    )
    docker("exec", "--detach", container, "sh", "-c", loop)
    for number in range(8):
        (tmp_path / "big").write_bytes(bytes([number]) * size)
        result = await sync(client, container, (tmp_path / "big", "/app/big"))
        assert result.is_atomic
    look(container, "touch", "/stop")
    assert int(look(container, "sh", "-c", "wc -l < /reads")) > 20
    assert look(container, "sh", "-c", "cat /seen 2>/dev/null; ls -A /app") == "big"


async def test_without_a_shell_it_is_written_in_place(
    run: Callable[..., str], client: EngineClient, tmp_path: Path, bare_image: str
) -> None:
    container = run(image=bare_image, command=("/usr/bin/sleep", "600"))
    (tmp_path / "a").write_text("x")
    result = await sync(client, container, (tmp_path / "a", "/app/a"))
    assert (result.outcome, result.is_atomic) == (Outcome.SYNCED, False)
    assert "in place" in result.why
    assert docker("cp", f"{container}:/app/a", "-").count("x")
    result = await sync(client, container, (tmp_path / "gone", "/app/a"))
    assert result.outcome is Outcome.REBUILD
    assert "/app/a" in result.why


async def test_a_read_only_root_filesystem_needs_a_rebuild(
    run: Callable[..., str], client: EngineClient, tmp_path: Path
) -> None:
    volume = f"devenvsync{uuid.uuid4().hex[:10]}"
    options = ("--read-only", "--volume", f"{volume}:/data", "--tmpfs", "/run")
    container = run(*options, "--volume", f"{volume}:/fixed:ro")
    try:
        (tmp_path / "a").write_text("x")
        result = await sync(client, container, (tmp_path / "a", "/app/a"))
        assert (result.outcome, result.written) == (Outcome.REBUILD, ())
        assert "read-only root filesystem" in result.why
        assert (await sync(client, container, (tmp_path / "a", "/fixed/a"))).outcome == "rebuild"
        assert (await sync(client, container, (tmp_path / "a", "/run/a"))).outcome == "rebuild"
        assert (await sync(client, container, (tmp_path / "a", "/data/b/a"))).outcome == "synced"
        assert look(container, "cat", "/data/b/a") == "x"
    finally:
        docker("rm", "--force", container)
        docker("volume", "rm", volume)


async def test_volumes_tmpfs_and_bind_mounts(
    run: Callable[..., str], client: EngineClient, tmp_path: Path
) -> None:
    bound = tmp_path / "bound"
    bound.mkdir()
    options = ("--volume", "/data", "--tmpfs", "/run/app", "--volume", f"{bound}:/src")
    container = run(*options, "--user", "1000")
    (tmp_path / "a").write_text("x")
    result = await sync(
        client,
        container,
        (tmp_path / "a", "/data/a"),
        (tmp_path / "a", "/run/app/deep/a"),
        (tmp_path / "a", "/src/a"),
    )
    assert result.outcome is Outcome.SYNCED, result
    assert result.live == ("/src/a",)
    assert not (bound / "a").exists()
    shown = look(container, "stat", "-c", "%n %u %s", "/data/a", "/run/app/deep/a")
    assert shown.split("\n") == ["/data/a 1000 1", "/run/app/deep/a 1000 1"]
    assert look(container, "sh", "-c", "ls -A / | grep '~' || true") == ""
    result = await sync(client, container, (tmp_path / "gone", "/data"))
    assert result.outcome is Outcome.REBUILD
    assert "mount" in result.why


async def test_every_replica_and_one_that_is_gone(
    run: Callable[..., str], client: EngineClient, tmp_path: Path
) -> None:
    one, two, gone = run(), run(), run()
    docker("rm", "--force", gone)
    (tmp_path / "a").write_text("x")
    changes = [Change(str(tmp_path / "a"), "/app/a")]
    results = await sync_containers(client, [one, gone, two], changes)
    assert [result.outcome for result in results] == ["synced", "gone", "synced"]
    assert look(one, "cat", "/app/a") == look(two, "cat", "/app/a") == "x"


async def test_a_container_removed_in_the_middle(
    run: Callable[..., str], client: EngineClient, tmp_path: Path
) -> None:
    container = run()
    (tmp_path / "big").touch()
    os.truncate(tmp_path / "big", 400_000_000)  # takes the engine longer than the removal
    changes = [Change(str(tmp_path / "big"), "/app/big")]
    task = asyncio.create_task(sync_containers(client, [container], changes))
    with contextlib.suppress(AssertionError):  # the engine may find its files in use, and go on
        await asyncio.to_thread(docker, "rm", "--force", container)
    (result,) = await task
    assert result.outcome in (Outcome.GONE, Outcome.FAILED)
    assert result.why


async def test_a_restart_in_the_middle_loses_nothing(
    run: Callable[..., str], client: EngineClient, tmp_path: Path
) -> None:
    container = run("--tmpfs", "/fast")
    (tmp_path / "big").write_bytes(b"x" * 20_000_000)
    (tmp_path / "a").write_text("a")
    changes = [
        Change(str(tmp_path / "big"), "/app/big"),
        Change(str(tmp_path / "a"), "/fast/a"),
    ]
    task = asyncio.create_task(sync_containers(client, [container], changes))
    await asyncio.to_thread(docker, "restart", "--time", "5", container)
    (result,) = await task
    assert result.outcome is Outcome.SYNCED, result
    assert look(container, "sh", "-c", "wc -c < /app/big") == "20000000"
    assert look(container, "sh", "-c", "ls -A /app") == "big"


async def test_a_stopped_container_starts_with_it(
    run: Callable[..., str], client: EngineClient, tmp_path: Path
) -> None:
    container = run()
    docker("stop", "--time", "5", container)
    (tmp_path / "a").write_text("x")
    result = await sync(client, container, (tmp_path / "a", "/app/a"))
    assert (result.outcome, result.is_atomic, result.why) == (Outcome.SYNCED, True, "")
    docker("start", container)
    assert look(container, "cat", "/app/a") == "x"


async def test_restart_and_command_afterwards(
    run: Callable[..., str], client: EngineClient, tmp_path: Path
) -> None:
    container = run()
    before = docker("inspect", "--format", "{{.State.StartedAt}}", container)
    (tmp_path / "a").write_text("x")
    changes = [Change(str(tmp_path / "a"), "/app/a")]
    hook = Hook(("sh", "-c", 'echo "$WORD $(pwd)"; exit 3'), "1000", "/app", {"WORD": "hi"})
    (result,) = await sync_containers(client, [container], changes, after=After.EXEC, hook=hook)
    assert result.outcome is Outcome.SYNCED
    assert result.after is not None
    assert (result.after.exit_code, result.after.output) == (3, "hi /app\n")
    assert docker("inspect", "--format", "{{.State.StartedAt}}", container) == before
    await sync_containers(client, [container], changes, after=After.RESTART, stop_seconds=5)
    assert docker("inspect", "--format", "{{.State.StartedAt}}", container) != before
    assert look(container, "cat", "/app/a") == "x"


async def test_many_files_in_few_requests(
    run: Callable[..., str], client: EngineClient, tmp_path: Path
) -> None:
    container = run()
    changes = []
    for number in range(3000):
        path = tmp_path / f"{number % 30}" / f"{'n' * 60}{number}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(str(number))
        changes.append(Change(str(path), f"/app/{path.parent.name}/{path.name}"))
    (result,) = await sync_containers(client, [container], changes)
    assert len(result.written) == 3000
    assert (
        look(container, "sh", "-c", "find /app -type f | wc -l; cat /app/7/*1087") == "3000\n1087"
    )
    assert look(container, "sh", "-c", "find /app -name '.*~' | wc -l") == "0"


async def test_a_command_that_is_not_there(run: Callable[..., str], client: EngineClient) -> None:
    done = await run_in_container(client, run(), ("no-such-program",))
    assert done.exit_code in (126, 127)


async def test_paths_that_are_not_absolute_are_refused(client: EngineClient) -> None:
    for source, target in (("a", "/a"), ("/a", "a"), ("/a", "/"), ("/a", "/x/..")):
        with pytest.raises(ValueError, match="absolute"):
            await sync_containers(client, ["x"], [Change(source, target)])


def test_lots_are_bounded(tmp_path: Path) -> None:
    changes = {}
    for number, size in enumerate((10, 20, 100, 5)):
        (tmp_path / str(number)).write_bytes(b"x" * size)
        changes[f"/{number}"] = str(tmp_path / str(number))
    assert load_disk_state({"/\udcff": str(tmp_path / "0")}).skipped == ("/\udcff",)
    state = load_disk_state(changes)
    lots = list(divide(state.entries, 32))
    assert [[one.size_bytes for one in lot] for lot in lots] == [[10, 20], [100], [5]]
    assert list(divide(())) == []
