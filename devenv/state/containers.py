"""Containers as the engine reports them. Values only."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

from devenv.compose.names import ServiceName
from devenv.values import dataclass

ContainerId = NewType("ContainerId", str)


class Health(StrEnum):
    """A container's health as the Engine API spells it."""

    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


_TLS = frozenset((443, 8443, 9443))
_NO_WEB = frozenset(
    (22, 25, 465, 587, 1025, 1433, 1521, 2181, 3306, 5432, 5433, 5672, 6379, 9092, 11211, 27017)
)
"""Ports of ssh, mail, databases, caches and brokers."""


@dataclass(frozen=True, slots=True)
class PublishedPort:
    """A port as the engine publishes it."""

    host_ip: str
    host_port: int
    target: int
    protocol: str = "tcp"

    @property
    def address(self) -> str:
        """`localhost:3000` for ports published on all addresses or the loopback."""
        is_here = self.host_ip in ("0.0.0.0", "::", "127.0.0.1", "::1")
        host = (
            "localhost" if is_here else f"[{self.host_ip}]" if ":" in self.host_ip else self.host_ip
        )
        return f"{host}:{self.host_port}"

    @property
    def is_web(self) -> bool:
        """Whether a browser may have something to show of it: TCP, and no database's port."""
        return self.protocol == "tcp" and self.target not in _NO_WEB

    @property
    def url(self) -> str:
        """With `https://` where the container's port is one for TLS."""
        return f"{'https' if self.target in _TLS else 'http'}://{self.address}"


@dataclass(frozen=True, slots=True)
class Probe:
    """One run of a health check, as the engine logs it; times are seconds since the epoch."""

    started_at: float
    ended_at: float
    exit_code: int
    output: str = ""
    """What it printed, shortened; harmless text."""


@dataclass(frozen=True, slots=True)
class Container:
    """One of the environment's containers, as the engine reports it."""

    id: ContainerId
    service: ServiceName
    name: str
    number: int = 1
    state: str = "created"
    """created, running, paused, restarting, removing, exited or dead."""
    health: Health = Health.NONE
    exit_code: int | None = None
    oom_killed: bool = False
    stopped: bool | None = None
    """Whether the engine was asked to stop it: then no exit code is a failure. None: not known."""
    restart_count: int = 0
    memory_limit_bytes: int = 0
    """0: none but the machine's memory."""
    started_at: float | None = None
    """Seconds since the epoch; None where it never ran."""
    finished_at: float | None = None
    ports: tuple[PublishedPort, ...] = ()
    image: str = ""
    config_hash: str = ""
    tty: bool = False
    created_at: float | None = None
    probes: tuple[Probe, ...] = ()
    """The last probes, oldest first; the engine keeps five."""
