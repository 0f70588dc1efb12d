"""Which volumes an environment has, who writes to them, through which image they are reached."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from devenv.compose.databases import DatabaseKind, Hold, find_image_kind, hold_for
from devenv.compose.model import Project
from devenv.engine.api import ApiError, EngineClient
from devenv.engine.containers import LABEL_PROJECT, LABEL_SERVICE
from devenv.engine.volume_work import LABEL_WORK, Held
from devenv.engine.volumes import LABEL_VOLUME, VolumeError, list_users, list_volumes
from devenv.errors import UsageError
from devenv.values import dataclass, field

_BUSY = ("running", "restarting")
_SIZE_SECONDS = 3.0
_SIZES_SINCE = (1, 42)


@dataclass(frozen=True, slots=True)
class VolumePlace:
    """A named volume of an environment."""

    key: str
    """Its name in the Compose files."""
    name: str
    exists: bool
    labels: Mapping[str, str] = field(default_factory=dict)
    driver_opts: Mapping[str, str] = field(default_factory=dict)
    service: str | None = None
    """The first service that has it."""
    image: str | None = None
    """That service's image, as written or as Compose names it."""
    images: tuple[str, ...] = ()
    """Through which the volume can be reached; the best one first."""
    users: tuple[Mapping[str, Any], ...] = ()
    """The engine's rows of the containers that have it, but for devenv's own."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What is done to a container while its volumes are copied, and why, in words."""

    held: Held
    why: str


async def find_places(
    client: EngineClient, project: Project, wanted: Collection[str] = ()
) -> list[VolumePlace]:
    """The environment's named volumes by key: all of them, or those wanted.

    All: what the model has and what the engine has of other profiles, without external ones.
    Raises UsageError for one that is not there, is external, in memory, or of another driver than
    local.
    """
    model = {volume.key: volume for volume in project.volumes}
    external = [key for key, volume in model.items() if volume.external]
    found = {
        str(raw["Labels"][LABEL_VOLUME]): raw
        for raw in await list_volumes(client, {LABEL_PROJECT: project.name})
        if (raw.get("Labels") or {}).get(LABEL_VOLUME)
    }
    keys = sorted({*found, *model} - set(external))
    for key in wanted:
        if key in external:
            raise UsageError(
                f"Volume {key} is external: it does not belong to this environment.",
                fix="leave it out, or take external: true out of the Compose file",
            )
        if key not in keys:
            near = get_close_matches(key, keys, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}? " if near else ""
            raise UsageError(
                f"There is no volume {key!r} in this environment.",
                fix=f"{hint}volumes: {', '.join(keys) or 'none'}",
            )
    places = []
    for key in keys:
        if wanted and key not in wanted:
            continue
        name = model[key].name if key in model else str(found[key]["Name"])
        raw = found.get(key)
        if raw is None or raw["Name"] != name:
            raw = await client.volume(name)
        driver = (raw or {}).get("Driver") or (model[key].driver if key in model else "local")
        options = (raw or {}).get("Options") or (model[key].driver_opts if key in model else {})
        why = None
        if driver != "local":
            why = f"is kept by the driver {driver}; devenv copies those of the driver local."
        elif options.get("type") == "tmpfs":
            why = "is kept in memory (tmpfs): what it has is gone whenever no container has it."
        if why is not None:
            others = [f"--volume {other}" for other in keys if other != key]
            raise UsageError(
                f"Volume {key} {why}",
                fix=f"copy the others: {' '.join(others)}" if others else None,
            )
        places.append(await _find_place(client, project, key, name, raw))
    return places


