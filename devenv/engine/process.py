"""Child processes: start, follow, end.

Owns how a command is run and ended; what its failure means is decided in `errors.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

from devenv.engine.process_guard import guarding
from devenv.errors import CommandFailed, CommandTooLong
from devenv.values import dataclass

DEVNULL = subprocess.DEVNULL
END_SECONDS = 10.0
"""How long a child may take to end after SIGTERM: Compose stops containers meanwhile."""
TAIL_BYTES = 64 * 1024
"""How much of each stream is kept when its lines are given out as they come."""
_READ_BYTES = 64 * 1024
_LOOK_SECONDS = 0.1
_LEFT = (
    "A process that it left behind holds its output, which is read no more; give it another: "
    "COMMAND >FILE 2>&1 &"
)
_MAX_LINE_BYTES = 64 * 1024

LineHandler = Callable[[str, str], None]
"""Called with the stream (`stdout` or `stderr`) and one line without its end."""


@dataclass(frozen=True, slots=True)
class Completed:
    """How a command ended."""

    returncode: int
    """Negative: the number of the signal that ended it."""
    stdout: str
    stderr: str
    seconds: float


async def run_process(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    timeout_seconds: float | None,
    on_line: LineHandler | None = None,
    stdin: int | bytes = DEVNULL,
    end_seconds: float = END_SECONDS,
    is_guarded: bool = False,
    linger_seconds: float | None = None,
) -> Completed:
    """Run a command to its end, whatever its exit code.

    The child gets a session of its own, so that Ctrl-C on the terminal reaches devenv alone.
    With `on_line`, lines are handed over as they come and only the last `TAIL_BYTES` of each
    stream are returned. Raises CommandFailed when the command cannot be started (exit code
    126 or 127), CommandTooLong when it passes `timeout_seconds`. On a timeout, a cancellation or
    an error in `on_line` the child's whole process group is ended first.

    `is_guarded`: that group is ended too where devenv itself is killed. `linger_seconds`: how long
    is read on once the child has ended and a process that it left behind holds its output; None:
    until that has ended.
    """
    argv = tuple(argv)
    started = time.monotonic()
    starting = asyncio.create_task(
        asyncio.create_subprocess_exec(
            *argv,
            env=None if env is None else dict(env),
            cwd=cwd,
            stdin=subprocess.PIPE if isinstance(stdin, bytes) else stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    )
    try:
        process = await asyncio.shield(starting)
    except asyncio.CancelledError:
        # The child may run already. Cancelled on its own, asyncio would end it alone and then
        # wait for its pipes, which its own children hold.
        with contextlib.suppress(OSError):
            await _end(await starting, (), end_seconds)
        raise
    except OSError as error:
        raise _cannot_start(argv, error) from error
    out = _Collector("stdout", on_line)
    err = _Collector("stderr", on_line)
    work: list[asyncio.Task[object]] = [
        asyncio.create_task(_pump(process.stdout, out)),
        asyncio.create_task(_pump(process.stderr, err)),
        asyncio.create_task(process.wait()),
    ]
    if isinstance(stdin, bytes):
        work.append(asyncio.create_task(_feed(process.stdin, stdin)))
    guard = guarding(process.pid, end_seconds) if is_guarded else contextlib.nullcontext()
    is_left = False
    try:
        async with guard, asyncio.timeout(timeout_seconds):
            if linger_seconds is not None:
                is_left = await _is_left(process, work, linger_seconds)
            if not is_left:
                await asyncio.gather(*work)
    except TimeoutError:
        await _end(process, work, end_seconds)
        raise CommandTooLong(
            argv,
            process.returncode if process.returncode is not None else -signal.SIGKILL,
            err.text(),
            message=f"{' '.join(argv[:4])} … did not end within {timeout_seconds:g} s.",
        ) from None
    except BaseException:
        await _end(process, work, end_seconds)
        raise
    assert process.returncode is not None
    if is_left:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        _close_pipes(process)
        if on_line is not None:
            on_line("stderr", _LEFT)
    return Completed(process.returncode, out.text(), err.text(), time.monotonic() - started)


def run_interactive(
    argv: Sequence[str],
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
) -> int:
    """Run a command on devenv's own terminal and return its exit code (128 + n for signal n).

    Ctrl-C goes to the child, which decides; SIGTERM and SIGHUP are passed on. Raises
    CommandFailed when the command cannot be started.
    """
    argv = tuple(argv)
    child: subprocess.Popen[bytes] | None = None

    def leave_to_child(_number: int, _frame: FrameType | None) -> None:
        """A handler and not SIG_IGN, which the child would inherit."""

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if child is not None and child.returncode is None:
            child.send_signal(number)

    before: dict[signal.Signals, signal._HANDLER] = {}
    if threading.current_thread() is threading.main_thread():
        for number, handler in (
            (signal.SIGINT, leave_to_child),
            (signal.SIGQUIT, leave_to_child),
            (signal.SIGTERM, pass_on),
            (signal.SIGHUP, pass_on),
        ):
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
    try:
        try:
            child = subprocess.Popen(argv, env=None if env is None else dict(env), cwd=cwd)
        except OSError as error:
            raise _cannot_start(argv, error) from error
        returncode = child.wait()
    finally:
        for restored, previous in before.items():
            signal.signal(restored, previous)
    return returncode if returncode >= 0 else 128 - returncode


class _Collector:
    """Keeps a stream's text: all of it, or its tail when lines are handed over."""

    def __init__(self, name: str, on_line: LineHandler | None) -> None:
        self._name = name
        self._on_line = on_line
        self._kept: deque[bytes] = deque()
        self._kept_bytes = 0
        self._partial = b""

    def take(self, data: bytes) -> None:
        if self._on_line is None:
            self._kept.append(data)
            return
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            self._hand_over(line, b"\n")
        while len(self._partial) > _MAX_LINE_BYTES:
            piece, self._partial = (
                self._partial[:_MAX_LINE_BYTES],
                self._partial[_MAX_LINE_BYTES:],
            )
            self._hand_over(piece, b"")

    def finish(self) -> None:
        if self._partial:
            self._hand_over(self._partial, b"")
            self._partial = b""

    def text(self) -> str:
        return b"".join([*self._kept, self._partial]).decode(errors="replace")

    def _hand_over(self, line: bytes, end: bytes) -> None:
        self._kept.append(line + end)
        self._kept_bytes += len(line) + len(end)
        while self._kept_bytes > TAIL_BYTES and len(self._kept) > 1:
            self._kept_bytes -= len(self._kept.popleft())
        if self._on_line is not None:
            self._on_line(self._name, line.removesuffix(b"\r").decode(errors="replace"))


