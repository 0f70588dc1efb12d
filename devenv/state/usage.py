"""What containers use as values, added up by service, and the last minute of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from devenv.compose.names import ServiceName
from devenv.values import dataclass, replace

if TYPE_CHECKING:
    from devenv.state.containers import Container, ContainerId
    from devenv.state.model import ServiceState

HISTORY_SECONDS = 60
"""How much of what a service used is kept."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """What went in (received, read) and out (sent, written) since the container started."""

    in_bytes: int = 0
    out_bytes: int = 0
    in_rate: float = 0.0
    """Bytes a second, now."""
    out_rate: float = 0.0

    @property
    def rate(self) -> float:
        """Both directions together."""
        return self.in_rate + self.out_rate


@dataclass(frozen=True, slots=True)
class Usage:
    """What a container uses now, by the docker CLI's formulas; or containers added up."""

    cpu_percent: float
    """100 is one core."""
    memory_bytes: int
    """Without the inactive file cache."""
    memory_limit_bytes: int = 0
    """The machine's memory where a container has no limit of its own."""
    network: Transfer | None = None
    """None where the container has no network of its own."""
    block: Transfer | None = None
    """None where the engine's kernel counts none."""
    read_ns: int = 0
    """When the engine measured it."""


@dataclass(frozen=True, slots=True)
class UsageHistory:
    """The last measurements, one a second, oldest first; at most `HISTORY_SECONDS` of them."""

    cpu_percents: tuple[float, ...] = ()
    memory_bytes: tuple[int, ...] = ()


def add_usage(usage: Mapping[ContainerId, Usage], containers: Sequence[Container]) -> Usage | None:
    """What the running ones of these containers use together; None where nothing is known."""
    running = [c for c in containers if c.state == "running" and c.id in usage]
    total = sum_usages(usage[container.id] for container in running)
    limits = [container.memory_limit_bytes for container in running]
    if total is not None and len(limits) > 1 and all(limits):
        return replace(total, memory_limit_bytes=sum(limits))
    return total


def sum_usages(usages: Iterable[Usage]) -> Usage | None:
    """All of them together, of the limits the widest; None for none."""
    parts = list(usages)
    if len(parts) < 2:
        return parts[0] if parts else None
    return Usage(
        sum(part.cpu_percent for part in parts),
        sum(part.memory_bytes for part in parts),
        max(part.memory_limit_bytes for part in parts),
        network=_sum_transfers([part.network for part in parts]),
        block=_sum_transfers([part.block for part in parts]),
        read_ns=max(part.read_ns for part in parts),
    )


def _sum_transfers(transfers: Sequence[Transfer | None]) -> Transfer | None:
    parts = [transfer for transfer in transfers if transfer is not None]
    if not parts:
        return None
    return Transfer(
        sum(part.in_bytes for part in parts),
        sum(part.out_bytes for part in parts),
        sum(part.in_rate for part in parts),
        sum(part.out_rate for part in parts),
    )


def extend_history(
    history: Mapping[ServiceName, UsageHistory], services: Sequence[ServiceState]
) -> dict[ServiceName, UsageHistory]:
    """The history with one more measurement of each service that runs or did; a service without
    containers is forgotten."""
    longer = {}
    for service in services:
        known, usage = history.get(service.name), service.usage
        if not service.containers or (usage is None and known is None):
            continue
        cpu, memory = (usage.cpu_percent, usage.memory_bytes) if usage is not None else (0.0, 0)
        known = known or UsageHistory()
        longer[service.name] = UsageHistory(
            (*known.cpu_percents, cpu)[-HISTORY_SECONDS:],
            (*known.memory_bytes, memory)[-HISTORY_SECONDS:],
        )
    return longer
