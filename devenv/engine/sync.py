"""Changed files into running containers, without a build. The interface for the watch:

    syncer = Syncer(client)                 # one for each engine: it remembers what containers are
    changes = [Change("/home/me/shop/src/app.py", "/app/src/app.py"), …]
    results = await syncer.sync(ids, changes, after=After.RESTART)

- A `Change` names a path of the disk and its place in the container. What the disk holds at that
  moment decides: a file, a symbolic link or a directory (itself, not what is in it: name each
  path) is written with its mode, one that is not there is deleted with all below it.
- Every replica is a container of its own, with a `SyncResult` of its own; none of them raises for
  a container that is gone, stopped or read-only: `outcome` and `why` say so. EngineUnavailable is
  raised when the engine itself does not answer.
- `Outcome.REBUILD` means that a sync cannot do it (read-only root filesystem or mount, no `rm`
  for a deletion, a whole mount to delete): build the image and recreate. Nothing was written then.
- Files get the numbers of the container's USER. They are uploaded beside their place as
  `.NAME.TOKEN~`, a name that reloaders pass over (many files of one directory in a directory
  `.TOKEN~`), and renamed by one `sh` with `mv` in the
  container, as root: a reader sees the old file or the new one. Where the container has no
  `sh` and `mv`, they are written in place, and `is_atomic` is false: a reader may see half a file.
- A path below a bind mount is left alone (the container has it already): `live` lists it. Into a
  volume it is written, below a tmpfs only where there is `mv`, else the outcome is REBUILD.
- A container that restarts meanwhile gets everything again (a tmpfs loses it). A stopped one gets
  it in place, and starts with it. One that is recreated has a new id: sync that one.
- The image is stale afterwards: recreating the container brings its bytes back.

What to sync and when is the planner's and the watch's to say. Measured on Engine 20.10: see
`benchmarks/sync.py`.
"""

from __future__ import annotations

import asyncio
import posixpath
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from devenv.engine.api import ApiError, EngineClient
from devenv.engine.exec_api import run_in_container
from devenv.engine.sync_place import Place, parse_place
from devenv.engine.sync_values import After, Change, Hook, Outcome, SyncResult
from devenv.engine.sync_write import UPLOAD_SECONDS, Attempt, Known
from devenv.errors import EngineUnavailable
from devenv.values import replace

__all__ = [
    "After",
    "Change",
    "Hook",
    "Outcome",
    "SyncResult",
    "Syncer",
    "find_unwritable",
    "sync_containers",
]

ATTEMPTS = 4
"""How often a container that restarts in the middle is begun with again."""
RETRY_SECONDS = 0.25
RESTART_SECONDS = 20.0
"""How long a container that stopped in the middle is waited for: then it is written as it is."""
_WRITABLE = 'for one; do [ -w "$one" ] || printf "%s\\n" "$one"; done'


