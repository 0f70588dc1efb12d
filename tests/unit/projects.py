"""Small models and containers for the tests of pure code."""

from __future__ import annotations

import json
from typing import Any

from devenv.compose.model import Project
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.compose.parse_config import parse_project
from devenv.state.containers import Container, ContainerId, Health
from devenv.state.model import Environment, State

SAMPLE: dict[str, Any] = {
    "app": {"image": "app", "depends_on": {"db": {"condition": "service_healthy"}}},
    "db": {"image": "db", "healthcheck": {"test": ["CMD", "true"], "interval": "2s"}},
}


def make_project(services: dict[str, Any] | None = None, **rest: Any) -> Project:
    """A project parsed as Compose would have printed it."""
    services = SAMPLE if services is None else services
    return parse_project(json.dumps({"name": "shop", "services": services, **rest}))


def make_container(service: str, **values: Any) -> Container:
    """A running container of a service; `values` override."""
    defaults: dict[str, Any] = {
        "id": ContainerId(f"id-{service}"),
        "service": ServiceName(service),
        "name": f"shop-{service}-1",
        "state": "running",
        "health": Health.NONE,
        "started_at": 100.0,
    }
    return Container(**{**defaults, **values})


def make_state() -> State:
    return State(Environment(EnvironmentName("shop"), "/src/shop"))
