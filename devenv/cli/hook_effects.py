"""The hooks of a running environment: before and after its operations, and again on request.

What each one does is told to the store; a failure is remembered too, so that `devenv ps` in
another terminal knows it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from devenv.cli.hook_failures import forget_failure, remember_failure
from devenv.cli.hook_run import HookRunner, OnOutput, hooks_of
from devenv.cli.session import Session
from devenv.compose.names import EnvironmentName
from devenv.errors import DevenvError
from devenv.host import paths
from devenv.host.last_starts import LastStart, load_last_start, remember_last_start
from devenv.host.memory import open_existing, open_memory
from devenv.state.actions import Action, HooksChanged
from devenv.state.effects import CancelOperation, Effect, RunHooks
from devenv.state.hooks import AFTER_START, HookRun, find_failed


class HookEffects:
    """Runs hooks for the store; one set at a time."""

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        dispatch: Callable[[Action], Awaitable[None]],
        on_output: OnOutput,
        session: Callable[[], Session],
        name: Callable[[], EnvironmentName],
        is_whole: Callable[[], bool],
    ) -> None:
        self._tasks = tasks
        self._dispatch = dispatch
        self._on_output = on_output
        self._session = session
        self._name = name
        self._is_whole = is_whole
        """Whether the last `up` was of all that this devenv is for: a single service has no
        hooks."""
        self._before: LastStart | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether hooks run that follow a start."""
        return self._task is not None and not self._task.done()

    @property
    def has_after(self) -> bool:
        """Whether hooks follow a start that ends well."""
        return any(self._wanted(event) for event in AFTER_START)

    def _wanted(self, event: str) -> bool:
        session = self._session()
        if not session.runs_hooks or not hooks_of(session, event):
            return False
        return event != "after_switch" or self._is_switched()

    def _is_switched(self) -> bool:
        before, now = self._before, _last_start(self._session(), self._name())
        return before is not None and (before.branch, before.profile) != (now.branch, now.profile)

    def run(self, effect: Effect) -> bool:
        """Start the effect and return at once; False where others are to have it too."""
        if isinstance(effect, CancelOperation) and self._task is not None:
            self._task.cancel()
        if not isinstance(effect, RunHooks):
            return False
        if self._is_whole() and not self.busy:
            self._task = self._tasks.create_task(self._run_after(effect))
        return True

    async def cancel(self) -> None:
        """End the hook that runs, its children too, and wait for that."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def wait(self) -> None:
        """Until the hooks that run have come to an end, well or not."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def before_up(self) -> None:
        """Before a start of everything. Raises HookFailed."""
        session, name = self._session(), self._name()
        await self._dispatch(HooksChanged(None))
        forget_failure(session, name)
        directory = paths.state_directory(session.environ)
        with open_existing(directory) as memory:
            self._before = load_last_start(memory, str(session.files.directory))
        if not self.has_after:
            self._remember_start()
        await self._run("before_up", holds=True)

    async def before_down(self) -> None:
        """Before the containers are removed. Raises HookFailed."""
        await self._dispatch(HooksChanged(None))
        await self._run("before_down", holds=True)

    async def _run_after(self, effect: RunHooks) -> None:
        begin = effect.begin
        with contextlib.suppress(DevenvError):  # the state has it, with its cause
            for event in effect.events:
                if self._wanted(event):
                    await self._run(event, begin)
                begin = 0
            self._remember_start()

    async def _run(self, event: str, begin: int = 0, *, holds: bool = False) -> None:
        session, name = self._session(), self._name()

        async def tell(event: str, runs: tuple[HookRun, ...]) -> None:
            failed = find_failed(runs)
            if failed is not None:
                remember_failure(session, name, failed)
            await self._dispatch(HooksChanged(event, runs))

        runner = HookRunner(session, name, tell, self._on_output, holds=holds, before=self._before)
        await runner.run(event, begin)
        forget_failure(session, name)

    def _remember_start(self) -> None:
        session = self._session()
        now = _last_start(session, self._name())
        with open_memory(paths.state_directory(session.environ), lambda _: None) as memory:
            remember_last_start(memory, str(session.files.directory), now)


def _last_start(session: Session, name: EnvironmentName) -> LastStart:
    files = session.files
    branch = files.git.effective_branch if files.git is not None else None
    return LastStart(branch, files.choice.name, name)
