"""Whether a program is in a local image: what `devenv check --deep` asks the engine.

A container is created from the image and never started; its file system answers whether a path
is there, and it is removed again. Unix sockets only: `check` needs no other client for it.
Spec: Docker Engine API, ContainerCreate and ContainerArchiveInfo.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from devenv.engine.context import Endpoint, EndpointKind

ANSWER_SECONDS = 20.0
_USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LABEL = "devenv.check"


class _Connection(http.client.HTTPConnection):
    def __init__(self, address: str) -> None:
        super().__init__("docker", timeout=ANSWER_SECONDS)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(ANSWER_SECONDS)
        self.sock.connect(self._address)


def find_programs(
    endpoint: Endpoint, wanted: Mapping[str, Iterable[str]]
) -> dict[tuple[str, str], bool]:
    """Whether each program is in its image, by image and program as asked for.

    A name without a slash is looked for in the image's PATH. What could not be found out, because
    the image is not there or the engine does not answer, is left out.
    """
    if endpoint.kind is not EndpointKind.UNIX:
        return {}
    found: dict[tuple[str, str], bool] = {}
    for image, programs in wanted.items():
        try:
            found |= _look(endpoint.address, image, tuple(programs))
        except (OSError, ValueError, http.client.HTTPException):
            continue
    return found


def _look(address: str, image: str, programs: tuple[str, ...]) -> dict[tuple[str, str], bool]:
    status, config = _ask(address, "GET", f"/images/{quote(image, safe='/:@')}/json")
    if status != 200:
        return {}
    body = {"Image": image, "Cmd": ["devenv-check"], "Labels": {_LABEL: "never started"}}
    status, created = _ask(address, "POST", "/containers/create", body)
    if status != 201:
        return {}
    try:
        path = _search_path(config)
        return {
            (image, program): any(
                _is_there(address, created["Id"], one) for one in _candidates(program, path)
            )
            for program in programs
        }
    finally:
        _ask(address, "DELETE", f"/containers/{created['Id']}?force=1&v=1")


def _search_path(image: Mapping[str, Any]) -> str:
    for entry in (image.get("Config") or {}).get("Env") or ():
        name, _, value = str(entry).partition("=")
        if name == "PATH":
            return value
    return _USUAL_PATH


def _candidates(program: str, path: str) -> list[str]:
    if "/" in program:
        return [program]
    return [f"{directory.rstrip('/')}/{program}" for directory in path.split(":") if directory]


def _is_there(address: str, container: str, path: str) -> bool:
    status, _ = _ask(address, "HEAD", f"/containers/{container}/archive?path={quote(path)}")
    return status == 200


def _ask(
    address: str, method: str, path: str, body: Mapping[str, Any] | None = None
) -> tuple[int, dict[str, Any]]:
    connection = _Connection(address)
    try:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        content = json.dumps(body) if body is not None else None
        connection.request(method, path, content, headers)
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    document = json.loads(text) if text.strip().startswith(b"{") else {}
    return answer.status, document if isinstance(document, dict) else {}
