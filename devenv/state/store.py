"""Holds the state: one bounded queue in, subscribers and effects out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from devenv.state.actions import Action
from devenv.state.effects import Effect
from devenv.state.model import State
from devenv.state.reduce import reduce

QUEUE_SIZE = 1000
"""Actions wait when the queue is full: none may be lost."""

Subscriber = Callable[[State], None]
EffectRunner = Callable[[Effect], None]


class Store:
    """Reduces actions in order and tells subscribers once per drained batch.

    Subscribers and the effect runner are plain functions: they hand over and return, and never
    await a dispatch of their own.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._queue: asyncio.Queue[Action] = asyncio.Queue(QUEUE_SIZE)
        self._subscribers: list[Subscriber] = []
        self._run_effect: EffectRunner = lambda effect: None

    @property
    def state(self) -> State:
        return self._state

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call `subscriber(state)` after each batch that changed the state."""
        self._subscribers.append(subscriber)

    def set_effect_runner(self, run_effect: EffectRunner) -> None:
        """Hand every effect to `run_effect`, which starts a task and returns."""
        self._run_effect = run_effect

    async def dispatch(self, action: Action) -> None:
        """Queue an action; waits while the queue is full."""
        await self._queue.put(action)

    def dispatch_soon(self, action: Action) -> None:
        """Queue a user's action from a key handler. Raises asyncio.QueueFull when swamped."""
        self._queue.put_nowait(action)

    async def run(self) -> None:
        """Reduce until cancelled."""
        while True:
            self.step(await self._queue.get())

    def step(self, action: Action) -> None:
        """Reduce `action` and whatever else is queued, then tell the subscribers once."""
        before = self._state
        effects: list[Effect] = []
        while True:
            self._state, asked = reduce(self._state, action)
            effects.extend(asked)
            if self._queue.empty():
                break
            action = self._queue.get_nowait()
        for effect in effects:
            self._run_effect(effect)
        if self._state is not before:
            for subscriber in self._subscribers:
                subscriber(self._state)
