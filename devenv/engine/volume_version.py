"""The database of a volume and of the image that is to run on it: kind and major version."""

from __future__ import annotations

import contextlib
from urllib.parse import quote

from devenv.compose.databases import (
    Database,
    DatabaseKind,
    find_database,
    find_image_kind,
    find_image_version,
    wanted_bytes,
)
from devenv.compose.tar_index import TarScanner
from devenv.engine.api import ApiError, EngineClient
from devenv.engine.volume_copy import vessel_of
from devenv.engine.volume_find import VolumePlace, image_variables
from devenv.engine.volumes import MOUNT
from devenv.errors import PlanRefused
from devenv.values import dataclass

_FILES = (
    *("PG_VERSION", "data/PG_VERSION", "pgdata/PG_VERSION"),
    *("mariadb_upgrade_info", "mysql_upgrade_history", "mysql_upgrade_info"),
    "dump.rdb",
)
"""Where the version stands in a volume, most often."""


@dataclass(frozen=True, slots=True)
class SavedData:
    """Data that is to go into a volume."""

    what: str
    """In words, such as `the snapshot's volume data`."""
    database: Database | None
    image: str | None = None
    image_id: str | None = None


async def check_version(
    client: EngineClient, environment: str, place: VolumePlace, data: SavedData
) -> None:
    """Raise PlanRefused where what is to run on the data is of another major version.

    The image that the service has now decides, where it says its version; else the data that the
    volume has now. The image that the data was saved from is always right.
    """
    saved = data.database
    if saved is None:
        return
    image = place.image or (place.images[0] if place.images else None)
    if image is not None:
        image_id, now = await _load_image_database(client, image, saved.kind)
        if image_id is not None and image_id == data.image_id:
            return
        if now is not None and now.kind is not saved.kind:
            raise _other(data, saved, f"{place.service or place.key} runs {now.describe()} now")
        if now is not None and now.major is not None:
            if saved.major is not None and now.major != saved.major:
                raise _other(data, saved, f"the image {image} is {now.describe()}")
            return
    if place.exists and saved.major is not None:
        found = await load_database(client, environment, place)
        if found is not None and (found.kind, found.major) != (saved.kind, saved.major):
            raise _other(data, saved, f"the volume has the data of {found.describe()} now")


def _other(data: SavedData, saved: Database, why: str) -> PlanRefused:
    return PlanRefused(
        f"{data.what} holds the data of {saved.describe()}, and {why}, which cannot read it. "
        "Nothing was changed.",
        fix=f"use it where the service runs {saved.describe()}"
        + (f" (it comes from {data.image})" if data.image else ""),
    )


async def _load_image_database(
    client: EngineClient, image: str, saved: DatabaseKind
) -> tuple[str | None, Database | None]:
    """An image's id, and the database that it says it is."""
    try:
        raw = await client.get_json(f"/images/{quote(image, safe='/:@')}/json")
    except ApiError:
        return None, None
    variables = image_variables(raw.get("Config") or {})
    names = [image, *(str(tag) for tag in raw.get("RepoTags") or ())]
    kinds = [kind for name in names if (kind := find_image_kind(name, variables)) is not None]
    if not kinds:
        return str(raw.get("Id")), None
    kind = saved if saved in kinds else kinds[0]
    return str(raw.get("Id")), Database(kind, find_image_version(kind, image, variables))


async def load_database(
    client: EngineClient, environment: str, place: VolumePlace
) -> Database | None:
    """The database whose files a volume has, where they are in one of the usual places."""
    kept: dict[str, bytes] = {}
    async with vessel_of(client, environment, place.images, place.name) as vessel_id:
        for file in _FILES:
            scanner = TarScanner(lambda _, file=file: wanted_bytes(file))  # type: ignore[misc]
            path = f"/containers/{quote(vessel_id, safe='')}/archive"
            try:
                stream = client.open_stream(path, {"path": f"{MOUNT}/{file}"})
                async with contextlib.aclosing(stream) as chunks:
                    async for chunk in chunks:
                        scanner.feed(chunk)
                        if scanner.kept.get(""):
                            break
            except ApiError as error:
                if error.status != 404:
                    raise
                continue
            kept[file] = scanner.kept.get("", b"")
    return find_database(kept)
