"""Puts a running environment together: store, observer and effects in one task group.

The engine layer is imported when it is first needed: after the first frame.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devenv.cli.session import Session
from devenv.compose.model import Project
from devenv.compose.names import ServiceName
from devenv.state.actions import ModelLoaded
from devenv.state.logs import LogStore
from devenv.state.model import Environment, State
from devenv.state.store import Store

if TYPE_CHECKING:
    from devenv.engine.effects import EffectRunner


@dataclass(frozen=True, slots=True)
class UpOptions:
    """What the command line of `up` asks for."""

    services: tuple[ServiceName, ...] = ()
    without: tuple[ServiceName, ...] = ()
    build: bool = True


class Runtime:
    """The parts of a running environment; `running()` starts them and ends them together."""

    def __init__(
        self,
        session: Session,
        environment: Environment,
        options: UpOptions,
        *,
        on_output: Callable[[str, str], None],
        with_usage: bool,
        tail: int | None,
    ) -> None:
        self.session = session
        self.options = options
        self.store = Store(State(environment))
        self.logs = LogStore(session.files.settings.logs.memory_mb * 1024 * 1024)
        self._on_output = on_output
        self._with_usage = with_usage
        self._tail = tail
        self._observing: asyncio.Task[None] | None = None
        self.effects: EffectRunner | None = None

    @asynccontextmanager
    async def reducing(self) -> AsyncIterator[asyncio.TaskGroup]:
        """A task group in which the store runs; leaving it ends everything in it."""
        async with asyncio.TaskGroup() as tasks:
            reducing = tasks.create_task(self.store.run())
            children: list[asyncio.Task[None]] = [reducing]
            try:
                yield tasks
            finally:
                for task in children:
                    task.cancel()

    async def end(self) -> None:
        """End a running Compose command and stop following; containers stay as they are."""
        if self.effects is not None:
            await self.effects.cancel()
        if self._observing is not None:
            self._observing.cancel()

    def connect(self, tasks: asyncio.TaskGroup, project: Project) -> None:
        """Start following the engine and carrying out effects, until `end`."""
        from devenv.engine.effects import EffectRunner
        from devenv.engine.observe import Observer

        session = self.session
        self.effects = EffectRunner(
            tasks=tasks,
            compose=session.compose,
            selection=session.selection,
            environ=session.environ,
            client=session.client,
            dispatch=self.store.dispatch,
            project=lambda: self.store.state.project,
            prepare_up=self.prepare_up,
            clock=time.time,
            on_output=self._on_output,
            build=self.options.build,
            without=self.options.without,
        )
        self.store.set_effect_runner(self.effects.run)
        observer = Observer(
            session.client,
            project.name,
            self.store.dispatch,
            self.logs,
            clock=time.time,
            tail=self._tail,
            with_usage=self._with_usage,
        )
        self._observing = tasks.create_task(observer.run())

    async def load(self) -> Project:
        """The merged model, dispatched too. Raises what does not load."""
        project = await asyncio.to_thread(lambda: self.session.project)
        await self.store.dispatch(ModelLoaded(project))
        return project

    async def prepare_up(self, project: Project, services: tuple[ServiceName, ...]) -> None:
        """Look before the start for what would lose data or fail half-way.

        Raises PlanRefused, EngineUnavailable, ComposeFileError.
        """
        from devenv.engine.preflight import check_plan, load_hashes, load_plan
        from devenv.host.ports import find_listener

        session = self.session
        hashes = await load_hashes(session.compose, session.selection, session.environ)
        plan = await load_plan(
            session.client,
            project,
            hashes,
            only=services or self.options.services,
            without=self.options.without,
            find_listener=find_listener if session.endpoint.is_local else None,
        )
        check_plan(plan)
