"""The app on a real store, with a fixed clock and calls that are only noted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from textual.pilot import Pilot
from textual.widgets._footer import FooterKey

from devenv.compose.names import ServiceName
from devenv.state.actions import Action
from devenv.state.effects import Effect
from devenv.state.logs import LogLine, LogStore
from devenv.state.model import State
from devenv.state.store import Store
from devenv.tui.app import DevenvApp
from devenv.tui.ports import UiPorts
from tests.tui.states import NOW


class StartedApp(DevenvApp):
    """An app whose tests begin when all is there that the first frame leaves out."""

    @asynccontextmanager
    async def run_test(self, **options: Any) -> AsyncIterator[Pilot[str]]:
        async with super().run_test(**options) as pilot:
            await until(pilot, self._is_complete)
            await pilot.pause()
            yield pilot

    async def run_async(self, *args: Any, **options: Any) -> str | None:
        """What takes snapshots uses this."""
        auto_pilot: Any = options.get("auto_pilot")

        async def drive(pilot: Pilot[str]) -> None:
            await until(pilot, self._is_complete)
            await auto_pilot(pilot)

        if auto_pilot:
            options["auto_pilot"] = drive
        return await super().run_async(*args, **options)

    def _is_complete(self) -> bool:
        keys = list(self.query(FooterKey))
        return bool(keys) and keys[-1].region.width > 0 and self.tabs.tabs[-1].is_ready


@dataclass
class Harness:
    """An app and what it asked for."""

    app: DevenvApp
    store: Store
    logs: LogStore
    effects: list[Effect] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)

    def dispatch(self, action: Action) -> None:
        self.store.step(action)

    def drain(self) -> list[Effect]:
        """The effects of what the keys have dispatched."""
        while not self.store._queue.empty():
            self.store.step(self.store._queue.get_nowait())
        return self.effects


def make(state: State, lines: Iterable[LogLine] = (), limit_bytes: int = 1 << 27) -> Harness:
    store, logs = Store(state), LogStore(limit_bytes)
    logs.append(lines)
    opened: list[str] = []
    ready: list[float] = []

    def open_url(url: str) -> bool:
        opened.append(url)
        return True

    def run_shell(service: ServiceName) -> int:
        raise AssertionError(f"a test's terminal is never lent: {service}")

    def edit_file(path: str, line: int) -> int:
        raise AssertionError(f"a test's terminal is never lent: {path}:{line}")

    ports = UiPorts(
        on_ready=lambda: ready.append(NOW),
        clock=lambda: NOW,
        run_shell=run_shell,
        edit_file=edit_file,
        open_url=open_url,
    )
    harness = Harness(StartedApp(store, logs, ports), store, logs, opened=opened, ready=ready)
    store.set_effect_runner(harness.effects.append)
    return harness


async def until(pilot: Pilot[str], seen: Callable[[], bool]) -> None:
    """Let the app run until `seen` is true; fails after 20 s."""
    for _ in range(400):
        if seen():
            return
        await pilot.pause(0.05)
    raise AssertionError("waited 20 s for the app to show it")
