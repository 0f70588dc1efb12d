"""One attempt to write changes into one container: decide, upload, rename.

Raises ApiError with the engine's status where the container stops or goes meanwhile; what that
means is for `sync.py` to say.
"""

from __future__ import annotations

import asyncio
import posixpath
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from urllib.parse import quote

from devenv.engine.api import ApiError, EngineClient
from devenv.engine.exec_api import ExecResult, run_in_container
from devenv.engine.sync_place import Ground, Place, find_missing, find_owner
from devenv.engine.sync_tar import DiskEntry, DiskState, Owner, divide, load_disk_state, write_tar
from devenv.engine.sync_values import Outcome, SyncResult
from devenv.values import replace

UPLOAD_SECONDS = 300.0
_KNOWN_CONTAINERS = 1000
_ARGUMENT_BYTES = 96 * 1024
"""How much of names goes to one `sh`: below the 128 KiB that every Linux takes."""
_RENAME = (
    'while [ $# -gt 1 ]; do if [ -d "$2" ]; then if [ -L "$2" ]; then rm -f -- "$2"; '
    'else rm -rf -- "$2"; fi; fi || exit 1; mv -f -- "$1" "$2" || exit 1; shift 2; done'
)
_MOVE = """move() {
  stage=$1 folder=${1%/*}
  set --
  for new in "$stage"/* "$stage"/.*; do
    name=${new##*/}
    case $name in .|..) continue ;; esac
    [ -e "$new" ] || [ -L "$new" ] || continue
    old=$folder/$name
    if [ -L "$old" ] && [ -d "$old" ]; then rm -f -- "$old"
    elif [ -d "$old" ]; then rm -rf -- "$old"; fi
    set -- "$@" "$new"
    [ $# -lt 50 ] || { mv -f -- "$@" "$folder/" || return 1; set --; }
  done
  [ $# = 0 ] || mv -f -- "$@" "$folder/" || return 1
  rmdir -- "$stage"
}
for one; do move "$one" || exit 1; done"""
"""All of a directory beside into the one above it, 50 by one `mv`: each file by a rename."""
_MOVE_FROM = 12
"""From how many files in one directory on `_MOVE` is quicker than one `mv` for each."""
_RENAME_ACROSS = (
    'while [ $# -gt 2 ]; do mkdir -p -- "${3%/*}/" && mv -f -- "$1" "$2" && mv -f -- "$2" "$3" '
    "|| exit 1; shift 3; done"
)
"""From another file system: first beside the place, then into it."""
_PROBE = (
    "{ command -v mv && command -v rm; } >/dev/null || { echo none; exit; }\n"
    "{ command -v tar && command -v head; } >/dev/null && echo tar || echo mv"
)
_NO_TAR = 119
_STREAM_BYTES = 8 * 1024 * 1024


class Tools(StrEnum):
    """What of use a container has."""

    NONE = "none"
    MV = "mv"
    """`sh`, `mv` and `rm`."""
    TAR = "tar"
    """These, `head` and `tar`."""


class Known:
    """What holds as long as a container is the same: asked once. Bounded."""

    def __init__(self) -> None:
        self.tools: dict[str, Tools] = {}
        """Container id -> what it has."""
        self.owners: dict[str, Owner] = {}

    def trim(self) -> None:
        """Forget all where it is a lot."""
        if len(self.tools) + len(self.owners) > _KNOWN_CONTAINERS:
            self.tools.clear()
            self.owners.clear()


