"""What `up --except` takes from the services that are started: who loses what."""

from __future__ import annotations

from collections.abc import Collection

from devenv.checks.hosts import find_hosts
from devenv.compose.graph import resolve_closure
from devenv.compose.model import Condition, Dependency, Project
from devenv.compose.names import ServiceName
from devenv.values import dataclass

_CONDITIONS = {
    Condition.STARTED: "{} is not started for it",
    Condition.HEALTHY: "starts without waiting for {} to be healthy",
    Condition.COMPLETED: "starts without {} having completed",
}
_IMPLIED = {
    "network_mode": "cannot start: it uses the network of {}",
    "pid": "cannot start: it uses the processes of {}",
    "ipc": "cannot start: it uses the shared memory of {}",
    "volumes_from": "cannot start: it mounts the volumes of {}",
    "links": "does not reach {}, to which it is linked",
}


@dataclass(frozen=True, slots=True)
class Loss:
    """One service that is started, and one that it would need."""

    service: ServiceName
    on: ServiceName
    effects: tuple[str, ...]
    """Sentence parts, in the order of their weight."""

    @property
    def text(self) -> str:
        return f"{self.service}: {'; '.join(self.effects)}"


def find_losses(
    project: Project, only: Collection[ServiceName], without: Collection[ServiceName]
) -> tuple[Loss, ...]:
    """What the services of a start (`only`, or all, with their needs) lose by leaving some out.

    By `depends_on` and what else makes an edge, and by variables and commands that name a host.
    """
    if not without:
        return ()
    left = resolve_closure(project, only or project.services) - frozenset(without)
    found = []
    for name in sorted(left):
        service = project.services[name]
        edges = {edge.service: edge for edge in service.dependencies}
        hosts: dict[str, list[str]] = {}
        for key, _, host in find_hosts(service):
            hosts.setdefault(host, []).append(key[-1])
        for on in sorted(without):
            effects = [_edge_words(edges[on])] if on in edges else []
            if on.lower() in hosts:
                keys = tuple(dict.fromkeys(hosts[on.lower()]))
                verb = "names" if len(keys) == 1 else "name"
                effects.append(f"{', '.join(keys)} {verb} {on}, which does not answer")
            if effects:
                found.append(Loss(name, on, tuple(effects)))
    return tuple(found)


def _edge_words(edge: Dependency) -> str:
    implied = _IMPLIED.get(edge.implied_by or "")
    return (implied or _CONDITIONS[edge.condition]).format(edge.service)
