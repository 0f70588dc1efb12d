"""Work of the watch that fails in a way nobody foresaw: it alone fails, and the watch goes on."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from devenv.cli.watch_tell import Teller
from devenv.cli.watch_work import Worker
from devenv.compose.names import ServiceName
from devenv.compose.watch.values import WatchAction
from devenv.state.watch import Outcome
from devenv.state.watch_events import ActivityEnded, WatchEvent

APP = ServiceName("app")


async def test_a_file_that_goes_ends_only_the_work_that_wanted_it() -> None:
    events: list[WatchEvent] = []
    teller = Teller(events.append, Path("/p"))
    session = SimpleNamespace(client=None)
    model: Any = SimpleNamespace(session=session, project=SimpleNamespace(name="shop"))
    worker = Worker(model, teller, lambda number, line: None)

    async def copies() -> bool:
        raise FileNotFoundError(2, "it went", "/p/src/a.txt")

    doing = teller.start(WatchAction.SYNC, (APP,), ())
    assert not await worker._run(doing, copies())
    (ended,) = [event for event in events if isinstance(event, ActivityEnded)]
    assert ended.activity.outcome is Outcome.FAILED
    assert ended.activity.problem is not None
    assert "/p/src/a.txt" in ended.activity.problem.message
