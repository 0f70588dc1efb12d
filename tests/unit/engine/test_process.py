"""Children are run, followed and ended without a trace."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from devenv.engine.process import TAIL_BYTES, run_interactive, run_process
from devenv.errors import CommandFailed


async def test_output_and_exit_code() -> None:
    done = await run_process(
        ["sh", "-c", "cat; echo err >&2; exit 3"], timeout_seconds=10, stdin=b"hello"
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "hello", "err\n")


async def test_lines_come_as_they_are_written_and_the_tail_is_bounded() -> None:
    seen: list[str] = []
    done = await run_process(
        ["sh", "-c", "seq 100000; printf end"],
        timeout_seconds=30,
        on_line=lambda _stream, text: seen.append(text),
    )
    assert seen[:2] == ["1", "2"]
    assert seen[-1] == "end"
    assert len(seen) == 100001
    assert done.stdout.endswith("100000\nend")
    assert len(done.stdout) <= TAIL_BYTES


async def test_own_session() -> None:
    code = "import os; print(os.getsid(0) == os.getpid())"
    done = await run_process([sys.executable, "-c", code], timeout_seconds=10)
    assert done.stdout == "True\n"


async def wait_for(path: Path) -> int:
    async with asyncio.timeout(10):
        while not (path.exists() and path.read_text().strip()):  # noqa: ASYNC110, ASYNC240
            await asyncio.sleep(0.01)
    return int(path.read_text())  # noqa: ASYNC240


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.mark.parametrize("trap", ["", "trap '' TERM; "])
async def test_cancellation_ends_the_whole_group(tmp_path: Path, trap: str) -> None:
    pid_file = tmp_path / "pid"
    script = f"{trap}sleep 300 & echo $! > {pid_file}; while :; do echo noise; done"
    task = asyncio.create_task(
        run_process(["sh", "-c", script], timeout_seconds=None, end_seconds=0.5)
    )
    grandchild = await wait_for(pid_file)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        while is_alive(grandchild):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_cancellation_at_the_start_ends_the_whole_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child runs before asyncio has connected its pipes; here that takes until it is cut."""
    pid_file = tmp_path / "pid"
    create = asyncio.create_subprocess_exec

    async def create_slowly(*argv: str, **options: object) -> asyncio.subprocess.Process:
        process = await create(*argv, **options)  # type: ignore[arg-type]
        await wait_for(pid_file)
        task.cancel()
        await asyncio.sleep(0)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", create_slowly)
    script = f"sleep 300 & echo $! > {pid_file}; wait"
    task = asyncio.create_task(
        run_process(["sh", "-c", script], timeout_seconds=None, end_seconds=0.5)
    )
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        while is_alive(int(pid_file.read_text())):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_timeout() -> None:
    started = time.monotonic()
    with pytest.raises(CommandFailed, match="did not end within"):
        await run_process(["sleep", "60"], timeout_seconds=0.2)
    assert time.monotonic() - started < 5


async def test_missing_command() -> None:
    with pytest.raises(CommandFailed) as caught:
        await run_process(["devenv-no-such-command"], timeout_seconds=1)
    assert caught.value.returncode == 127


def test_interactive() -> None:
    assert run_interactive(["sh", "-c", "exit 4"]) == 4
    assert run_interactive(["sh", "-c", "kill -9 $$"]) == 137
    # Ctrl-C belongs to the child: devenv itself goes on.
    assert run_interactive(["sh", "-c", f"kill -2 {os.getpid()}; exit 5"]) == 5


async def test_what_a_child_leaves_behind_is_not_waited_for(tmp_path: Path) -> None:
    """A daemon that holds its output goes on; what it says is read no more."""
    seen: list[str] = []
    async with asyncio.timeout(30):
        done = await run_process(
            ["sh", "-c", f"echo one; sleep 60 & echo $! >{tmp_path}/pid"],
            timeout_seconds=60,
            on_line=lambda _stream, line: seen.append(line),
            linger_seconds=0.2,
        )
    pid = await wait_for(tmp_path / "pid")
    try:
        assert done.returncode == 0
        assert seen[0] == "one" and seen[1].startswith("A process that it left behind")
        assert is_alive(pid)
    finally:
        os.kill(pid, signal.SIGKILL)


async def test_output_that_follows_the_end_is_read() -> None:
    seen: list[str] = []
    done = await run_process(
        ["sh", "-c", "(sleep 0.2; echo two) & echo one"],
        timeout_seconds=60,
        on_line=lambda _stream, line: seen.append(line),
        linger_seconds=20,
    )
    assert (done.returncode, seen) == (0, ["one", "two"])


RUN_GUARDED = """
import asyncio, sys
from devenv.engine.process import run_process
asyncio.run(run_process(
    ["sh", "-c", sys.argv[1]], timeout_seconds=60, end_seconds=0.5, is_guarded=True
))
"""


@pytest.mark.parametrize("trap", ["", "trap '' TERM; "])
async def test_a_guarded_group_ends_with_a_devenv_that_is_killed(tmp_path: Path, trap: str) -> None:
    script = f"{trap}sleep 60 & echo $! >{tmp_path}/child; echo $$ >{tmp_path}/pid; wait"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", RUN_GUARDED, script)
    pids = [await wait_for(tmp_path / name) for name in ("child", "pid")]
    guards = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    async with asyncio.timeout(20):  # the guard stands beside the child
        while len(guards.read_text().split()) < 2:  # noqa: ASYNC110, ASYNC240
            await asyncio.sleep(0.01)
    process.kill()
    await process.wait()
    async with asyncio.timeout(20):
        while any(map(is_alive, pids)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
