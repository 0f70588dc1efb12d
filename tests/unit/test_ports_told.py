"""`devenv port` where nothing is published: why, in words that are true of what runs."""

from __future__ import annotations

import pytest

from devenv.cli.listing import _no_port
from devenv.compose.names import ServiceName
from devenv.state.model import ServiceState, ServiceStatus

from .projects import make_container


def state(name: str, *, runs: bool) -> ServiceState:
    containers = (make_container(name, state="running" if runs else "exited"),)
    status = ServiceStatus.RUNNING if runs else ServiceStatus.STOPPED
    return ServiceState(ServiceName(name), status, containers=containers)


@pytest.mark.parametrize(
    ("running", "said"),
    [
        ((True, True), "Every service runs, but publishes no port."),
        ((True, False), "No service that runs publishes a port."),
        ((False, False), "No service runs."),
    ],
)
def test_why_there_is_no_address(running: tuple[bool, bool], said: str) -> None:
    services = [state(name, runs=runs) for name, runs in zip("ab", running, strict=True)]
    assert _no_port(None, None, services).message == said
