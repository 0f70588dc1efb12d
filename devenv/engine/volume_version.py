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
from devenv.compose.snapshot import VolumeRecord
from devenv.compose.tar_index import TarScanner
from devenv.engine.api import ApiError, EngineClient
from devenv.engine.volume_copy import vessel_of
from devenv.engine.volume_find import VolumePlace, image_variables
from devenv.engine.volumes import MOUNT
from devenv.errors import PlanRefused

_FILES = {
    DatabaseKind.POSTGRES: ("PG_VERSION", "data/PG_VERSION", "pgdata/PG_VERSION"),
    DatabaseKind.MYSQL: ("mysql_upgrade_history", "mysql_upgrade_info"),
    DatabaseKind.MARIADB: ("mariadb_upgrade_info", "mysql_upgrade_info"),
    DatabaseKind.REDIS: ("dump.rdb",),
}
"""Where the version stands in a volume, most often."""


async def check_version(
    client: EngineClient, environment: str, place: VolumePlace, record: VolumeRecord
) -> None:
    """Raise PlanRefused where what is to run on the restored data is of another major version.

    The image that the service has now decides, where it says its version; else the data that the
    volume has now. The image that the data was saved from is always right.
    """
    saved = record.database
    if saved is None:
        return
    image = place.image or (place.images[0] if place.images else None)
    if image is not None:
        image_id, now = await _load_image_database(client, image, saved.kind)
        if image_id is not None and image_id == record.image_id:
            return
        if now is not None and now.kind is not saved.kind:
            raise _other(record, f"and {place.service or place.key} runs {now.describe()} now")
        if now is not None and now.major is not None:
            if saved.major is not None and now.major != saved.major:
                raise _other(record, f"and the image {image} is {now.describe()}")
            return
    if place.exists and saved.major is not None:
        found = await _load_volume_database(client, environment, place, saved.kind)
        if found is not None and found.major not in (None, saved.major):
            raise _other(record, f"and the volume has the data of {found.describe()} now")


def _other(record: VolumeRecord, why: str) -> PlanRefused:
    assert record.database is not None
    return PlanRefused(
        f"The snapshot's volume {record.key} holds the data of {record.database.describe()}, "
        f"{why}, which cannot read it. Nothing was changed.",
        fix=f"restore it where the service runs {record.database.describe()}"
        + (f" (it was saved from {record.image})" if record.image else ""),
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


async def _load_volume_database(
    client: EngineClient, environment: str, place: VolumePlace, kind: DatabaseKind
) -> Database | None:
    kept: dict[str, bytes] = {}
    async with vessel_of(client, environment, place.images, place.name) as vessel_id:
        for file in _FILES[kind]:
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
