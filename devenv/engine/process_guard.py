"""Ends a child's process group where devenv itself is ended without a chance to do so.

After `kill -9` of devenv, or a crash, nobody would end what it had started. A guard is a small
process beside the child that waits for devenv's end of a pipe to close: closed with a word, the
child has ended; closed without one, devenv is gone, and the child's group is ended as devenv would
have done. Unlike Linux' parent-death signal it reaches the child's own children, and it works
wherever processes have groups.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

_GUARD = """
import os, signal, sys, time
group, seconds = int(sys.argv[1]), float(sys.argv[2])
if os.read(0, 1):
    raise SystemExit
for number, limit in ((signal.SIGTERM, seconds), (signal.SIGKILL, 0)):
    end = time.monotonic() + limit
    try:
        os.killpg(group, number)
        while time.monotonic() < end:
            time.sleep(0.05)
            os.killpg(group, 0)
    except OSError:
        break
"""


@contextlib.asynccontextmanager
async def guarding(group: int, end_seconds: float) -> AsyncIterator[None]:
    """Guard a process group while the block runs; where no guard can be started, it is not.

    `end_seconds`: between SIGTERM and SIGKILL.
    """
    try:
        # Without site and the user's variables: it starts in 10 ms, and runs this alone.
        guard = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", _GUARD, str(group), str(end_seconds)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
    except OSError:
        yield
        return
    assert guard.stdin is not None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            guard.stdin.write(b".")
            guard.stdin.close()
        await asyncio.shield(guard.wait())
