"""Volumes read, written, made and removed through the Engine API, without a helper image.

A *vessel* is a container of one of the project's own images that is created and never started,
with the volume below `/volume`: the archive API reads and writes through it. Its labels say whose
it is, so that what a killed devenv has left is found on the engine itself (`volume_work`).

What the archive API keeps: owners, modes, links, hard links, fifos, devices, file capabilities,
names of any bytes, times to the second. What it does not: other extended attributes and ACLs,
holes in sparse files (they come back as zeros), sockets. (Engine 20.10, measured.)
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from devenv.engine.api import ApiError, EngineClient
from devenv.engine.containers import LABEL_PROJECT, LABEL_SERVICE
from devenv.errors import DevenvError, ExitCode

MOUNT = "/volume"
LABEL_VOLUME = "com.docker.compose.volume"


class VolumeError(DevenvError):
    """A volume cannot be copied, or not now."""

    exit_code = ExitCode.FAILED


async def make_vessel(
    client: EngineClient,
    image: str,
    labels: Mapping[str, str],
    volume: str | None = None,
    *,
    command: Sequence[str] = ("true",),
    reads: bool = False,
    target: str = MOUNT,
) -> str:
    """Create a container of `image` that holds `volume` at `target`, and is not started; its id.

    `reads`: it has an input, which ends with the first connection that was attached to it.

    The image's own files are not copied into an empty volume. Raises ApiError: 404 where the
    image is gone.
    """
    mount = {"Type": "volume", "Source": volume, "Target": target}
    mounts = [{**mount, "VolumeOptions": {"NoCopy": True}}] if volume else []
    body = {
        "Image": image,
        "Entrypoint": list(command),
        "Cmd": [],
        "User": "0",
        "WorkingDir": "/",
        "OpenStdin": reads,
        "StdinOnce": reads,
        "Healthcheck": {"Test": ["NONE"]},
        # An image that Compose has built carries its labels: this is no container of a service.
        "Labels": {LABEL_PROJECT: "", LABEL_SERVICE: "", **labels},
        "HostConfig": {"NetworkMode": "none", "Mounts": mounts},
    }
    making = asyncio.create_task(client.request("POST", "/containers/create", None, body))
    try:
        made = await asyncio.shield(making)
    except asyncio.CancelledError:
        # The engine goes on with what it was asked for: nobody would know of the container.
        with contextlib.suppress(DevenvError):
            await remove_vessel(client, str((await making).json()["Id"]))
        raise
    return str(made.json()["Id"])


async def remove_vessel(client: EngineClient, container_id: str) -> None:
    """Remove it with the anonymous volumes of its image; one that is gone already is fine."""
    try:
        await client.request(
            "DELETE", f"/containers/{quote(container_id, safe='')}", {"v": True, "force": True}
        )
    except ApiError as error:
        if error.status not in (404, 409):  # 409: somebody removes it at this moment
            raise


async def read_volume(
    client: EngineClient, vessel_id: str, place: str = MOUNT
) -> AsyncGenerator[bytes, None]:
    """The volume, or a directory in it, as a tar stream below a directory of its own."""
    path = f"/containers/{quote(vessel_id, safe='')}/archive"
    async with contextlib.aclosing(client.open_stream(path, {"path": place})) as chunks:
        async for chunk in chunks:
            yield chunk


async def write_volume(
    client: EngineClient, vessel_id: str, tar: AsyncIterable[bytes], into: str = "/"
) -> None:
    """Extract what `read_volume` gave; the root directory's owner and mode too.

    Without `copyUIDGID`, which would give all files to the container's user.
    """
    path = f"/containers/{quote(vessel_id, safe='')}/archive"
    await client.upload(path, {"path": into}, tar)


async def make_volume(
    client: EngineClient,
    name: str,
    labels: Mapping[str, str],
    driver_opts: Mapping[str, str] | None = None,
) -> None:
    """Make a volume of the local driver; one that is there already stays as it is."""
    body = {"Name": name, "Driver": "local", "Labels": dict(labels)}
    if driver_opts:
        body["DriverOpts"] = dict(driver_opts)
    await client.request("POST", "/volumes/create", None, body)


async def remove_volume(client: EngineClient, name: str) -> None:
    """Remove it; one that is gone already is fine. Raises ApiError 409 where it is in use."""
    try:
        await client.request("DELETE", f"/volumes/{quote(name, safe='')}")
    except ApiError as error:
        if error.status != 404:
            raise


async def list_volumes(client: EngineClient, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """The volumes that have all these labels."""
    filters = {"label": [f"{key}={value}" for key, value in labels.items()]}
    found = await client.get_json("/volumes", filters=filters)
    return list((found or {}).get("Volumes") or [])


async def list_users(client: EngineClient, volume: str) -> list[dict[str, Any]]:
    """The rows of all containers, stopped ones too, that have the volume."""
    filters = {"volume": [volume]}
    rows = await client.get_json("/containers/json", all=True, filters=filters)
    # The engine's filter takes paths within containers too.
    return [
        row
        for row in rows or []
        if any(mount.get("Name") == volume for mount in row.get("Mounts") or [])
    ]
