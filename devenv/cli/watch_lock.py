"""One devenv watches an environment: the lock that says so, with the process that holds it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from devenv.cli.session import Session
from devenv.errors import UsageError
from devenv.host import paths
from devenv.host.operation_lock import Holder, hold_lock, resolve_lock_file


@contextlib.asynccontextmanager
async def hold_watch(
    session: Session, name: str, on_wait: Callable[[Holder], Awaitable[None]] | None = None
) -> AsyncIterator[None]:
    """Be the one devenv that watches an environment.

    Where another one does, `on_wait` is told and it is waited for; without `on_wait` UsageError
    is raised.
    """

    async def refuse(holder: Holder) -> None:
        raise UsageError(
            f"Another devenv (pid {holder.pid}) watches {name} already.",
            fix="one watch is enough; end the other one first",
        )

    directory = paths.state_directory(session.environ)
    lock = resolve_lock_file(directory, f"{name}.watch", session.endpoint.url)
    async with hold_lock(lock, "watching", on_wait or refuse):
        yield
