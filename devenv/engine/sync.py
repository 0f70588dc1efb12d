"""Changed files into running containers, without a build. The interface for the watch:

    changes = [Change("/home/me/shop/src/app.py", "/app/src/app.py"), …]
    results = await sync_containers(client, ids, changes, after=After.RESTART)

- A `Change` names a path of the disk and its place in the container. What the disk holds at that
  moment decides: a file, a symbolic link or a directory (itself, not what is in it: name each
  path) is written with its mode, one that is not there is deleted with all below it.
- Every replica is a container of its own, with a `SyncResult` of its own; none of them raises for
  a container that is gone, stopped or read-only: `outcome` and `why` say so. EngineUnavailable is
  raised when the engine itself does not answer.
- `Outcome.REBUILD` means that a sync cannot do it (read-only root filesystem or mount, no `rm`
  for a deletion, a whole mount to delete): build the image and recreate. Nothing was written then.
- Files get the numbers of the container's USER. They are uploaded beside their place as
  `.NAME.TOKEN~`, a name that reloaders pass over, and renamed by one `sh` with `mv` in the
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
import tarfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from urllib.parse import quote

from devenv.engine.api import ApiError, EngineClient
from devenv.engine.exec_api import NOT_FOUND, ExecResult, run_in_container
from devenv.engine.sync_place import Ground, Place, find_missing, find_owner, parse_place
from devenv.engine.sync_tar import DiskEntry, DiskState, divide, load_disk_state, write_tar
from devenv.errors import EngineUnavailable
from devenv.values import dataclass, field, replace

ATTEMPTS = 4
"""How often a container that restarts in the middle is begun with again."""
RESTART_SECONDS = 20.0
"""How long a container that stopped in the middle is waited for: then it is written as it is."""
UPLOAD_SECONDS = 300.0
_ARGUMENT_BYTES = 96 * 1024
"""How much of names goes to one `sh`: below the 128 KiB that every Linux takes."""
_RENAME = (
    'while [ $# -gt 1 ]; do if [ -d "$2" ]; then if [ -L "$2" ]; then rm -f -- "$2"; '
    'else rm -rf -- "$2"; fi; fi || exit 1; mv -f -- "$1" "$2" || exit 1; shift 2; done'
)
_RENAME_ACROSS = (
    'while [ $# -gt 2 ]; do mkdir -p -- "${3%/*}/" && mv -f -- "$1" "$2" && mv -f -- "$2" "$3" '
    "|| exit 1; shift 3; done"
)
"""From another file system: first beside the place, then into it."""
_PROBE = "command -v mv >/dev/null && command -v rm >/dev/null && echo yes || echo no"
_WRITABLE = 'for one; do [ -w "$one" ] || printf "%s\\n" "$one"; done'


@dataclass(frozen=True, slots=True)
class Change:
    """A path of the disk, and where it is in the container; both absolute."""

    source: str
    target: str


class After(StrEnum):
    """What follows a sync. Spec: compose-spec develop.md, action."""

    NOTHING = "sync"
    RESTART = "sync+restart"
    EXEC = "sync+exec"


@dataclass(frozen=True, slots=True)
class Hook:
    """The command of `sync+exec`. Spec: compose-spec develop.md, exec."""

    command: tuple[str, ...]
    user: str | None = None
    working_directory: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    privileged: bool = False


class Outcome(StrEnum):
    """How a sync ended."""

    SYNCED = "synced"
    REBUILD = "rebuild"
    GONE = "gone"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What one container got."""

    container_id: str
    outcome: Outcome
    why: str = ""
    """Why it is not SYNCED, or what there is to know about it."""
    written: tuple[str, ...] = ()
    """Targets, sorted; directories among them."""
    deleted: tuple[str, ...] = ()
    live: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    """Sockets, pipes, devices and what cannot be read."""
    content_bytes: int = 0
    seconds: float = 0.0
    """From the call to the end of what follows."""
    is_atomic: bool = True
    after: ExecResult | None = None
    """How the command of `sync+exec` ended; its failure leaves the outcome SYNCED."""


