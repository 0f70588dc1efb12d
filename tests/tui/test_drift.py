"""Services that run otherwise than the files say: shown as stale, recreated by a key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from devenv.compose.names import ServiceName
from devenv.state.actions import DriftExplained, HashesLoaded
from devenv.state.drift import Drift
from devenv.state.effects import RunOperation
from devenv.state.model import OperationKind, State
from devenv.state.reduce import reduce
from tests.tui import states
from tests.tui.harness import make

APP, WORKER = ServiceName("app"), ServiceName("worker")


def stale() -> State:
    """`app` and `worker` were made with another configuration."""
    state = states.healthy()
    containers = {key: replace(c, config_hash="old") for key, c in state.containers.items()}
    hashes = dict.fromkeys((ServiceName("db"), ServiceName("cache")), "old")
    state = replace(state, containers=containers)
    state, _ = reduce(state, HashesLoaded({**hashes, APP: "new", WORKER: "new"}))
    lines = ("environment.MODE: dev → test", "image: shop:1 → shop:2", "user: 1 → 2", "tty: a → b")
    return reduce(state, DriftExplained(APP, Drift("old", lines)))[0]


@pytest.mark.parametrize(
    ("size", "keys"),
    [((120, 36), ("down",) * 4), ((80, 24), ("down",) * 4), ((80, 24), ())],
    ids=["wide-chosen", "80x24-chosen", "80x24"],
)
def test_stale_services(
    snap_compare: Callable[..., bool], size: tuple[int, int], keys: tuple[str, ...]
) -> None:
    assert snap_compare(make(stale(), states.lines()).app, terminal_size=size, press=keys)


@pytest.mark.parametrize(
    ("keys", "services"),
    [(("R",), (APP, WORKER)), (("down", "down", "down", "down", "R"), (APP,)), (("down", "R"), ())],
    ids=["all", "the chosen one", "one that is not stale"],
)
async def test_the_key_recreates_what_is_stale(
    keys: tuple[str, ...], services: tuple[ServiceName, ...]
) -> None:
    harness = make(stale())
    async with harness.app.run_test(size=(120, 36)) as pilot:
        await pilot.press(*keys)
        asked = [effect for effect in harness.drain() if isinstance(effect, RunOperation)]
    assert asked == ([RunOperation(OperationKind.RECREATE, services)] if services else [])
