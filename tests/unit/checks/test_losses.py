"""Who loses what by `up --except`."""

from __future__ import annotations

from typing import Any

from devenv.checks.losses import find_losses
from devenv.compose.names import ServiceName
from tests.unit.projects import make_project

SERVICES: dict[str, Any] = {
    "db": {"image": "d"},
    "cache": {"image": "c"},
    "job": {"image": "j", "depends_on": {"db": {"condition": "service_healthy"}}},
    "app": {
        "image": "a",
        "depends_on": {
            "db": {"condition": "service_healthy"},
            "job": {"condition": "service_completed_successfully"},
            "cache": {"condition": "service_started"},
        },
        "environment": {"DATABASE_URL": "pg://u:secret@db:5432/x", "DB_HOST": "db", "MODE": "db"},
    },
    "side": {"image": "s", "network_mode": "service:app"},
    "lone": {"image": "l"},
}


def _losses(*without: str, only: tuple[str, ...] = ()) -> list[str]:
    names = [ServiceName(name) for name in without]
    wanted = [ServiceName(name) for name in only]
    return [loss.text for loss in find_losses(make_project(SERVICES), wanted, names)]


def test_each_kind_of_loss() -> None:
    assert _losses("db", "cache") == [
        "app: cache is not started for it",
        "app: starts without waiting for db to be healthy; "
        "DATABASE_URL, DB_HOST name db, which does not answer",
        "job: starts without waiting for db to be healthy",
    ]
    assert _losses("job") == ["app: starts without job having completed"]
    assert _losses("app") == ["side: cannot start: it uses the network of app"]


def test_only_what_is_started_can_lose() -> None:
    assert _losses("db", only=("lone",)) == []
    assert _losses("lone") == []
    assert _losses() == []
