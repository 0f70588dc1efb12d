"""What the command line of `up` asks for."""

from __future__ import annotations

from devenv.compose.names import ServiceName
from devenv.values import dataclass


@dataclass(frozen=True, slots=True)
class UpOptions:
    """What the command line of `up` asks for."""

    services: tuple[ServiceName, ...] = ()
    without: tuple[ServiceName, ...] = ()
    build: bool = True
    watch: bool = True
    clone: bool = True
    """Whether a first start copies the default branch's data, where `clone_volumes` says so."""
