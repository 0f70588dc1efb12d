"""What a container is to a sync: where it can be written, by what means, and whose the files are.

Measured, Engine 20.10: the archive API writes into volumes too, but below a tmpfs it writes what
the container never sees; it refuses a read-only root filesystem and read-only mounts.
"""

from __future__ import annotations

import io
import posixpath
import tarfile
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from devenv.engine.api import ApiError, EngineClient
from devenv.engine.sync_tar import Owner
from devenv.values import dataclass


class Ground(StrEnum):
    """What lies under a path of a container."""

    IMAGE = "image"
    VOLUME = "volume"
    BIND = "bind mount"
    TMPFS = "tmpfs"


@dataclass(frozen=True, slots=True)
class Place:
    """A container as `inspect` showed it."""

    container_id: str
    is_running: bool
    is_paused: bool
    started_at: str
    user: str
    is_read_only: bool
    mounts: Mapping[str, tuple[Ground, bool]]
    """Path -> what is mounted there, and whether it can be written."""

    @property
    def run(self) -> tuple[bool, str]:
        """What differs after a stop or a start."""
        return self.is_running, self.started_at

    def ground(self, target: str) -> tuple[Ground, bool]:
        """What a path lies on, and whether that can be written."""
        path = target
        while path != "/":
            if path in self.mounts:
                return self.mounts[path]
            path = posixpath.dirname(path)
        return Ground.IMAGE, not self.is_read_only


def parse_place(found: Mapping[str, Any]) -> Place:
    """From the answer to an inspect."""
    state, host = found.get("State") or {}, found.get("HostConfig") or {}
    mounts: dict[str, tuple[Ground, bool]] = {}
    for path, options in (host.get("Tmpfs") or {}).items():
        mounts[posixpath.normpath(path)] = (Ground.TMPFS, "ro" not in str(options).split(","))
    for mount in found.get("Mounts") or ():
        kinds = {"volume": Ground.VOLUME, "tmpfs": Ground.TMPFS}
        ground = kinds.get(str(mount.get("Type")), Ground.BIND)
        path = posixpath.normpath(str(mount.get("Destination")))
        mounts[path] = (ground, bool(mount.get("RW", True)))
    return Place(
        container_id=str(found["Id"]),
        is_running=bool(state.get("Running")),
        is_paused=bool(state.get("Paused")),
        started_at=str(state.get("StartedAt", "")),
        user=str((found.get("Config") or {}).get("User") or ""),
        is_read_only=bool(host.get("ReadonlyRootfs")),
        mounts=mounts,
    )


async def find_owner(client: EngineClient, place: Place) -> Owner:
    """The numbers of the container's USER, names looked up in its own /etc/passwd and /etc/group.

    Root for a user that is not there: the container could not have started with it.
    """
    user, _, group = place.user.partition(":")
    if not user:
        return Owner()
    passwd = "" if user.isdigit() and group.isdigit() else await _read(client, place, "passwd")
    groups = await _read(client, place, "group") if group and not group.isdigit() else ""
    return resolve_owner(place.user, passwd, groups)


def resolve_owner(user: str, passwd: str, groups: str) -> Owner:
    """The numbers of `user[:group]`. Spec: Dockerfile reference, USER: without a group its own."""
    name, _, group = user.partition(":")
    uid, gid = (int(name), 0) if name.isdigit() else (0, 0)
    for fields in (line.split(":") for line in passwd.splitlines()):
        if len(fields) > 3 and fields[2].isdigit() and name in (fields[0], fields[2]):
            uid, gid = int(fields[2]), int(fields[3] or 0)
            break
    if group.isdigit():
        gid = int(group)
    elif group:
        for fields in (line.split(":") for line in groups.splitlines()):
            if len(fields) > 2 and fields[0] == group and fields[2].isdigit():
                gid = int(fields[2])
                break
    return Owner(uid, gid)


async def _read(client: EngineClient, place: Place, name: str) -> str:
    path = f"/containers/{quote(place.container_id, safe='')}/archive"
    try:
        answer = await client.request("GET", path, {"path": f"/etc/{name}"})
    except ApiError as error:
        if error.status == 404:
            return ""
        raise
    with tarfile.open(fileobj=io.BytesIO(answer.body)) as tar:
        files = (tar.extractfile(member) for member in tar if member.isreg())
        return next((file.read().decode(errors="replace") for file in files if file), "")


async def find_missing(
    client: EngineClient, place: Place, folders: Iterable[str]
) -> tuple[str, ...]:
    """Which directories are not there, each before those in it; parents of missing ones too."""
    path = f"/containers/{quote(place.container_id, safe='')}/archive"
    known: dict[str, bool] = {"/": True}

    async def is_there(folder: str) -> bool:
        if folder not in known:
            try:
                await client.request("HEAD", path, {"path": folder})
                known[folder] = True
            except ApiError as error:
                if error.status != 404:
                    raise
                known[folder] = False
                await is_there(posixpath.dirname(folder))
        return known[folder]

    for folder in sorted(set(folders), reverse=True):
        await is_there(folder)
    return tuple(sorted(folder for folder, there in known.items() if not there))
