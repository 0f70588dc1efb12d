"""What `reduce` asks of the outside world; `engine.effects` carries it out."""

from __future__ import annotations

from dataclasses import dataclass

from devenv.compose.names import ServiceName
from devenv.state.model import ContainerId, OperationKind


@dataclass(frozen=True, slots=True)
class RunOperation:
    kind: OperationKind
    services: tuple[ServiceName, ...] = ()


@dataclass(frozen=True, slots=True)
class CancelOperation:
    pass


@dataclass(frozen=True, slots=True)
class ExplainFailure:
    """Look up why a container failed: its health log's last output, or its last log lines."""

    service: ServiceName
    container: ContainerId


Effect = RunOperation | CancelOperation | ExplainFailure
