"""Which files of the disk a container has otherwise, or not at all: before a first sync."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import stat
import tarfile
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from devenv.engine.api import ApiError, EngineClient
from devenv.engine.sync_values import Change

MAX_COMPARED_BYTES = 8 * 1024 * 1024
"""A larger file counts as another where its time differs."""
LOT = 16
"""How many files are asked for at once."""


async def find_differing(
    client: EngineClient, container_id: str, changes: Iterable[Change]
) -> list[Change]:
    """Those whose file or link is not what the container has, in their order.

    A file of the same size and time (both builders keep it, and so does a sync) is the same;
    else content decides. Modes do not: `COPY --chmod` may have set others. Raises ApiError,
    EngineUnavailable.
    """
    found: list[Change] = []
    waiting = list(changes)
    while lot := waiting[:LOT]:
        waiting = waiting[LOT:]
        differ = await asyncio.gather(*(_differs(client, container_id, one) for one in lot))
        found += [one for one, is_other in zip(lot, differ, strict=True) if is_other]
    return found


async def _differs(client: EngineClient, container_id: str, change: Change) -> bool:
    try:
        here = os.lstat(change.source)
    except OSError:
        return False  # it went meanwhile, which the watch tells
    path = f"/containers/{quote(container_id, safe='')}/archive"
    try:
        answer = await client.request("HEAD", path, {"path": change.target})
    except ApiError as error:
        if error.status == 404:
            return True
        raise
    there = _read_stat(answer.headers)
    if stat.S_ISREG(here.st_mode):
        if there.get("linkTarget") or there.get("size") != here.st_size:
            return True
        if _is_time(str(there.get("mtime")), int(here.st_mtime)):
            return False
        if here.st_size > MAX_COMPARED_BYTES:
            return True
    elif not stat.S_ISLNK(here.st_mode):
        return False
    elif not there.get("linkTarget"):
        return True  # what a link says itself is in the tar file alone
    body = (await client.request("GET", path, {"path": change.target})).body
    return await asyncio.to_thread(_is_other, body, change.source)


def _read_stat(headers: Any) -> dict[str, Any]:
    """Spec: Engine API, ContainerArchiveInfo: JSON in base64 in a header."""
    found = {str(key).lower(): value for key, value in dict(headers).items()}
    text = found.get("x-docker-container-path-stat", "")
    try:
        value = json.loads(base64.b64decode(text))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _is_time(text: str, seconds: int) -> bool:
    """Whether an RFC 3339 time is in this second; a tar file keeps whole seconds alone."""
    from datetime import datetime

    try:
        head = text.split(".")[0].removesuffix("Z")
        zone = text[19:].lstrip(".0123456789").replace("Z", "+00:00")
        return int(datetime.fromisoformat(head[:19] + zone).timestamp()) == seconds
    except ValueError:
        return False


def _is_other(body: bytes, source: str) -> bool:
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        member = next(iter(tar), None)
        try:
            if os.path.islink(source):  # noqa: PTH114
                return member is None or member.linkname != os.readlink(source)  # noqa: PTH115
            file = tar.extractfile(member) if member is not None and member.isreg() else None
            with open(source, "rb") as own:  # noqa: PTH123, any bytes may be in a name
                return file is None or file.read() != own.read()
        except OSError:
            return False
