"""Runs devenv and ends it with SIGKILL at its Nth change of the engine.

    python -m tests.engine.kill_at N devenv-arguments…

A change is a request that is no question. N counts from 1, and the kill comes before the change;
of an archive that is uploaded it comes in the middle. With N = 0 nothing is killed, and the last
line on stderr says how many changes there were and what they were.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from typing import Any

from devenv.cli.main import run_command_line
from devenv.engine.api import EngineClient, Response
from devenv.engine.exchange import QueryValue

_request = EngineClient.request
_upload = EngineClient.upload


class Counter:
    def __init__(self, last: int) -> None:
        self.last = last
        self.seen: list[str] = []

    def count(self, what: str) -> bool:
        """Whether this is the one at which to end."""
        self.seen.append(what)
        return len(self.seen) == self.last


def main() -> int:
    counter = Counter(int(sys.argv[1]))

    async def request(
        self: EngineClient, method: str, path: str, *rest: Any, **more: Any
    ) -> Response:
        if method not in ("GET", "HEAD") and counter.count(f"{method} {path}"):
            os.kill(os.getpid(), signal.SIGKILL)
        return await _request(self, method, path, *rest, **more)

    async def upload(
        self: EngineClient,
        path: str,
        query: Mapping[str, QueryValue] | None,
        body: AsyncIterable[bytes],
        **more: Any,
    ) -> None:
        is_last = counter.count(f"PUT {path}")

        async def cut() -> AsyncGenerator[bytes, None]:
            sent = 0
            async for chunk in body:
                yield chunk
                sent += len(chunk)
                if is_last and sent > 4_000_000:
                    os.kill(os.getpid(), signal.SIGKILL)
            if is_last:  # less than that: all but its end
                os.kill(os.getpid(), signal.SIGKILL)

        await _upload(self, path, query, cut(), **more)

    EngineClient.request = request  # type: ignore[method-assign]
    EngineClient.upload = upload  # type: ignore[method-assign]
    code = run_command_line(sys.argv[2:])
    sys.stderr.write(f"{len(counter.seen)} changes: {'; '.join(counter.seen)}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
