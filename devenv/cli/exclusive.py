"""Lets one devenv at a time change an environment's containers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from devenv.cli.session import Session
from devenv.compose.names import EnvironmentName
from devenv.host import paths
from devenv.host.operation_lock import Holder, hold_lock, resolve_lock_file

HOLDS = "DEVENV_HOLDS"
"""Set for a hook: the environment that is held for the operation which it is a part of."""
_DOING = {
    "up": "starting",
    "start": "starting",
    "stop": "stopping",
    "restart": "restarting",
    "down": "removing",
    "recreate": "recreating a service of",
    "snapshot": "copying the volumes of",
}


def hold_environment(
    session: Session, name: EnvironmentName, verb: str, on_wait: Callable[[str], Awaitable[None]]
) -> AbstractAsyncContextManager[None]:
    """Hold the environment for an operation; `on_wait` gets the words for who has to wait."""

    if session.environ.get(HOLDS) == name:
        return nullcontext()  # a hook of the operation that holds it

    async def tell(holder: Holder) -> None:
        await on_wait(holder.describe())

    directory = paths.state_directory(session.environ)
    file = resolve_lock_file(directory, name, session.endpoint.url)
    return hold_lock(file, _DOING.get(verb, "changing"), tell)
