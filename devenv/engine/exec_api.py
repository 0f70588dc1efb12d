"""A command within a running container, by the Engine API: one short call, its output kept.

For what a person sees or types there is `docker exec`; here are helpers such as `mv`. Arguments
go to the program as they are: no shell reads them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from devenv.engine.api import EngineClient
from devenv.engine.unavailable import no_answer
from devenv.errors import EngineUnavailable
from devenv.values import dataclass

EXEC_SECONDS = 60.0
OUTPUT_BYTES = 64 * 1024
"""How much of the output's end is kept."""
NOT_FOUND = (126, 127)
"""Exit codes for a program that is not there or cannot be run."""


@dataclass(frozen=True, slots=True)
class ExecResult:
    """How the command ended."""

    exit_code: int
    output: str
    """Both streams as they came; the last `OUTPUT_BYTES`."""


async def run_in_container(
    client: EngineClient,
    container_id: str,
    argv: Sequence[str],
    *,
    user: str | None = None,
    working_directory: str | None = None,
    environment: Mapping[str, str] | None = None,
    privileged: bool = False,
    stdin: bytes | None = None,
    timeout_seconds: float = EXEC_SECONDS,
) -> ExecResult:
    """Run a command to its end; `user` None is the container's own.

    `stdin` is written to it; its end is not seen there, so the command must know how much it is.

    Raises ApiError (404 the container is gone, 409 it does not run) and EngineUnavailable, also
    when the command takes longer than its limit: it then goes on in the container.
    A missing program is an exit code among `NOT_FOUND`.
    """
    asked = {
        "Cmd": list(argv),
        **({"AttachStdin": True} if stdin is not None else {}),
        "AttachStdout": True,
        "AttachStderr": True,
        "Privileged": privileged,
        **({"User": user} if user is not None else {}),
        **({"WorkingDir": working_directory} if working_directory else {}),
        **({"Env": [f"{k}={v}" for k, v in environment.items()]} if environment else {}),
    }
    path = f"/containers/{quote(container_id, safe='')}/exec"
    made = (await client.request("POST", path, None, asked)).json()
    exec_path = f"/exec/{quote(str(made['Id']), safe='')}"
    start = {"Detach": False, "Tty": False}
    try:
        async with (
            asyncio.timeout(timeout_seconds),
            client.open_exchange("POST", f"{exec_path}/start", start) as exchange,
        ):
            if stdin is not None:
                with contextlib.suppress(EngineUnavailable):  # it ended before it read all
                    await exchange.write(stdin)
            body = b"".join([chunk async for chunk in exchange.chunks()])
    except TimeoutError:
        raise no_answer(client.endpoint, timeout_seconds) from None
    output = join_frames(body)
    code = (await client.get_json(f"{exec_path}/json")).get("ExitCode")
    if code is None and b"executable file not found" in output:
        code = NOT_FOUND[1]
    text = output[-OUTPUT_BYTES:].decode(errors="replace")
    return ExecResult(-1 if code is None else int(code), text)


def join_frames(body: bytes) -> bytes:
    """The payload of a multiplexed stream: frames of stream, three zeros, length, bytes.

    Spec: Engine API, ContainerAttach, stream format. What is no frame is taken as it is.
    """
    parts: list[bytes] = []
    at = 0
    while at < len(body):
        if at + 8 > len(body) or body[at] > 2 or body[at + 1 : at + 4] != b"\0\0\0":
            parts.append(body[at:])
            break
        size = int.from_bytes(body[at + 4 : at + 8], "big")
        parts.append(body[at + 8 : at + 8 + size])
        at += 8 + size
    return b"".join(parts)