async def _find_place(
    client: EngineClient, project: Project, key: str, name: str, raw: Mapping[str, Any] | None
) -> VolumePlace:
    rows = await list_users(client, name) if raw is not None else []
    users = [row for row in rows if LABEL_WORK not in (row.get("Labels") or {})]
    services = [
        service
        for service in project.services.values()
        if any(kind == "volume" and source in (key, name) for kind, source, _ in service.mounts)
    ]
    labelled = [str((row.get("Labels") or {}).get(LABEL_SERVICE) or "") for row in users]
    service = services[0].name if services else next(filter(None, labelled), None)
    names = {one.name: one.image or f"{project.name}-{one.name}" for one in services}
    others = [
        one.image or f"{project.name}-{one.name}"
        for one in project.services.values()
        if one.name not in names
    ]
    ids = [str(row["ImageID"]) for row in users]
    opts = (raw or {}).get("Options") or {}
    labels = (raw or {}).get("Labels") or {LABEL_PROJECT: project.name, LABEL_VOLUME: key}
    return VolumePlace(
        key=key,
        name=name,
        exists=raw is not None,
        labels=labels,
        driver_opts=opts,
        service=service,
        image=names.get(service) if service else None,  # type: ignore[call-overload]
        images=tuple(dict.fromkeys([*ids, *names.values(), *others])),
        users=tuple(users),
    )


async def plan_holds(
    client: EngineClient,
    environment: str,
    places: Iterable[VolumePlace],
    *,
    stop: bool = False,
    readers: bool = False,
) -> list[Holding]:
    """How the containers that run and can write to the volumes are held, sorted by service.

    `stop`: all are stopped, whatever they are; `readers`: those that can only read, too, and none
    may be paused. Raises VolumeError where one of them is not the environment's own: it was not
    asked for.
    """
    states = (*_BUSY, "paused") if readers else _BUSY
    rows = {
        str(row["Id"]): row
        for place in places
        for row in place.users
        if row.get("State") in states and (readers or _writes(row, place.name))
    }
    holds = []
    for container_id, row in rows.items():
        labels = row.get("Labels") or {}
        name = (row.get("Names") or [container_id[:12]])[0].removeprefix("/")
        if labels.get(LABEL_PROJECT) != environment:
            raise VolumeError(
                f"Container {name}, which is not of {environment}, writes to one of the volumes.",
                fix=f"stop it first: docker stop {name}",
            )
        if row.get("State") == "paused":
            raise VolumeError(f"{name} is paused.", fix="devenv up lets it go on; then again")
        how, why = Hold.STOP, "stopped meanwhile"
        if not stop:
            how, why = hold_for(await _kind_of(client, row))
            if how is Hold.PAUSE and row.get("State") == "restarting":
                how, why = Hold.STOP, "stopped meanwhile: it is restarting all the time"
        service = str(labels.get(LABEL_SERVICE) or name)
        holds.append(Holding(Held(container_id, service, how), why))
    return sorted(holds, key=lambda one: (one.held.service, one.held.container_id))


def _writes(row: Mapping[str, Any], volume: str) -> bool:
    return any(
        mount.get("Name") == volume and mount.get("RW") is not False
        for mount in row.get("Mounts") or []
    )


async def _kind_of(client: EngineClient, row: Mapping[str, Any]) -> DatabaseKind | None:
    config = (await client.inspect(str(row["Id"]))).get("Config") or {}
    return find_image_kind(str(config.get("Image") or ""), image_variables(config))


def image_variables(config: Mapping[str, Any]) -> dict[str, str]:
    """The variables of an image's or a container's configuration."""
    pairs = (str(one).partition("=") for one in config.get("Env") or ())
    return {key: value for key, _, value in pairs}


async def load_sizes(client: EngineClient) -> dict[str, int]:
    """What each volume takes on the engine's disk, by name; empty where it does not say soon.

    Engines before 23 count images and containers too, which takes long, and refuse a second
    question meanwhile: they are not asked.
    """
    try:
        async with asyncio.timeout(_SIZE_SECONDS):
            if parse_version((await client.ping()).api_version) < _SIZES_SINCE:
                return {}
            found = await client.get_json("/system/df", type="volume")
    except (TimeoutError, ApiError):
        return {}
    sizes = {}
    for raw in (found or {}).get("Volumes") or []:
        size = (raw.get("UsageData") or {}).get("Size")
        if isinstance(size, int) and size >= 0:
            sizes[str(raw["Name"])] = size
    return sizes


def parse_version(text: str) -> tuple[int, ...]:
    """`1.41` as numbers, to compare; what is no number counts as 0."""
    return tuple(int(part) if part.isdigit() else 0 for part in text.split("."))
