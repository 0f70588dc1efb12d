"""What each service uses, as the rows of a table in the order that was asked for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from devenv.compose.names import ServiceName
from devenv.state.model import ServiceState, State
from devenv.state.text import sanitize
from devenv.state.usage import Usage, UsageHistory, sum_usages
from devenv.values import dataclass

STEADY_SECONDS = 5
"""The CPU share is sorted by its mean over so long, so that rows do not change places at once."""


class Sort(StrEnum):
    """What the rows are sorted by; the value is what the UI calls it."""

    ORDER = "start order"
    NAME = "name"
    CPU = "CPU"
    MEMORY = "memory"
    NETWORK = "network"
    BLOCK = "block I/O"


@dataclass(frozen=True, slots=True)
class StatsRow:
    """One line of the table: a service, one of its containers, or all together."""

    name: str
    usage: Usage
    history: UsageHistory = UsageHistory()
    is_chosen: bool = False
    is_part: bool = False
    """One container of the service above."""
    limited: bool = False
    """Whether the memory limit is its own, not the machine's size."""


def resolve_rows(state: State, chosen: ServiceName | None, sort: Sort) -> list[StatsRow]:
    """The services that are measured, sorted; below the chosen one its containers, where it has
    several. Services that the sort cannot tell apart stay in start order."""
    measured = [service for service in state.services if service.usage is not None]
    measured.sort(key=lambda service: _sort_key(service, state.usage_history, sort))
    rows = []
    for service in measured:
        if service.usage is None:
            continue
        running = [c for c in service.containers if c.state == "running" and c.id in state.usage]
        count = f" ×{len(running)}" if len(running) > 1 else ""
        rows.append(
            StatsRow(
                sanitize(service.name) + count,
                service.usage,
                state.usage_history.get(service.name, UsageHistory()),
                is_chosen=service.name == chosen,
                limited=all(container.memory_limit_bytes for container in running),
            )
        )
        if service.name == chosen and len(running) > 1:
            rows += [
                StatsRow(
                    f"  {sanitize(service.name)}-{container.number}",
                    state.usage[container.id],
                    is_part=True,
                    limited=bool(container.memory_limit_bytes),
                )
                for container in running
            ]
    return rows


def resolve_total(state: State) -> StatsRow | None:
    """All services together; their memory's limit is the machine's, where that is known."""
    usages = [service.usage for service in state.services if service.usage is not None]
    total = sum_usages(usages)
    return StatsRow(f"all {len(usages)}", total, _sum_history(state)) if total else None


def _sum_history(state: State) -> UsageHistory:
    histories = list(state.usage_history.values())
    length = max((len(history.cpu_percents) for history in histories), default=0)
    cpu, memory = [0.0] * length, [0] * length
    for history in histories:
        start = length - len(history.cpu_percents)
        for at, (percent, size) in enumerate(
            zip(history.cpu_percents, history.memory_bytes, strict=True), start
        ):
            cpu[at] += percent
            memory[at] += size
    return UsageHistory(tuple(cpu), tuple(memory))


def _sort_key(
    service: ServiceState, histories: Mapping[ServiceName, UsageHistory], sort: Sort
) -> tuple[float, str]:
    usage = service.usage
    if usage is None or sort is Sort.ORDER:
        return 0.0, ""
    match sort:
        case Sort.NAME:
            return 0.0, service.name
        case Sort.CPU:
            history = histories.get(service.name)
            last = history.cpu_percents[-STEADY_SECONDS:] if history else (usage.cpu_percent,)
            return -sum(last) / max(1, len(last)), ""
        case Sort.MEMORY:
            return -usage.memory_bytes, ""
        case Sort.NETWORK:
            return -(usage.network.rate if usage.network else -1), ""
        case Sort.BLOCK:
            return -(usage.block.rate if usage.block else -1), ""
