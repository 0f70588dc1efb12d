"""What a batch of planned changes asks for, each service once. Pure.

The strongest action of a service stands for all of its changes: a rebuild brings every file, a
restart after a sync is one restart. Changes of several saves are joined before anything is done.
"""

from __future__ import annotations

from collections.abc import Iterable

from devenv.compose.names import ServiceName
from devenv.compose.watch.values import PlannedChange, WatchAction
from devenv.values import dataclass, field

_ORDER = (
    WatchAction.REBUILD,
    WatchAction.SYNC_EXEC,
    WatchAction.SYNC_RESTART,
    WatchAction.SYNC,
    WatchAction.RESTART,
    WatchAction.LIVE,
)
SYNCS = frozenset({WatchAction.SYNC, WatchAction.SYNC_RESTART, WatchAction.SYNC_EXEC})


@dataclass(frozen=True, slots=True)
class ServiceWork:
    """What one service needs."""

    service: ServiceName
    action: WatchAction
    changes: tuple[PlannedChange, ...]
    """All of its changes but those to ignore, in the order of their paths."""

    @property
    def restarts(self) -> bool:
        """Whether the container is restarted after a sync, or without one."""
        wanted = {change.action for change in self.changes}
        return bool(wanted & {WatchAction.RESTART, WatchAction.SYNC_RESTART})

    @property
    def synced(self) -> tuple[PlannedChange, ...]:
        """The changes that are copied into the container."""
        return tuple(c for c in self.changes if c.action in SYNCS and c.target is not None)


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """A batch as work. `reload` holds the changes of the model's own files."""

    reload: tuple[PlannedChange, ...] = ()
    works: tuple[ServiceWork, ...] = field(default=())

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be said or done."""
        return not self.reload and not self.works


def plan_batch(changes: Iterable[PlannedChange]) -> BatchPlan:
    """The work of a batch; services in the order in which they are first named."""
    reload: list[PlannedChange] = []
    each: dict[ServiceName, list[PlannedChange]] = {}
    for change in changes:
        if change.action is WatchAction.RELOAD:
            reload.append(change)
        elif change.action is not WatchAction.IGNORE and change.service is not None:
            each.setdefault(change.service, []).append(change)
    works = tuple(
        ServiceWork(name, min((c.action for c in found), key=_ORDER.index), tuple(found))
        for name, found in each.items()
    )
    return BatchPlan(tuple(reload), works)


def join_work(first: ServiceWork, second: ServiceWork) -> ServiceWork:
    """Both works of one service as one; of a path that changed twice the later plan counts."""
    kept = {change.path: change for change in (*first.changes, *second.changes)}
    action = min(first.action, second.action, key=_ORDER.index)
    return ServiceWork(first.service, action, tuple(kept[path] for path in sorted(kept)))


def take_synced(work: ServiceWork) -> ServiceWork | None:
    """The part of a work that copies, for when its build failed; None where there is none."""
    changes = work.synced
    if not changes:
        return None
    return ServiceWork(work.service, min((c.action for c in changes), key=_ORDER.index), changes)
