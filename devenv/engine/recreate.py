"""Recreates a service's containers from a newer image, by the Engine API.

Compose's own `up` takes twice as long (docs/figures.md), and renews all anonymous volumes of a
service or none. What the containers are stays Compose's: the same labels, so that `docker
compose` sees its own containers, of the newest image. Where something is beyond what the API
alone can do right, `why_not` says so beforehand, and Compose must do it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from devenv.engine.api import ApiError, EngineClient
from devenv.engine.containers import LABEL_HASH, LABEL_ONEOFF, LABEL_SERVICE
from devenv.engine.recreate_request import CreateRequest, find_hindrance, make_request
from devenv.values import dataclass

CREATE_SECONDS = 120.0
REFUSAL_SECONDS = 0.02
"""Within this the engine has refused what it will not create: after that it works."""


@dataclass(frozen=True, slots=True)
class Recreated:
    """What was done."""

    container_ids: tuple[str, ...] = ()
    """Of the new containers; empty: all were of the newest image already."""
    why_not: str | None = None
    """Why nothing was done, and Compose must do it."""
    renewed: tuple[str, ...] = ()
    """The targets of the anonymous volumes that were filled anew, sorted."""
    stop_seconds: float = 0.0
    """The longest stop."""
    create_seconds: float = 0.0
    """All else."""


async def recreate_service(
    client: EngineClient,
    document: Mapping[str, Any],
    name: str,
    *,
    config_hash: str | None,
    stop_seconds: int,
    renew: Callable[[str], bool] = lambda _: False,
    always: bool = False,
) -> Recreated:
    """Replace the containers of a service that runs.

    `document` is the merged model, `config_hash` Compose's hash of the service in it; `renew`
    tells by its target whether an anonymous volume is to be filled anew. A container that is of
    the newest image is left alone unless `always`. Not to be cancelled in the middle: the service
    would be left stopped. Raises ApiError, EngineUnavailable.
    """
    why = find_hindrance(document, name)
    if why is not None:
        return Recreated(why_not=why)
    service = (document.get("services") or {}).get(name) or {}
    rows = await client.containers(str(document.get("name") or ""))
    own = [
        str(row["Id"])
        for row in rows
        if (row.get("Labels") or {}).get(LABEL_SERVICE) == name
        and (row.get("Labels") or {}).get(LABEL_ONEOFF) != "True"
    ]
    if not own:
        return Recreated(why_not="it has no container")
    found = await asyncio.gather(*(client.inspect(one) for one in own))
    plans: list[tuple[Mapping[str, Any], CreateRequest]] = []
    for old in found:
        config = old.get("Config") or {}
        if not (old.get("State") or {}).get("Running"):
            return Recreated(why_not="a container does not run")
        if config_hash is None or (config.get("Labels") or {}).get(LABEL_HASH) != config_hash:
            return Recreated(why_not="its configuration is another one")
        if (old.get("HostConfig") or {}).get("AutoRemove"):
            return Recreated(why_not="its container is removed when it stops")
        try:
            old_image, new_image = await asyncio.gather(
                _image(client, str(old["Image"])), _image(client, str(config.get("Image")))
            )
        except ApiError as error:
            if error.status != 404:
                raise
            return Recreated(why_not="an image is not there")
        if old_image["Id"] != new_image["Id"] or always:
            plans.append((old, make_request(old, old_image, new_image, service, renew)))
    began = time.monotonic()
    done = await asyncio.gather(*(_replace(client, old, plan, stop_seconds) for old, plan in plans))
    stops = max((stop for _, stop in done), default=0.0)
    renewed = tuple(sorted({target for _, plan in plans for target, _ in plan.renewed}))
    seconds = time.monotonic() - began - stops
    return Recreated(tuple(one for one, _ in done), None, renewed, stops, seconds)


async def is_newest(client: EngineClient, container_id: str) -> bool:
    """Whether a container is of the image that its image's name means now."""
    old = await client.inspect(container_id)
    try:
        newest = await _image(client, str((old.get("Config") or {}).get("Image")))
    except ApiError as error:
        if error.status != 404:
            raise
        return False
    return bool(newest["Id"] == old["Image"])


