"""A service that all environments share: shown in each, stopped from none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from devenv.compose.names import EnvironmentName, ServiceName
from devenv.state.actions import ContainerChanged
from devenv.state.containers import Health
from devenv.state.effects import RunOperation
from devenv.state.model import State
from devenv.state.reduce import reduce
from tests.tui import states
from tests.tui.harness import make, until

SEARCH = ServiceName("search")


def shared() -> State:
    state = states.healthy()
    environment = replace(
        state.environment, shared=(SEARCH,), shared_name=EnvironmentName("shop-shared")
    )
    container = states.container("search", health=Health.HEALTHY, port=9200)
    return reduce(replace(state, environment=environment), ContainerChanged(container))[0]


def test_its_row_says_that_it_is_shared() -> None:
    service = shared().service(SEARCH)
    assert service is not None
    assert (service.status.value, service.detail) == ("healthy", "shared by all environments")


@pytest.mark.parametrize("key", ["s", "r", "u"])
async def test_no_key_stops_it_for_the_others(key: str) -> None:
    harness = make(shared())
    async with harness.app.run_test(size=(120, 36)) as pilot:
        names = [service.name for service in harness.store.state.services]
        await pilot.press(*["down"] * (names.index(SEARCH) + 1), key)
        await until(pilot, lambda: bool(harness.app._notifications))
        [said] = [notification.message for notification in harness.app._notifications]
        assert "is shared by all environments" in said
        assert not [e for e in harness.drain() if isinstance(e, RunOperation)]
