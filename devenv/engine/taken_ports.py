"""Host ports that a start would want and someone else holds."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from devenv.compose.host_ports import parse_range, shares_address
from devenv.compose.model import Project
from devenv.compose.names import ServiceName
from devenv.compose.plan import PortConflict
from devenv.engine.containers import LABEL_PROJECT

FindListener = Callable[[int, str, str | None], str | None]
"""Called with a port, `tcp` or `udp`, and the host's address or None for all of them."""


def find_port_conflicts(
    project: Project,
    names: Collection[ServiceName],
    own: list[dict[str, Any]],
    others: list[dict[str, Any]],
    find_listener: FindListener | None,
) -> list[PortConflict]:
    """The host ports of the planned services that cannot be had.

    `own` and `others` are the engine's rows for containers. A port that one of the environment's
    own containers publishes is not looked up: Compose moves it from the old container to the new
    one. Of a range (`3000-3010:80`) the engine takes one that no container has, so all have
    to be taken.
    """
    ours = {
        (port.get("PublicPort"), port.get("Type")) for c in own for port in c.get("Ports") or ()
    }
    conflicts = []
    for name in names:
        for port in project.services[name].ports:
            numbers = parse_range(port.published)
            holder = None
            for number in numbers:
                holder = None
                if (number, port.protocol) in ours:
                    break
                holder = _holding_container(number, port.protocol, port.host_ip, others)
                if holder is None and find_listener is not None:
                    holder = find_listener(number, port.protocol, port.host_ip)
                if holder is None:
                    break
            if holder is not None:
                conflicts.append(PortConflict(name, numbers[-1], port.protocol, holder))
    return conflicts


def _holding_container(
    port: int, protocol: str, host_ip: str | None, containers: list[dict[str, Any]]
) -> str | None:
    for container in containers:
        for published in container.get("Ports") or ():
            if (
                published.get("PublicPort") == port
                and published.get("Type") == protocol
                and shares_address(published.get("IP"), host_ip)
            ):
                names = container.get("Names") or ["?"]
                project = (container.get("Labels") or {}).get(LABEL_PROJECT)
                of_project = f" of Compose project {project}" if project else ""
                return f"container {names[0].removeprefix('/')}{of_project}"
    return None
