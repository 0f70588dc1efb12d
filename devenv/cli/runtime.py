"""Puts a running environment together: store, observer and effects in one task group.

The engine layer is imported when it is first needed: after the first frame.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from devenv.cli.session import Session
from devenv.cli.source_watch import SourceWatch
from devenv.cli.start_recorder import StartRecorder
from devenv.cli.up_options import UpOptions
from devenv.compose.model import Project
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.engine.compose import Selection
from devenv.state.actions import (
    ChecksRequested,
    DriftExplained,
    EnvironmentNamed,
    InactiveFound,
    ModelLoaded,
    ModelRequested,
)
from devenv.state.effects import ExplainDrift, ResumeServices, RunHooks
from devenv.state.logs import LogStore
from devenv.state.model import Checks, Environment, State
from devenv.state.store import Store

if TYPE_CHECKING:
    from devenv.cli.check_runner import CheckRunner
    from devenv.cli.environment_work import EnvironmentWork
    from devenv.cli.hook_effects import HookEffects
    from devenv.cli.model_loader import ModelLoader
    from devenv.cli.snapshot_runner import SnapshotRunner
    from devenv.cli.switch_menu import SwitchMenu
    from devenv.engine.effects import EffectRunner
    from devenv.state.effects import Effect


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
        arrivals: bool = False,
    ) -> None:
        self.session = session
        self._began = time.time()
        self.options = options
        self.store = Store(State(environment))
        limit_bytes = session.files.settings.logs.memory_mb * 1024 * 1024
        self.logs = LogStore(limit_bytes, arrivals=arrivals)
        self._on_output = on_output
        self._with_usage = with_usage
        self._tail = tail
        self._observing: asyncio.Task[None] | None = None
        self._followed: EnvironmentName | None = None
        self.effects: EffectRunner | None = None
        self._checks: CheckRunner | None = None
        self._snapshots: SnapshotRunner | None = None
        self._loader: ModelLoader | None = None
        self._watching: asyncio.Task[None] | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._starts: StartRecorder | None = None
        self._sources: SourceWatch | None = None
        self._watching_branch: asyncio.Task[None] | None = None
        self._hooks: HookEffects | None = None
        self._switch_menu: SwitchMenu | None = None
        self._environments: EnvironmentWork | None = None

    @property
    def is_connected(self) -> bool:
        """Whether the environment is followed on the engine."""
        return self._observing is not None

    @asynccontextmanager
    async def reducing(self) -> AsyncIterator[asyncio.TaskGroup]:
        """A task group in which the store runs; leaving it ends everything in it."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            self._sources = SourceWatch(
                tasks,
                self.store,
                lambda: self.session,
                self.logs,
                options=lambda: self.options,
                began=self._began,
            )
            self._starts = StartRecorder(
                tasks,
                self.store,
                lambda: self.session,
                self._wait_for_hooks,
                partial(self._on_output, "note"),
            )
            self.store.set_effect_runner(self._run_effect)
            reducing = tasks.create_task(self.store.run())
            try:
                yield tasks
            finally:
                reducing.cancel()

    def _run_effect(self, effect: Effect) -> None:
        """Hand an effect to the part that carries it out; before that part is there, drop it."""
        if self._tasks is not None and isinstance(effect, ResumeServices):
            self._tasks.create_task(self._resume(effect.services))
            return
        if self._tasks is not None and isinstance(effect, ExplainDrift):
            self._tasks.create_task(self._explain_drift(effect))
            return
        if isinstance(effect, RunHooks):
            self.hooks.run(effect)
            return
        menus = (self._switch_menu, self._environments, self._snapshots)
        always = (self._starts, self._sources)
        for part in (*always, self._loader, self._checks, self._hooks, *menus):
            if part is not None and part.run(effect):
                return
        if self.effects is not None:
            self.effects.run(effect)

    @property
    def sources(self) -> SourceWatch:
        """The watch of the sources; only while the store runs."""
        assert self._sources is not None
        return self._sources

    async def _wait_for_hooks(self) -> None:
        if self._hooks is not None:
            await self._hooks.wait()

    @property
    def hooks(self) -> HookEffects:
        """What runs the hooks, made when it is first needed; only while the store runs."""
        if self._hooks is None:
            from devenv.cli.hook_effects import HookEffects

            assert self._tasks is not None
            self._hooks = HookEffects(
                self._tasks,
                self.store.dispatch,
                self._on_output,
                lambda: self.session,
                lambda: self.store.state.environment.name,
                self._is_whole,
            )
        return self._hooks

    def _is_whole(self) -> bool:
        operation = self.store.state.operation
        return operation is not None and operation.services in ((), self.options.services)

    def watch_branch(self, tasks: asyncio.TaskGroup, project: Project) -> None:
        """Propose a switch whenever the checkout's branch changes, until `end`."""
        from devenv.cli.branch_watch import BranchWatcher

        watcher = BranchWatcher(self.session, project.name, self.store.dispatch)
        self._watching_branch = tasks.create_task(watcher.run())

    def offer_switches(self, tasks: asyncio.TaskGroup) -> None:
        """From now on profiles and branches can be looked through."""
        from devenv.cli.switch_menu import SwitchMenu

        def running() -> tuple[EnvironmentName | None, tuple[ServiceName, ...]]:
            state = self.store.state
            containers = state.containers.values()
            alive = {c.service for c in containers if c.state in ("running", "paused")}
            alive -= set(state.environment.shared)  # which belong to no branch
            return self._followed, tuple(sorted(alive))

        self._switch_menu = SwitchMenu(lambda: self.session, tasks, self.store.dispatch, running)

    def offer_environments(self, tasks: asyncio.TaskGroup) -> None:
        """From now on the repository's environments can be looked at, started and stopped."""
        from devenv.cli.environment_work import EnvironmentWork

        self._environments = EnvironmentWork(
            lambda: self.session,
            tasks,
            self.store.dispatch,
            lambda line: self._on_output("note", line),
        )

    async def _find_stale(self) -> set[ServiceName]:
        from devenv.cli.watch_keep import find_stale_services

        self.sources.keep()
        return await find_stale_services(self.session)

    async def _resume(self, services: tuple[ServiceName, ...]) -> None:
        from devenv.cli.branch_watch import resume_services
        from devenv.errors import EngineUnavailable

        with contextlib.suppress(EngineUnavailable):  # then the engine's state says so
            await resume_services(self.session, self.session.project.name, services)

    async def _explain_drift(self, effect: ExplainDrift) -> None:
        from devenv.cli.background import in_thread
        from devenv.cli.drift import load_drift

        project = self.store.state.project
        if project is not None:
            drift = await in_thread(
                partial(load_drift, self.session, project, effect.service, effect.hash)
            )
            await self.store.dispatch(DriftExplained(effect.service, drift))

    async def end(self) -> None:
        """End a running Compose command and stop following; containers stay as they are."""
        if self._starts is not None:
            self._starts.end()
        if self._snapshots is not None:
            await self._snapshots.end()
        if self.effects is not None:
            await self.effects.cancel()
        if self._hooks is not None:
            await self._hooks.cancel()
        for task in (self._observing, self._watching, self._watching_branch):
            if task is not None:
                task.cancel()
        if self._environments is not None:
            await self._environments.cancel()
        for part in (self._sources, self._loader, self._checks, self._switch_menu):
            if part is not None:
                part.cancel()

    def load_model(
        self, tasks: asyncio.TaskGroup, on_failure: Callable[[], Awaitable[None]]
    ) -> None:
        """Load the model, now and whenever one of its files changes, until `end`.

        `on_failure` is called after each `ModelFailed`.
        """
        from devenv.cli.model_loader import ModelLoader

        self._loader = ModelLoader(
            self.session, tasks, self.store.dispatch, self._take_session, on_failure
        )
        self.store.dispatch_soon(ModelRequested())
        self._watching = tasks.create_task(self._watch())

    def _take_session(self, session: Session) -> None:
        self.session = session
        if self.effects is not None:
            self.effects.use(session.selection, session.files.compose_files, session.environ)

    async def check(self, tasks: asyncio.TaskGroup) -> Checks:
        """Run the checks and wait for them."""
        self.offer_checks(tasks)
        finished: asyncio.Future[Checks] = asyncio.get_running_loop().create_future()
        before = self.store.state.checks

        def take_state(state: State) -> None:
            fresh = state.checks is not before and not state.checking
            if fresh and state.checks is not None and not finished.done():
                finished.set_result(state.checks)

        self.store.subscribe(take_state)
        await self.store.dispatch(ChecksRequested())
        return await finished

    def offer_checks(self, tasks: asyncio.TaskGroup) -> None:
        """From now on the checks run when they are asked for."""
        from devenv.cli.check_runner import CheckRunner

        self._checks = CheckRunner(self.session, tasks, self.store.dispatch)

    def offer_snapshots(self, tasks: asyncio.TaskGroup) -> None:
        """From now on snapshots are saved and restored when they are asked for."""
        from devenv.cli.snapshot_runner import SnapshotRunner

        self._snapshots = SnapshotRunner(lambda: self.session, tasks, self.store)

    async def _watch(self) -> None:
        from devenv.watch.watcher import FileWatcher

        watcher = FileWatcher(self.store.dispatch)

        def take_state(state: State) -> None:
            checked = state.checks.files if state.checks else ()
            watcher.set_files((*state.model_files, *checked))

        take_state(self.store.state)
        self.store.subscribe(take_state)
        await watcher.run()

    def connect(
        self, tasks: asyncio.TaskGroup, name: EnvironmentName, *, has_model: bool = True
    ) -> None:
        """Start following the environment on the engine and carrying out effects, until `end`.

        Where it is followed already under another name, that ends. Without a model, operations
        act by the labels of the containers.
        """
        from devenv.cli.exclusive import hold_environment
        from devenv.cli.operation_steps import OperationSteps
        from devenv.cli.shared_look import find_shared
        from devenv.engine.effects import EffectRunner
        from devenv.engine.observe import Observer

        session = self.session
        if self._observing is not None:
            if self._followed == name:
                return
            self._observing.cancel()
        self._followed = name
        if self.effects is None:
            steps = OperationSteps(
                lambda: self.session,
                lambda: self.store.state,
                lambda: self.options,
                lambda: self.hooks,
                self._on_output,
                prints_notes=not self._with_usage,
            )
            self.effects = EffectRunner(
                tasks=tasks,
                compose=session.compose,
                selection=Selection(session.start, name),
                files=(),
                environ=session.environ,
                client=session.client,
                dispatch=self.store.dispatch,
                project=lambda: self.store.state.project,
                prepare=steps.prepare,
                finish=steps.finish,
                find_stale=self._find_stale,
                hold=lambda verb, tell: hold_environment(
                    self.session, self.store.state.environment.name, verb, tell
                ),
                clock=time.time,
                on_output=self._on_output,
                build=self.options.build,
            )
        self.effects.without = self.options.without
        if has_model:
            self._take_session(session)
        else:
            self.act_by_labels()
        shared = find_shared(session) if has_model else None
        observer = Observer(
            session.client,
            name,
            self.store.dispatch,
            self.logs,
            clock=time.time,
            tail=self._tail,
            with_usage=self._with_usage,
            shared=shared.name if shared is not None else None,
        )
        self._observing = tasks.create_task(observer.run())

    async def connect_by_labels(self, tasks: asyncio.TaskGroup) -> None:
        """Follow the environment that the containers of this directory belong to."""
        from devenv.cli.background import in_thread
        from devenv.cli.environment_names import guess_environment_name

        name = await in_thread(partial(guess_environment_name, self.session))
        await self.store.dispatch(EnvironmentNamed(name))
        self.connect(tasks, name, has_model=False)

    def act_by_labels(self) -> None:
        """Let operations reach the containers without any file: none loads now."""
        if self.effects is None or self._followed is None:
            return
        own = ("COMPOSE_FILE", "COMPOSE_PROFILES", "COMPOSE_ENV_FILES")
        environ = {k: v for k, v in self.session.environ.items() if k not in own}
        # Compose looks for files from the working directory upwards: in / it finds none.
        by_name = Selection(Path("/"), self._followed, env_files=(Path("/dev/null"),))
        self.effects.use(by_name, (), environ)

    async def load(self) -> Project:
        """The merged model, dispatched too. Raises what does not load."""
        from devenv.cli.background import in_thread

        project = await in_thread(lambda: self.session.project)
        await self.store.dispatch(ModelLoaded(project))
        return project

    async def find_inactive(self) -> None:
        """Dispatch the services that the profile leaves out."""
        from devenv.cli.background import in_thread
        from devenv.cli.inactive import load_inactive

        inactive = await in_thread(partial(load_inactive, self.session))
        await self.store.dispatch(InactiveFound(inactive))
