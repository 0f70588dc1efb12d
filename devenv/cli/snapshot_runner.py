"""Saves and restores snapshots for the UI: progress, questions and the end come as actions."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping

from devenv.cli.session import Session
from devenv.engine.problems import to_problem
from devenv.errors import DevenvError
from devenv.report.tables import render_bytes
from devenv.state import actions as do
from devenv.state.effects import AnswerSnapshot, CancelSnapshot, Effect, RunSnapshot
from devenv.state.model import Problem, SnapshotVerb
from devenv.state.store import Store

_TELL_SECONDS = 0.2


class SnapshotRunner:
    """One at a time; the state sees to that."""

    def __init__(
        self, session: Callable[[], Session], tasks: asyncio.TaskGroup, store: Store
    ) -> None:
        self._session = session
        self._tasks = tasks
        self._store = store
        self._running: asyncio.Task[None] | None = None
        self._answer: asyncio.Future[bool] | None = None

    def run(self, effect: Effect) -> bool:
        """Whether the effect is one of its own; it is carried out in a task."""
        match effect:
            case RunSnapshot(verb, name):
                self._running = self._tasks.create_task(self._run(verb, name))
            case AnswerSnapshot(yes):
                if self._answer is not None and not self._answer.done():
                    self._answer.set_result(yes)
            case CancelSnapshot():
                if self._running is not None:
                    self._running.cancel()
            case _:
                return False
        return True

    async def end(self) -> None:
        """Cancel what is under way, and wait until its services go on."""
        if self._running is not None and not self._running.done():
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self, verb: SnapshotVerb, name: str) -> None:
        words, problem = "", None
        try:
            words = await self._carry_out(verb, name)
        except DevenvError as error:
            problem = to_problem(error)
        except asyncio.CancelledError:
            problem = Problem(f"{verb.value} of snapshot {name} was cancelled.")
            current = asyncio.current_task()
            if current is not None:
                current.uncancel()
        await self._store.dispatch(do.SnapshotFinished(words, problem))

    async def _carry_out(self, verb: SnapshotVerb, name: str) -> str:
        from devenv.cli.snapshot_restore import restore_snapshot
        from devenv.cli.snapshots import SaveOptions, save_snapshot

        session, progress = self._session(), _Progress(self._store)
        if verb is SnapshotVerb.SAVE:
            saved = await save_snapshot(
                session, SaveOptions(name), ask=self._ask, progress=progress, tell=self._tell
            )
            return f"Saved {name}: {render_bytes(saved.size_bytes)}" if saved else "Nothing saved."
        restored = await restore_snapshot(
            session, name, (), ask=self._ask, progress=progress, tell=self._tell
        )
        size = render_bytes(restored.size_bytes) if restored else ""
        return f"Restored {name}: {size}" if restored else "Nothing was changed."

    async def _tell(self, words: str) -> None:
        await self._store.dispatch(do.SnapshotTold(words))

    async def _ask(self, question: str) -> bool:
        self._answer = asyncio.get_running_loop().create_future()
        await self._store.dispatch(do.SnapshotAsked(question))
        return await self._answer


class _Progress:
    """Tells the state a few times a second."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._totals: Mapping[str, int] = {}
        self._words, self._key = "", ""
        self._told = 0.0

    def expect(self, totals: Mapping[str, int]) -> None:
        self._totals = totals

    def begin(self, words: str, key: str) -> None:
        self._words, self._key = f"{words} {key}", key
        self._tell(self._words)

    def on_bytes(self, done: int) -> None:
        now = time.monotonic()
        if now - self._told >= _TELL_SECONDS:
            self._told = now
            total = self._totals.get(self._key)
            of = f" of {render_bytes(total)}" if total and total >= done else ""
            self._tell(f"{self._words}, {render_bytes(done)}{of}")

    def end(self, done: int) -> None:
        self._tell(f"{self._words}, {render_bytes(done)}")

    def _tell(self, words: str) -> None:
        with contextlib.suppress(asyncio.QueueFull):  # the next one says it
            self._store.dispatch_soon(do.SnapshotTold(words))