class Syncer:
    """Syncs to the containers of one engine, and remembers what each of them is."""

    def __init__(self, client: EngineClient) -> None:
        self._client = client
        self._known = Known()

    async def sync(
        self,
        container_ids: Sequence[str],
        changes: Iterable[Change],
        *,
        after: After = After.NOTHING,
        hook: Hook | None = None,
        stop_seconds: int | None = None,
    ) -> list[SyncResult]:
        """Sync every replica at once; results in the order of the ids.

        `stop_seconds` is how long a restart waits for the container to stop, None for its own
        time. Raises ValueError for a path that is not absolute, EngineUnavailable.
        """
        wanted = {}
        for one in changes:
            target = posixpath.normpath(one.target)
            if (
                not target.startswith("/")
                or not one.source.startswith("/")
                or not target.strip("/")
            ):
                raise ValueError(f"not an absolute path below /: {one.source} -> {one.target}")
            wanted["/" + target.lstrip("/")] = one.source
        follow = _Follow(self._client, after, hook, stop_seconds)
        return list(
            await asyncio.gather(*(self._one(id_, wanted, follow) for id_ in container_ids))
        )

    async def _one(
        self, container_id: str, wanted: Mapping[str, str], follow: _Follow
    ) -> SyncResult:
        started = time.monotonic()
        try:
            result = await self._attempts(container_id, wanted)
            if result.written or result.deleted:
                result = await follow.run(result)
        except (ApiError, EngineUnavailable) as error:
            result = await self._judge(container_id, error)
        return replace(result, seconds=time.monotonic() - started)

    async def _judge(self, container_id: str, error: ApiError | EngineUnavailable) -> SyncResult:
        """What an error means. An engine closes the connection on an upload to what it just
        removed, so it is asked whether it, and the container, are still there."""
        try:
            await self._client.inspect(container_id)
        except ApiError as now:
            if now.status == 404:
                return SyncResult(container_id, Outcome.GONE, "the container is gone")
        why = error.engine_message if isinstance(error, ApiError) else error.message
        return SyncResult(container_id, Outcome.FAILED, why)

    async def _attempts(self, container_id: str, wanted: Mapping[str, str]) -> SyncResult:
        """Sync until the container was the same run from the first call to the last."""
        token = secrets.token_hex(4)
        place = parse_place(await self._client.inspect(container_id))
        for left in reversed(range(ATTEMPTS)):
            failure: ApiError | None = None
            result = SyncResult(container_id, Outcome.FAILED)
            try:
                result = await Attempt(self._client, place, token, self._known).run(wanted)
            except ApiError as error:
                failure = error
            if failure is not None and left:
                await asyncio.sleep(RETRY_SECONDS)  # one that just stops still says that it runs
            now = await self._settle(container_id, wait=place.is_running)
            if failure is not None and not left:
                raise failure
            if failure is None and (now.run == place.run or not left):
                return result
            place = now
        raise AssertionError("the last attempt returns")

    async def _settle(self, container_id: str, *, wait: bool) -> Place:
        """The container as it is; one that stops just now as it is once it runs again."""
        until = time.monotonic() + RESTART_SECONDS
        while True:
            place = parse_place(await self._client.inspect(container_id))
            if place.is_running or not wait or time.monotonic() > until:
                return place
            await asyncio.sleep(0.1)


async def sync_containers(
    client: EngineClient,
    container_ids: Sequence[str],
    changes: Iterable[Change],
    *,
    after: After = After.NOTHING,
    hook: Hook | None = None,
    stop_seconds: int | None = None,
) -> list[SyncResult]:
    """One sync by itself: as `Syncer.sync`."""
    syncer = Syncer(client)
    return await syncer.sync(
        container_ids, changes, after=after, hook=hook, stop_seconds=stop_seconds
    )


async def find_unwritable(
    client: EngineClient, container_id: str, folders: Iterable[str]
) -> tuple[str, ...]:
    """Directories that the container's own user cannot write to, so that its program could not
    change what is synced there; empty where the container has no shell to ask.

    Whose line that is, `resolve_metadata(…).user_line` of the Dockerfile tells. Raises ApiError.
    """
    asked = sorted(set(folders))
    if not asked:
        return ()
    done = await run_in_container(client, container_id, ("sh", "-c", _WRITABLE, "sh", *asked))
    return tuple(one for one in done.output.splitlines() if one in asked)


class _Follow:
    """What comes after a sync."""

    def __init__(
        self, client: EngineClient, after: After, hook: Hook | None, stop_seconds: int | None
    ) -> None:
        self._client = client
        self._after = after
        self._hook = hook
        self._stop_seconds = stop_seconds

    async def run(self, result: SyncResult) -> SyncResult:
        """Restart, or run the command; raises ApiError."""
        hook = self._hook
        if self._after is After.RESTART:
            path = f"/containers/{quote(result.container_id, safe='')}/restart"
            query = {"t": self._stop_seconds}
            await self._client.request("POST", path, query, timeout_seconds=UPLOAD_SECONDS)
        if self._after is After.EXEC and hook is not None:
            done = await run_in_container(
                self._client,
                result.container_id,
                hook.command,
                user=hook.user,
                working_directory=hook.working_directory,
                environment=hook.environment,
                privileged=hook.privileged,
                timeout_seconds=UPLOAD_SECONDS,
            )
            return replace(result, after=done)
        return result
