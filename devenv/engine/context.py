"""Which Docker engine to talk to, found as the docker CLI finds it.

Owns the precedence of --context, DOCKER_HOST, DOCKER_CONTEXT and config.json, and the
context store on disk. Connecting is `api.py`'s part.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from devenv.errors import EngineUnavailable, Source
from devenv.values import dataclass

DEFAULT_CONTEXT = "default"
DEFAULT_SOCKET = "/var/run/docker.sock"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class EndpointKind(StrEnum):
    """How bytes reach the engine."""

    UNIX = "unix"
    TCP = "tcp"
    TLS = "tls"
    SSH = "ssh"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One Docker engine's address."""

    kind: EndpointKind
    address: str
    """Socket path for unix, `host:port` for tcp and tls, the whole `ssh://…` URL for ssh."""
    context_name: str = DEFAULT_CONTEXT
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    verify: bool = True
    """False: TLS without checking the engine's certificate (`skip-tls-verify`)."""

    @property
    def is_local(self) -> bool:
        """Whether bind mounts and published ports mean this machine (a loopback address counts)."""
        match self.kind:
            case EndpointKind.UNIX:
                return True
            case EndpointKind.SSH:
                return False
            case _:
                return self.host_port()[0] in _LOOPBACK

    @property
    def url(self) -> str:
        """The address as DOCKER_HOST spells it."""
        match self.kind:
            case EndpointKind.UNIX:
                return f"unix://{self.address}"
            case EndpointKind.SSH:
                return self.address
            case _:
                return f"tcp://{self.address}"

    def host_port(self) -> tuple[str, int]:
        """Host and port of a tcp or tls address."""
        parts = urlsplit(f"tcp://{self.address}")
        default = 2376 if self.kind is EndpointKind.TLS else 2375
        return parts.hostname or "localhost", parts.port or default

    def describe(self) -> str:
        """The address for messages, with the context's name unless it is the default one."""
        if self.context_name == DEFAULT_CONTEXT:
            return self.url
        return f"{self.url} (context {self.context_name})"


def load_endpoint(environ: Mapping[str, str], home: Path, context: str | None = None) -> Endpoint:
    """Find the engine to talk to.

    Order: the argument, DOCKER_HOST, DOCKER_CONTEXT, `currentContext` of config.json, the
    default socket. An empty variable counts as unset. Raises EngineUnavailable when a named
    context does not exist or a file of the store cannot be read.
    Spec: docker/cli cli/command/cli.go, resolveContextName.
    """
    config_dir = Path(environ.get("DOCKER_CONFIG") or home / ".docker")
    name = context or None
    if name is None and not environ.get("DOCKER_HOST"):
        name = environ.get("DOCKER_CONTEXT") or _current_context(config_dir)
    if name is None or name == DEFAULT_CONTEXT:
        return _from_environment(environ, config_dir)
    return _from_store(config_dir, name)


def _from_environment(environ: Mapping[str, str], config_dir: Path) -> Endpoint:
    host = environ.get("DOCKER_HOST", "").strip() or f"unix://{DEFAULT_SOCKET}"
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    tls: dict[str, str] | None = None
    if verify or environ.get("DOCKER_TLS"):
        tls = _tls_files(Path(environ.get("DOCKER_CERT_PATH") or config_dir))
    return _endpoint(host, DEFAULT_CONTEXT, tls, verify=verify, where="DOCKER_HOST")


def _from_store(config_dir: Path, name: str) -> Endpoint:
    import hashlib

    digest = hashlib.sha256(name.encode()).hexdigest()
    meta_path = config_dir / "contexts" / "meta" / digest / "meta.json"
    meta = _load_json(meta_path)
    if meta is None:
        raise EngineUnavailable(
            f"The Docker context {name!r} does not exist.",
            fix="list the contexts with `docker context ls`, and choose one with --context, "
            "DOCKER_CONTEXT or `docker context use NAME`.",
        )
    endpoints = meta.get("Endpoints")
    docker = endpoints.get("docker") if isinstance(endpoints, dict) else None
    host = docker.get("Host") if isinstance(docker, dict) else None
    if not isinstance(docker, dict) or not isinstance(host, str) or not host:
        raise EngineUnavailable(
            f"The Docker context {name!r} names no Docker engine.",
            source=Source(str(meta_path)),
            fix=f"repair it with `docker context update {name} --docker host=…`.",
        )
    skip_verify = docker.get("SkipTLSVerify") is True
    tls_dir = config_dir / "contexts" / "tls" / digest / "docker"
    tls = _tls_files(tls_dir) if tls_dir.is_dir() or skip_verify else None
    return _endpoint(host, name, tls, verify=not skip_verify, where=f"context {name}")


def _endpoint(
    host: str, context_name: str, tls: dict[str, str] | None, *, verify: bool, where: str
) -> Endpoint:
    scheme, separator, rest = host.partition("://")
    if not separator:
        scheme, rest = ("unix", host) if host.startswith("/") else ("tcp", host)
    match scheme:
        case "unix":
            return Endpoint(EndpointKind.UNIX, rest or DEFAULT_SOCKET, context_name)
        case "ssh" if urlsplit(host).hostname:
            return Endpoint(EndpointKind.SSH, host, context_name)
        case "tcp" | "http" | "https":
            kind = EndpointKind.TLS if tls is not None or scheme == "https" else EndpointKind.TCP
            address = _with_port(rest.partition("/")[0], kind, host, where)
            files = tls or {}
            return Endpoint(
                kind,
                address,
                context_name,
                ca_file=files.get("ca"),
                cert_file=files.get("cert"),
                key_file=files.get("key"),
                verify=verify or tls is None,
            )
    raise _bad_host(host, where)


def _with_port(address: str, kind: EndpointKind, host: str, where: str) -> str:
    try:
        parts = urlsplit(f"tcp://{address}")
        port = parts.port
    except ValueError:
        raise _bad_host(host, where) from None
    name = parts.hostname or "localhost"
    if ":" in name:
        name = f"[{name}]"
    return f"{name}:{port or (2376 if kind is EndpointKind.TLS else 2375)}"


def _bad_host(host: str, where: str) -> EngineUnavailable:
    return EngineUnavailable(
        f"{where} holds an address that devenv cannot use: {host!r}.",
        fix="use unix:///path, tcp://host:port or ssh://user@host.",
    )


def _tls_files(directory: Path) -> dict[str, str]:
    found = {}
    for key in ("ca", "cert", "key"):
        path = directory / f"{key}.pem"
        if path.is_file():
            found[key] = str(path)
    return found


def _current_context(config_dir: Path) -> str | None:
    name = (_load_json(config_dir / "config.json") or {}).get("currentContext")
    return name if isinstance(name, str) and name else None


def _load_json(path: Path) -> dict[str, Any] | None:
    """The object in a file; None when there is no such file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise EngineUnavailable(
            f"Docker's configuration cannot be read: {error}.",
            source=Source(str(path)),
            fix="make the file readable, or set DOCKER_HOST.",
        ) from error
    if not text.strip():
        return {}
    import json

    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise EngineUnavailable(
            f"Docker's configuration is not valid JSON: {error.msg}.",
            source=Source(str(path), error.lineno, error.colno),
            fix="repair the file, or set DOCKER_HOST.",
        ) from error
    if not isinstance(value, dict):
        raise EngineUnavailable(
            "Docker's configuration is not a JSON object.",
            source=Source(str(path), 1),
            fix="repair the file, or set DOCKER_HOST.",
        )
    return value
