"""What `devenv check` asks the engine, where one answers at once: its version and local images.

A check needs no engine, so nothing here raises: no answer is None. A unix socket is asked
without asyncio, whose import alone would take a third of a check's time; the questions are
sent before the first answer is read.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from devenv.checks.facts import EngineFacts, ImageFacts
from devenv.compose.model import Healthcheck
from devenv.engine.compose import parse_version
from devenv.engine.context import Endpoint, EndpointKind
from devenv.errors import DevenvError

ANSWER_SECONDS = 2.0
_MAX_ANSWER_BYTES = 8 * 1024 * 1024
_NANOSECONDS = 1e9


def load_engine_facts(endpoint: Endpoint, images: Iterable[str]) -> EngineFacts | None:
    """The engine's version and those of `images` that it has; None where it does not answer."""
    references = tuple(dict.fromkeys(images))
    paths = ("/version", *(f"/images/{quote(name, safe='/:@')}/json" for name in references))
    try:
        answers = _ask(endpoint, paths)
    except (OSError, ValueError, DevenvError):
        return None
    version = parse_version(str((answers[0] or {}).get("Version", "")))
    if version is None:
        return None
    found = {
        name: _parse_image(answer.get("Config") or {})
        for name, answer in zip(references, answers[1:], strict=True)
        if answer is not None
    }
    return EngineFacts(version, found)


def load_project_labels(endpoint: Endpoint, project: str) -> dict[str, str]:
    """The labels of one of a Compose project's containers; none where there is none.

    Without asyncio on a unix socket, for callers that are not in a loop. Raises nothing: no
    answer is as no container.
    """
    filters = quote(json.dumps({"label": [f"com.docker.compose.project={project}"]}))
    try:
        found = _ask(endpoint, (f"/containers/json?all=1&limit=1&filters={filters}",))[0]
    except (OSError, ValueError, DevenvError):
        return {}
    first = found[0] if isinstance(found, list) and found else {}
    return {str(key): str(value) for key, value in (first.get("Labels") or {}).items()}


def _ask(endpoint: Endpoint, paths: tuple[str, ...]) -> list[Any]:
    """The JSON object or array at each path; None where the engine says that there is none."""
    if endpoint.kind is not EndpointKind.UNIX:
        return _ask_client(endpoint, paths)
    sockets: list[socket.socket] = []
    try:
        for path in paths:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sockets.append(connection)
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(endpoint.address)
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n".encode())
        return [_read_answer(connection) for connection in sockets]
    finally:
        for connection in sockets:
            connection.close()


def _read_answer(connection: socket.socket) -> Any:
    received = bytearray()
    while chunk := connection.recv(65536):
        received += chunk
        if len(received) > _MAX_ANSWER_BYTES:
            raise ValueError("the engine's answer is too long")
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    status = head.split(b" ", 2)[1:2]
    if status != [b"200"]:
        return None
    return json.loads(body)


def _ask_client(endpoint: Endpoint, paths: tuple[str, ...]) -> list[Any]:
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    from devenv.engine.api import ApiError, EngineClient

    async def ask() -> list[Any]:
        client = EngineClient(endpoint)

        async def one(path: str) -> Any:
            try:
                return await client.get_json(path)
            except ApiError:
                return None

        async with asyncio.timeout(2 * ANSWER_SECONDS):
            return list(await asyncio.gather(*(one(path) for path in paths)))

    # The caller may be in a loop of its own.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(ask())).result()


def _parse_image(config: Mapping[str, Any]) -> ImageFacts:
    return ImageFacts(
        healthcheck=_parse_healthcheck(config.get("Healthcheck")),
        user=str(config.get("User") or ""),
        volumes=tuple(config.get("Volumes") or ()),
        command=tuple(config.get("Cmd") or ()),
        entrypoint=tuple(config.get("Entrypoint") or ()),
    )


def _parse_healthcheck(raw: Mapping[str, Any] | None) -> Healthcheck | None:
    """An image's health check, its times given by the engine in nanoseconds."""
    test = tuple((raw or {}).get("Test") or ())
    if not raw or not test or test[0] == "NONE":
        return None
    start_interval = raw.get("StartInterval")
    return Healthcheck(
        test=test,
        interval_seconds=(raw.get("Interval") or 0) / _NANOSECONDS or 30.0,
        timeout_seconds=(raw.get("Timeout") or 0) / _NANOSECONDS or 30.0,
        retries=raw.get("Retries") or 3,
        start_period_seconds=(raw.get("StartPeriod") or 0) / _NANOSECONDS,
        start_interval_seconds=start_interval / _NANOSECONDS if start_interval else None,
    )
