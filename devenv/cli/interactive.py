"""`exec`, `shell` and `attach`: the terminal is handed to a container."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence

from devenv.cli.environment_names import find_environment_names
from devenv.cli.output import print_note
from devenv.cli.session import Session, resolve_service_name
from devenv.cli.shared_look import find_shared
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.engine.compose import plain_environ
from devenv.engine.containers_now import observe_once
from devenv.engine.process import run_interactive
from devenv.errors import ExitCode, UsageError

SHELL = (
    "sh",
    "-c",
    "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi",
)


def exec_argv(
    session: Session,
    name: EnvironmentName,
    service: ServiceName,
    words: Sequence[str],
    *,
    index: int = 1,
    user: str | None = None,
    terminal: bool = True,
    variables: Mapping[str, str] | None = None,
) -> list[str]:
    """The Compose command line that runs `words` in a service's container."""
    options = ["--index", str(index)]
    if user:
        options += ["--user", user]
    if not terminal:
        options.append("--no-TTY")
    for key, value in (variables or {}).items():
        options += ["--env", f"{key}={value}"]
    return [
        *session.compose.argv("--project-name", name, "--env-file", "/dev/null"),
        "exec",
        *options,
        service,
        *words,
    ]


def _find_running(session: Session, service: str, index: int) -> tuple[EnvironmentName, str]:
    async def find() -> tuple[EnvironmentName, str]:
        await session.client.ping()
        name = (await find_environment_names(session))[0]
        shared = await asyncio.to_thread(find_shared, session)
        if shared is not None and service in shared.services:
            name = shared.name
        containers = await observe_once(session.client, name)
        known = {c.service for c in containers}
        if not known:
            raise UsageError(f"Nothing of {name} is running.", fix="devenv up")
        wanted = resolve_service_name(service, known)
        running = [c for c in containers if c.service == wanted and c.state == "running"]
        if not running:
            raise UsageError(f"{wanted} is not running.", fix=f"devenv start {wanted}")
        numbers = [c.number for c in running]
        if index not in numbers:
            raise UsageError(
                f"{wanted} has no running replica {index}.",
                fix=f"--index takes one of: {', '.join(map(str, numbers))}",
            )
        return name, wanted

    return asyncio.run(find())


def run_exec(
    session: Session, service: str, words: list[str], arguments: argparse.Namespace
) -> int:
    """Run a command in a container and return its exit code."""
    name, wanted = _find_running(session, service, arguments.index)
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    words = words[1:] if words[:1] == ["--"] else words
    argv = exec_argv(
        session,
        name,
        ServiceName(wanted),
        words,
        index=arguments.index,
        user=arguments.user,
        terminal=terminal,
    )
    return _run(session, argv)


def _run(session: Session, argv: Sequence[str]) -> int:
    """The exit code of the child. Raises EngineUnavailable where the engine went away under it."""
    code = run_interactive(argv, plain_environ(session.environ), "/")
    if code != 0:
        asyncio.run(session.client.ping())
    return code


def run_attach(session: Session, service: str, arguments: argparse.Namespace) -> int:
    """Connect to a container's main process until it ends or the detach keys are typed."""
    name, wanted = _find_running(session, service, arguments.index)
    print_note(f"Attached to {wanted}; {arguments.detach_keys} leaves it running.")
    argv = [
        *session.compose.argv("--project-name", name, "--env-file", "/dev/null"),
        "attach",
        "--index",
        str(arguments.index),
        "--detach-keys",
        arguments.detach_keys,
        "--sig-proxy=false",
        wanted,
    ]
    code = _run(session, argv)
    # The docker client ends with 1 after the detach keys too: then the container goes on.
    return ExitCode.GOOD if code != 0 and _runs(session, name, wanted, arguments.index) else code


def _runs(session: Session, name: EnvironmentName, service: str, index: int) -> bool:
    containers = asyncio.run(observe_once(session.client, name))
    return any(
        c.service == service and c.number == index and c.state == "running" for c in containers
    )
