"""What is said of a published port: its address, and a URL where a browser has a use for it."""

from __future__ import annotations

import pytest

from devenv.state.containers import PublishedPort
from devenv.state.model import ServiceState, ServiceStatus
from devenv.tui.text import first_url

from .projects import make_container


@pytest.mark.parametrize(
    ("port", "url", "is_web"),
    [
        (PublishedPort("0.0.0.0", 3000, 3000), "http://localhost:3000", True),
        (PublishedPort("::", 32768, 443), "https://localhost:32768", True),
        (PublishedPort("10.0.0.7", 8443, 8443), "https://10.0.0.7:8443", True),
        (PublishedPort("fd00::7", 80, 80), "http://[fd00::7]:80", True),
        (PublishedPort("127.0.0.1", 15432, 5432), "http://localhost:15432", False),
        (PublishedPort("0.0.0.0", 443, 443, "udp"), "https://localhost:443", False),
    ],
)
def test_addresses(port: PublishedPort, url: str, is_web: bool) -> None:
    assert (port.url, port.is_web) == (url, is_web)


def test_the_url_of_a_service_is_that_of_a_port_for_browsers() -> None:
    ports = (PublishedPort("0.0.0.0", 1025, 1025), PublishedPort("0.0.0.0", 8025, 8025))
    containers = (make_container("mail", ports=ports),)
    service = ServiceState(containers[0].service, ServiceStatus.RUNNING, containers=containers)
    assert first_url(service) == "http://localhost:8025"