async def _is_left(
    process: asyncio.subprocess.Process, work: Sequence[asyncio.Task[object]], seconds: float
) -> bool:
    """Wait until all is read, or the child has ended and what it left behind holds its output.

    By looking again and again: `wait` itself may wait for the output, too.
    """
    ended_at: float | None = None
    while True:
        done, pending = await asyncio.wait(work, timeout=_LOOK_SECONDS)
        if not pending or any(task.exception() is not None for task in done):
            return False
        now = time.monotonic()
        if process.returncode is not None:
            ended_at = ended_at or now
            if now - ended_at >= seconds:
                return True


def _close_pipes(process: asyncio.subprocess.Process) -> None:
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()


async def _pump(reader: asyncio.StreamReader | None, collector: _Collector) -> None:
    assert reader is not None
    while data := await reader.read(_READ_BYTES):
        collector.take(data)
    collector.finish()


async def _feed(writer: asyncio.StreamWriter | None, data: bytes) -> None:
    assert writer is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        writer.write(data)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


async def _end(
    process: asyncio.subprocess.Process, work: Sequence[asyncio.Task[object]], seconds: float
) -> None:
    """End the child's process group: SIGTERM, read on until it has ended, then SIGKILL."""
    for task in work:
        task.cancel()
    await asyncio.gather(*work, return_exceptions=True)
    for number, limit in ((signal.SIGTERM, seconds), (signal.SIGKILL, 2.0)):
        _signal_group(process, number)
        try:
            async with asyncio.timeout(limit):
                await process.communicate()
        except TimeoutError:
            continue
        except asyncio.CancelledError:
            _signal_group(process, signal.SIGKILL)
            raise
        break
    # What the child left behind in its group holds no pipe of ours, but goes too.
    _signal_group(process, signal.SIGKILL)
    _close_pipes(process)


def _signal_group(process: asyncio.subprocess.Process, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _cannot_start(argv: tuple[str, ...], error: OSError) -> CommandFailed:
    missing = isinstance(error, FileNotFoundError)
    return CommandFailed(
        argv,
        127 if missing else 126,
        "",
        message=f"{argv[0]} cannot be started: {error.strerror}"
        + (f" ({error.filename})." if error.filename else "."),
        fix=f"install {argv[0]}, or put it on PATH." if missing else None,
    )