async def sync_containers(
    client: EngineClient,
    container_ids: Sequence[str],
    changes: Iterable[Change],
    *,
    after: After = After.NOTHING,
    hook: Hook | None = None,
    stop_seconds: int | None = None,
) -> list[SyncResult]:
    """Sync every replica at once; results in the order of the ids.

    `stop_seconds` is how long a restart waits for the container to stop, None for its own time.
    Raises ValueError for a path that is not absolute, EngineUnavailable.
    """
    wanted = {}
    for one in changes:
        target = posixpath.normpath(one.target)
        if not target.startswith("/") or not one.source.startswith("/") or target.strip("/") == "":
            raise ValueError(f"not an absolute path below /: {one.source} -> {one.target}")
        wanted["/" + target.lstrip("/")] = one.source
    return list(
        await asyncio.gather(
            *(_sync_one(client, one, wanted, after, hook, stop_seconds) for one in container_ids)
        )
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


async def _sync_one(
    client: EngineClient,
    container_id: str,
    wanted: Mapping[str, str],
    after: After,
    hook: Hook | None,
    stop_seconds: int | None,
) -> SyncResult:
    started = time.monotonic()
    try:
        result = await _attempts(client, container_id, wanted)
        if result.outcome is Outcome.SYNCED:
            result = await _follow(client, result, after, hook, stop_seconds)
    except (ApiError, EngineUnavailable) as error:
        result = await _judge(client, container_id, error)
    return replace(result, seconds=time.monotonic() - started)


async def _judge(
    client: EngineClient, container_id: str, error: ApiError | EngineUnavailable
) -> SyncResult:
    """What an error means. An engine closes the connection on an upload to what it just removed,
    so it is asked whether it, and the container, are still there. Raises EngineUnavailable."""
    try:
        await client.inspect(container_id)
    except ApiError as now:
        if now.status == 404:
            return SyncResult(container_id, Outcome.GONE, "the container is gone")
    why = error.engine_message if isinstance(error, ApiError) else error.message
    return SyncResult(container_id, Outcome.FAILED, why)


async def _attempts(
    client: EngineClient, container_id: str, wanted: Mapping[str, str]
) -> SyncResult:
    """Sync until the container was the same run from the first call to the last."""
    token = secrets.token_hex(4)
    place = parse_place(await client.inspect(container_id))
    for left in reversed(range(ATTEMPTS)):
        failure: ApiError | None = None
        result = SyncResult(container_id, Outcome.FAILED)
        try:
            result = await _Sync(client, place, token).run(wanted)
        except ApiError as error:
            failure = error
        now = await _find_running(client, container_id, wait=place.is_running)
        if now.run == place.run or not left:
            if failure is not None:
                raise failure
            return result
        place = now
    raise AssertionError("the last attempt returns")


async def _find_running(client: EngineClient, container_id: str, *, wait: bool) -> Place:
    """The container as it is; one that stops just now as it is once it runs again."""
    until = time.monotonic() + RESTART_SECONDS
    while True:
        place = parse_place(await client.inspect(container_id))
        if place.is_running or not wait or time.monotonic() > until:
            return place
        await asyncio.sleep(0.1)


async def _follow(
    client: EngineClient,
    result: SyncResult,
    after: After,
    hook: Hook | None,
    stop_seconds: int | None,
) -> SyncResult:
    if not result.written and not result.deleted:
        return result
    if after is After.RESTART:
        path = f"/containers/{quote(result.container_id, safe='')}/restart"
        await client.request("POST", path, {"t": stop_seconds}, timeout_seconds=UPLOAD_SECONDS)
    if after is After.EXEC and hook is not None:
        done = await run_in_container(
            client,
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


class _Sync:
    """One attempt with one container."""

    def __init__(self, client: EngineClient, place: Place, token: str) -> None:
        self._client = client
        self._place = place
        self._token = token

    async def run(self, wanted: Mapping[str, str]) -> SyncResult:
        place = self._place
        grounds = {target: place.ground(target) for target in wanted}
        live = tuple(sorted(t for t, (ground, _) in grounds.items() if ground is Ground.BIND))
        state = await asyncio.to_thread(
            load_disk_state, {t: s for t, s in wanted.items() if t not in live}
        )
        result = SyncResult(place.container_id, Outcome.SYNCED, live=live, skipped=state.skipped)
        if not state.entries and not state.deleted:
            return result
        can_rename = place.is_running and not place.is_paused and await self._has_tools()
        why = self._refusal(state, grounds, can_rename)
        if why is not None:
            return replace(result, outcome=Outcome.REBUILD, why=why)
        return await self._write(state, grounds, can_rename, result)

    def _refusal(
        self, state: DiskState, grounds: Mapping[str, tuple[Ground, bool]], can_rename: bool
    ) -> str | None:
        """Why a rebuild is needed, or None."""
        for target in (*(one.target for one in state.entries), *state.deleted):
            ground, is_writable = grounds[target]
            if not is_writable:
                what = "root filesystem" if ground is Ground.IMAGE else str(ground)
                return f"{target} is on a read-only {what}"
            if ground is Ground.TMPFS and not self._place.is_running:
                return f"{target} is on a tmpfs, which is there only while the container runs"
            if ground is Ground.TMPFS and self._place.is_read_only:
                return f"{target} is on a tmpfs of a container whose root filesystem is read-only"
            if ground is Ground.TMPFS and not can_rename:
                return f"{target} is on a tmpfs, and the container has no sh and mv to reach it"
        mounts = [one for one in state.deleted if one in self._place.mounts]
        if mounts:
            return f"{mounts[0]} is a mount, which cannot be deleted"
        if state.deleted and not can_rename:
            return f"{state.deleted[0]} is to be deleted, and no rm can run in the container"
        return None

    async def _has_tools(self) -> bool:
        probe = ("sh", "-c", _PROBE)
        try:
            done = await run_in_container(self._client, self._place.container_id, probe, user="0")
        except ApiError as error:
            # Engines answer a missing program with 400 or 404 and the words of runc.
            if "executable file not found" in error.engine_message or error.status == 400:
                return False
            raise
        if done.exit_code in NOT_FOUND or "executable file not found" in done.output:
            return False
        if done.output.strip() not in ("yes", "no"):
            raise ApiError("POST", "/exec", 409, "the container stopped")
        return done.output.strip() == "yes"

    async def _write(
        self,
        state: DiskState,
        grounds: Mapping[str, tuple[Ground, bool]],
        can_rename: bool,
        result: SyncResult,
    ) -> SyncResult:
        owner = await find_owner(self._client, self._place)
        if state.deleted:
            await self._shell('rm -rf -- "$@"', [(one,) for one in state.deleted])
        near = [one for one in state.entries if grounds[one.target][0] is not Ground.TMPFS]
        far = [one for one in state.entries if grounds[one.target][0] is Ground.TMPFS]
        made = {one.target for one in near if one.kind == tarfile.DIRTYPE}
        above = {posixpath.dirname(one.target) for one in near} - made
        missing = await find_missing(self._client, self._place, above)
        vanished: set[str] = set()
        content = 0
        for base, lot in self._lots(near):
            names = {
                one.target: self._beside(one.target)
                if can_rename and one.kind != tarfile.DIRTYPE
                else one.target
                for one in lot
            }
            folders = [one for one in missing if self._base(one) == base]
            missing = tuple(one for one in missing if one not in folders)
            tar = await asyncio.to_thread(write_tar, lot, names, owner, folders, base)
            await self._upload(tar.body, base)
            vanished |= set(tar.vanished)
            content += tar.content_bytes
            if can_rename:
                moved = [one.target for one in tar.held if one.kind != tarfile.DIRTYPE]
                await self._shell(_RENAME, [(names[one], one) for one in moved])
        for lot in divide(far):
            names = {one.target: f"/{self._token}-{index}~" for index, one in enumerate(lot)}
            tar = await asyncio.to_thread(write_tar, lot, names, owner)
            await self._upload(tar.body, "/")
            vanished |= set(tar.vanished)
            content += tar.content_bytes
            held = [one.target for one in tar.held]
            await self._shell(
                _RENAME_ACROSS, [(names[one], self._beside(one), one) for one in held]
            )
        written = {one.target for one in state.entries} - vanished
        why = (
            ""
            if can_rename or not self._place.is_running
            else ("written in place: the container has no sh and mv to rename with")
        )
        return replace(
            result,
            why=why,
            written=tuple(sorted(written)),
            deleted=state.deleted,
            skipped=tuple(sorted({*result.skipped, *vanished})),
            content_bytes=content,
            is_atomic=can_rename or not self._place.is_running,
        )

    def _beside(self, target: str) -> str:
        folder, name = posixpath.split(target)
        return posixpath.join(folder, f".{name[:200]}.{self._token}~")

    def _base(self, target: str) -> str:
        """Where an upload goes: the volume, which may be writable below what is not, or `/`."""
        path = target
        while path != "/" and path not in self._place.mounts:
            path = posixpath.dirname(path)
        return path

    def _lots(self, entries: Sequence[DiskEntry]) -> Iterator[tuple[str, list[DiskEntry]]]:
        for base in sorted({self._base(one.target) for one in entries}):
            for lot in divide(one for one in entries if self._base(one.target) == base):
                yield base, lot

    async def _upload(self, body: bytes, base: str) -> None:
        path = f"/containers/{quote(self._place.container_id, safe='')}/archive"
        await self._client.request(
            "PUT",
            path,
            {"path": base},
            body,
            content_type="application/x-tar",
            timeout_seconds=UPLOAD_SECONDS,
        )

    async def _shell(self, script: str, groups: Sequence[Sequence[str]]) -> None:
        """Run a script with the groups as its arguments, in as few calls as they fit into."""
        pending: list[str] = []
        size = 0
        for group in (*groups, None):
            length = sum(len(one.encode(errors="surrogateescape")) + 1 for one in group or ())
            if pending and (group is None or size + length > _ARGUMENT_BYTES):
                argv = ("sh", "-c", script, "sh", *pending)
                done = await run_in_container(
                    self._client, self._place.container_id, argv, user="0"
                )
                if done.exit_code in NOT_FOUND or done.exit_code != 0:
                    said = done.output.strip() or f"exit code {done.exit_code}"
                    raise ApiError("POST", "/exec", 500, f"in the container: {said}")
                pending, size = [], 0
            pending += group or ()
            size += length