async def _clear_up(client: EngineClient, container: str, volumes: Sequence[str] = ()) -> None:
    """Remove a container, and those of the volumes that nothing uses any more."""
    with contextlib.suppress(ApiError):
        await client.request("DELETE", f"/containers/{quote(container)}", {"force": True})
    for volume in volumes:
        with contextlib.suppress(ApiError):  # another container uses it
            await client.request("DELETE", f"/volumes/{quote(volume)}")


async def _go_back(client: EngineClient, old_id: str, new: str, name: str) -> None:
    """Leave the old container as it was; `new` is the other one's id or name."""
    await _clear_up(client, new)
    for what, query in (("rename", {"name": name}), ("start", None)):
        with contextlib.suppress(ApiError):  # it has its name still
            await _post(client, old_id, what, query)


async def _image(client: EngineClient, reference: str) -> dict[str, Any]:
    found = await client.get_json(f"/images/{quote(reference, safe='')}/json")
    if not isinstance(found, dict):
        raise ApiError("GET", "/images", 404, "no such image")
    return found


async def _replace(
    client: EngineClient, old: Mapping[str, Any], plan: CreateRequest, stop_seconds: int
) -> tuple[str, float]:
    """The new container's id, and how long the old one took to stop.

    The order is Compose's: create beside it, stop, change names, start. What the engine refuses
    to create it refuses at once, before the old one is asked to stop; the rest of the creation
    goes on while that stops. Where it fails after all, the old one is started again.
    """
    old_id, name = str(old["Id"]), str(old["Name"]).removeprefix("/")
    temporary = f"{old_id[:12]}_{name}"
    creating = asyncio.ensure_future(_create(client, temporary, plan))
    await asyncio.wait((creating,), timeout=REFUSAL_SECONDS)
    if creating.done():
        creating.result()
    try:
        began = time.monotonic()
        await _post(client, old_id, "stop", {"t": stop_seconds}, CREATE_SECONDS + stop_seconds)
        stopped = time.monotonic() - began
        new_id = await creating
        await _post(client, old_id, "rename", {"name": f"{old_id[:12]}_replaced"})
        await _post(client, new_id, "rename", {"name": name})
    except BaseException:
        (made,) = await asyncio.gather(creating, return_exceptions=True)
        new = made if isinstance(made, str) else temporary
        await asyncio.shield(_go_back(client, old_id, new, name))
        raise
    try:
        await _post(client, new_id, "start")
    finally:
        await _clear_up(client, old_id, tuple(volume for _, volume in plan.renewed))
    return new_id, stopped


async def _create(client: EngineClient, name: str, plan: CreateRequest) -> str:
    try:
        answer = await client.request(
            "POST", "/containers/create", {"name": name}, plan.body, timeout_seconds=CREATE_SECONDS
        )
    except ApiError as error:
        if error.status != 409:
            raise
        # Left behind by a devenv that was killed: it has never run.
        await _clear_up(client, name)
        answer = await client.request(
            "POST", "/containers/create", {"name": name}, plan.body, timeout_seconds=CREATE_SECONDS
        )
    new_id = str(answer.json()["Id"])
    for network, endpoint in plan.networks.items():
        body = {"Container": new_id, "EndpointConfig": dict(endpoint)}
        await client.request("POST", f"/networks/{quote(network, safe='')}/connect", None, body)
    return new_id


async def _post(
    client: EngineClient,
    container_id: str,
    what: str,
    query: Mapping[str, str | int] | None = None,
    seconds: float = CREATE_SECONDS,
) -> None:
    path = f"/containers/{quote(container_id, safe='')}/{what}"
    await client.request("POST", path, query, timeout_seconds=seconds)