class Attempt:
    """One attempt with one container."""

    def __init__(self, client: EngineClient, place: Place, token: str, known: Known) -> None:
        self._known = known
        self._client = client
        self._place = place
        self._token = token

    async def run(self, wanted: Mapping[str, str]) -> SyncResult:
        """Write them. What a new container has of tools is not asked but tried first."""
        key = self._place.container_id
        known = key in self._known.tools
        if not known:
            self._known.trim()
            self._known.tools[key] = Tools.TAR
        try:
            return await self._write_all(wanted)
        except ApiError:
            if known:
                raise
            self._known.tools.pop(key, None)
            tools = await self._probe_tools()
            if tools is Tools.TAR:
                raise
            self._known.tools[key] = tools
            return await self._write_all(wanted)

    async def _write_all(self, wanted: Mapping[str, str]) -> SyncResult:
        place = self._place
        grounds = {target: place.ground(target) for target in wanted}
        live = tuple(sorted(t for t, (ground, _) in grounds.items() if ground is Ground.BIND))
        state = await asyncio.to_thread(
            load_disk_state, {t: s for t, s in wanted.items() if t not in live}
        )
        result = SyncResult(place.container_id, Outcome.SYNCED, live=live, skipped=state.skipped)
        if not state.entries and not state.deleted:
            return result
        can_rename = place.is_running and not place.is_paused and self._tools is not Tools.NONE
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

    @property
    def _tools(self) -> Tools:
        return self._known.tools[self._place.container_id]

    async def _find_owner(self) -> Owner:
        key = self._place.container_id
        if key not in self._known.owners:
            self._known.owners[key] = await find_owner(self._client, self._place)
        return self._known.owners[key]

    async def _probe_tools(self) -> Tools:
        probe = ("sh", "-c", _PROBE)
        try:
            done = await run_in_container(self._client, self._place.container_id, probe, user="0")
        except ApiError as error:
            # Engines answer a missing program with 400 or 404 and the words of runc.
            if "executable file not found" in error.engine_message:
                return Tools.NONE
            raise
        if "executable file not found" in done.output or "no such file" in done.output:
            return Tools.NONE
        try:
            return Tools(done.output.strip())
        except ValueError:
            raise ApiError("POST", "/exec", 409, "the container stopped") from None

    async def _write(
        self,
        state: DiskState,
        grounds: Mapping[str, tuple[Ground, bool]],
        can_rename: bool,
        result: SyncResult,
    ) -> SyncResult:
        owner = await self._find_owner()
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
            names = self._names(lot) if can_rename else {one.target: one.target for one in lot}
            folders = [one for one in missing if self._base(one) == base]
            missing = tuple(one for one in missing if one not in folders)
            plain = can_rename and self._tools is Tools.TAR
            tar = await asyncio.to_thread(write_tar, lot, names, owner, folders, base, plain=plain)
            vanished |= set(tar.vanished)
            content += tar.content_bytes
            moves = {one.target: names[one.target] for one in tar.held}
            moves = {target: name for target, name in moves.items() if name != target}
            staged = {posixpath.dirname(name) for name in moves.values()}
            whole = [(one,) for one in sorted(staged) if self._is_stage(one)]
            single = [(n, t) for t, n in moves.items() if not self._is_stage(posixpath.dirname(n))]
            scripts = [(_RENAME, words) for words in _fit(single)]
            scripts += [(_MOVE, words) for words in _fit(whole)]
            await self._bring(tar.body, base, scripts, plain)
        made_far = [(one.target,) for one in far if one.kind == tarfile.DIRTYPE]
        await self._shell('mkdir -p -- "$@"', made_far)
        for lot in divide(one for one in far if one.kind != tarfile.DIRTYPE):
            names = {one.target: f"/{self._token}-{index}~" for index, one in enumerate(lot)}
            tar = await asyncio.to_thread(write_tar, lot, names, owner)
            await self._upload(tar.body, "/")
            vanished |= set(tar.vanished)
            content += tar.content_bytes
            held = [one.target for one in tar.held]
            across = [(names[one], self._beside(one), one) for one in held]
            await self._shell(_RENAME_ACROSS, across)
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

    def _names(self, lot: Sequence[DiskEntry]) -> dict[str, str]:
        """Target -> where it is uploaded: directories in place, a few files of a directory beside
        it under names that reloaders pass over, many in a directory of their own."""
        files = [one.target for one in lot if one.kind != tarfile.DIRTYPE]
        counts = Counter(posixpath.dirname(one) for one in files)
        names = {one.target: one.target for one in lot}
        for target in files:
            folder, name = posixpath.split(target)
            is_many = counts[folder] >= _MOVE_FROM
            stage = posixpath.join(folder, self._stage)
            names[target] = posixpath.join(stage, name) if is_many else self._beside(target)
        return names

    @property
    def _stage(self) -> str:
        return f".{self._token}~"

    def _is_stage(self, folder: str) -> bool:
        return posixpath.basename(folder) == self._stage

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

    async def _bring(
        self, body: bytes, base: str, scripts: Sequence[tuple[str, Sequence[str]]], plain: bool
    ) -> None:
        """Upload, then run the scripts. Where the container has `tar`, one call does both.

        Measured: the archive API costs 40 ms and an exec 45 ms, one after the other, since the
        engine locks the container for each.
        """
        if plain and len(body) <= _STREAM_BYTES:
            script, words = scripts[0] if scripts else ("", ())
            unpack = f'head -c {len(body)} | tar -xpmf - -C "$0" || exit {_NO_TAR}\n'
            argv = ("sh", "-c", unpack + script, base, *words)
            id_ = self._place.container_id
            done = await run_in_container(self._client, id_, argv, user="0", stdin=body)
            if done.exit_code != _NO_TAR:
                _expect_success(done)
                scripts = scripts[1:]
            else:
                self._known.tools[id_] = Tools.MV
                await self._upload(body, base)
        else:
            await self._upload(body, base)
        for script, words in scripts:
            await self._run(script, words)

    async def _shell(self, script: str, groups: Sequence[Sequence[str]]) -> None:
        """Run a script with the groups as its arguments, in as few calls as they fit into."""
        for words in _fit(groups):
            await self._run(script, words)

    async def _run(self, script: str, words: Sequence[str]) -> None:
        argv = ("sh", "-c", script, "sh", *words)
        id_ = self._place.container_id
        _expect_success(await run_in_container(self._client, id_, argv, user="0"))


def _expect_success(done: ExecResult) -> None:
    """Raises ApiError."""
    if done.exit_code != 0:
        said = done.output.strip() or f"exit code {done.exit_code}"
        raise ApiError("POST", "/exec", 500, f"in the container: {said}")


def _fit(groups: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """The arguments of as few calls as they fit into, groups undivided."""
    pending: list[str] = []
    size = 0
    for group in groups:
        length = sum(len(one.encode(errors="surrogateescape")) + 1 for one in group)
        if pending and size + length > _ARGUMENT_BYTES:
            yield tuple(pending)
            pending, size = [], 0
        pending += group
        size += length
    if pending:
        yield tuple(pending)
