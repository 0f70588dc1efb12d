"""The question that a change of branch brings up, and its answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from devenv.compose.names import ServiceName
from devenv.state.actions import SwitchProposed
from devenv.state.effects import Effect, ResumeServices
from devenv.state.model import Problem, SwitchProposal
from devenv.tui.screens import SwitchOffer
from tests.tui import states
from tests.tui.harness import make, until

SIZE = (120, 36)


PROPOSAL = SwitchProposal(
    branch="feature/search",
    profile="search",
    environment="shop-feature-search-3fa2",
    plan=(
        "from shop to shop-feature-search-3fa2",
        "stop  app  of environment shop; its data stays",
        "create  app  has no container yet",
        "data: new and empty: shop-feature-search-3fa2_pgdata",
    ),
    paused=(ServiceName("app"),),
)


@pytest.mark.parametrize(
    ("key", "answer", "effects"),
    [
        ("enter", "switch", []),
        ("escape", None, [ResumeServices((ServiceName("app"),))]),
    ],
)
async def test_a_switch_that_the_branch_asks_for(
    key: str, answer: str | None, effects: list[Effect]
) -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        harness.dispatch(SwitchProposed(PROPOSAL))
        await until(pilot, lambda: isinstance(harness.app.screen, SwitchOffer))
        await pilot.press(key)
        await pilot.pause()
        assert harness.app.return_value == answer
        assert [e for e in harness.drain() if isinstance(e, ResumeServices)] == effects
        if answer is None:
            assert harness.store.state.proposal is None


async def test_a_switch_that_is_taken_back_closes_its_question() -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        harness.dispatch(SwitchProposed(PROPOSAL))
        await until(pilot, lambda: isinstance(harness.app.screen, SwitchOffer))
        harness.dispatch(SwitchProposed(None))
        await until(pilot, lambda: not isinstance(harness.app.screen, SwitchOffer))
        broken = replace(PROPOSAL, problem=Problem("compose.yaml does not load"))
        harness.dispatch(SwitchProposed(broken))
        await pilot.pause()
        assert not isinstance(harness.app.screen, SwitchOffer)


@pytest.mark.parametrize("size", [(120, 36), (80, 24)], ids=["wide", "80x24"])
def test_switch_offer(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    harness = make(states.healthy(), states.lines())

    async def propose(pilot: Pilot[str]) -> None:
        harness.dispatch(SwitchProposed(PROPOSAL))
        await until(pilot, lambda: isinstance(harness.app.screen, SwitchOffer))

    assert snap_compare(harness.app, terminal_size=size, run_before=propose)
