"""A hook in a service: found running, run through `docker compose exec`, and ended there too.

Ending the client leaves the program in the container running, so a shell there tells its process
id first; it leads a process group, which is ended as a whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches

from devenv.cli.interactive import exec_argv
from devenv.cli.session import Session
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.config.hooks import Hook
from devenv.engine.api import ApiError
from devenv.engine.compose import plain_environ
from devenv.engine.containers_now import observe_once
from devenv.engine.exec_api import NOT_FOUND, run_in_container
from devenv.engine.process import run_process
from devenv.errors import DevenvError, EngineUnavailable, UsageError

KILL_SECONDS = 5.0
_MARK = re.compile(r"devenv-hook-pid (\d+)")
_TELL_PID = 'echo "devenv-hook-pid $$"; exec "$@"'
_END = (
    'kill -TERM -"$1" 2>/dev/null || kill -TERM "$1" 2>/dev/null; n=0; '
    'while [ $n -lt 30 ] && kill -0 "$1" 2>/dev/null; do sleep 0.1; n=$((n+1)); done; '
    'kill -KILL -"$1" 2>/dev/null; kill -KILL "$1" 2>/dev/null; exit 0'
)
"""The process id is an argument, and a number."""


async def find_service_problem(session: Session, name: EnvironmentName, hook: Hook) -> str | None:
    """Why the hook is to be skipped: its service is not in use. None: it can run.

    Raises UsageError for a service that is in use and does not run, or that does not exist.
    """
    service = hook.service or ""
    containers = await observe_once(session.client, name)
    if any(c.service == service and c.state == "running" for c in containers):
        return None
    if hook.event == "before_down":
        return f"{service} is not running"
    project = await asyncio.to_thread(lambda: session.project)
    if service in project.services:
        if not any(c.service == service for c in containers):
            return f"{service} is not part of this start"
        raise UsageError(f"{service} is not running.", fix=f"devenv logs {service} may say why")
    with contextlib.suppress(DevenvError):
        everything = await asyncio.to_thread(session.load_everything)
        if service in everything.services:
            return f"{service} is not in this profile"
    near = get_close_matches(service, project.services, n=1, cutoff=0.5)
    raise UsageError(
        f"There is no service {service!r}.",
        fix=f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(project.services))}",
    )


async def run_in_service(
    session: Session,
    name: EnvironmentName,
    hook: Hook,
    variables: Mapping[str, str],
    on_line: Callable[[str, str], None],
) -> int:
    """The exit code of a hook in its service's first container.

    Raises CommandFailed where it takes longer than it may, and EngineUnavailable.
    """
    service = ServiceName(hook.service or "")
    pid: int | None = None

    def take(stream: str, line: str) -> None:
        nonlocal pid
        found = _MARK.fullmatch(line) if pid is None and stream == "stdout" else None
        if found is None:
            on_line(stream, line)
        else:
            pid = int(found[1])

    async def run(words: tuple[str, ...]) -> int:
        argv = exec_argv(session, name, service, words, terminal=False, variables=variables)
        completed = await run_process(
            argv,
            env=plain_environ(session.environ),
            cwd="/",
            timeout_seconds=hook.timeout_seconds,
            on_line=take,
            end_seconds=2.0,
        )
        return completed.returncode

    try:
        code = await run(("sh", "-c", _TELL_PID, "sh", *hook.argv))
        if pid is None and code in NOT_FOUND and not isinstance(hook.run, str):
            code = await run(hook.argv)  # an image without a shell
    except (asyncio.CancelledError, DevenvError):
        if pid is not None:
            await asyncio.shield(_end(session, name, service, pid))
        raise
    if code != 0:
        await session.client.ping()  # the engine may have gone: then that is the reason
    return code


async def _end(session: Session, name: EnvironmentName, service: ServiceName, pid: int) -> None:
    """End the program in the container, and its children; nothing is left to say if it is gone."""
    with contextlib.suppress(EngineUnavailable, ApiError, TimeoutError):
        async with asyncio.timeout(KILL_SECONDS):
            containers = await observe_once(session.client, name)
            mine = [c for c in containers if c.service == service and c.state == "running"]
            argv = ("sh", "-c", _END, "sh", str(pid))
            for container in mine[:1]:
                await run_in_container(session.client, container.id, argv, user="0")
