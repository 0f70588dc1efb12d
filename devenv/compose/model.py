"""The merged model of a project, as `docker compose config --format json` gives it.

Holds what devenv decides on; everything else stays in `Project.document` for showing.
Parsing is in `parse_config`, edges and order in `graph`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from devenv.compose.names import EnvironmentName, ServiceName
from devenv.values import dataclass, field


class Condition(StrEnum):
    """Dependency conditions. Spec: compose-spec 05-services.md#depends_on."""

    STARTED = "service_started"
    HEALTHY = "service_healthy"
    COMPLETED = "service_completed_successfully"


@dataclass(frozen=True, slots=True)
class Dependency:
    """An edge: the owner waits for `service` to meet `condition` before it is started."""

    service: ServiceName
    condition: Condition = Condition.STARTED
    required: bool = True
    restart: bool = False
    implied_by: str | None = None
    """The key that makes the edge where it is not `depends_on` (`links`, `network_mode`, …)."""


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """A health check that the model itself sets; times are in seconds."""

    test: tuple[str, ...]
    interval_seconds: float = 30.0
    timeout_seconds: float = 30.0
    retries: int = 3
    start_period_seconds: float = 0.0
    start_interval_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Port:
    """A container port; `published` is the host's port or range, None where Docker picks one."""

    target: int
    published: str | None
    host_ip: str | None
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True)
class Build:
    """What an image is built from; `context` and `dockerfile` as Compose resolved them."""

    context: str
    dockerfile: str
    target: str | None
    args: Mapping[str, str | None] = field(default_factory=dict)
    """None where the value is taken from the shell and is not set there."""
    dockerfile_inline: str | None = None
    additional_contexts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Service:
    """A service of the merged model."""

    name: ServiceName
    image: str | None = None
    build: Build | None = None
    dependencies: tuple[Dependency, ...] = ()
    healthcheck: Healthcheck | None = None
    ports: tuple[Port, ...] = ()
    profiles: tuple[str, ...] = ()
    replicas: int = 1
    restart: str = "no"
    mounts: tuple[tuple[str, str, str], ...] = ()
    """Triples of type (`bind`, `volume`, …), source ("" where anonymous) and target."""
    environment: Mapping[str, str | None] = field(default_factory=dict)
    """Env files and `environment` merged; None for a name that the shell does not set."""
    command: tuple[str, ...] | None = None
    """None where the image's own applies."""
    entrypoint: tuple[str, ...] | None = None
    container_name: str | None = None
    pull_policy: str = ""
    user: str = ""
    """As written; "" where the image's own applies."""


@dataclass(frozen=True, slots=True)
class Volume:
    """A named volume: `name` is the engine's, `key` the Compose file's."""

    key: str
    name: str
    driver: str = "local"
    driver_opts: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    external: bool = False


@dataclass(frozen=True, slots=True)
class Project:
    """The merged model of one selection (Compose profiles, override and env files)."""

    name: EnvironmentName
    services: Mapping[ServiceName, Service] = field(default_factory=dict)
    volumes: tuple[Volume, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict)
    """The whole JSON document. It holds secrets: mask before showing."""
