"""The Environments screen's work: looking at all environments of the repository, starting and
stopping one, while the UI runs."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Literal

from devenv.cli.background import in_thread
from devenv.cli.environments import EnvironmentRow, load_rows
from devenv.cli.session import Session
from devenv.compose.names import EnvironmentName
from devenv.engine.problems import to_problem
from devenv.engine.process import run_process
from devenv.errors import CommandFailed, DevenvError
from devenv.state.actions import Action, EnvironmentActed, EnvironmentsLoaded
from devenv.state.effects import ActOnEnvironment, Effect, LoadEnvironments
from devenv.state.environments import EnvironmentView
from devenv.state.text import sanitize

SIZE_SECONDS = 30.0
"""How long sizes of volumes are taken as they were: the engine counts every file for them."""

RETRY_SECONDS = 8.0


class EnvironmentWork:
    """Carries out `LoadEnvironments` and `ActOnEnvironment`; no key waits for it."""

    def __init__(
        self,
        session: Callable[[], Session],
        tasks: asyncio.TaskGroup,
        dispatch: Callable[[Action], Awaitable[None]],
        on_line: Callable[[str], None],
    ) -> None:
        self._session = session
        self._tasks = tasks
        self._dispatch = dispatch
        self._on_line = on_line
        self._running: set[asyncio.Task[None]] = set()
        self._sizes: dict[str, int | None] = {}
        self._sized_at: float | None = None

    def run(self, effect: Effect) -> bool:
        """Start the effect and return at once; False where it is another part's."""
        match effect:
            case LoadEnvironments():
                self._start(self._load())
            case ActOnEnvironment(name, verb):
                self._start(self._act(name, verb))
            case _:
                return False
        return True

    async def cancel(self) -> None:
        """End what is under way, its children too, and wait for that."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = self._tasks.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _load(self) -> None:
        try:
            rows = await in_thread(self._look)
        except DevenvError as error:
            await self._dispatch(EnvironmentsLoaded((), to_problem(error)))
        else:
            await self._dispatch(EnvironmentsLoaded(tuple(_to_view(row) for row in rows)))

    def _look(self) -> list[EnvironmentRow]:
        """All of them; the sizes of volumes that are new, or were asked for long ago, are asked."""
        now = time.monotonic()
        known = None
        if self._sized_at is not None and now - self._sized_at < SIZE_SECONDS:
            known = self._sizes
        rows = load_rows(self._session().renew(), known_sizes=known)
        if known is None:
            self._sizes = {name: size for row in rows for name, size in row.volumes}
            unknown = self._sizes and all(size is None for size in self._sizes.values())
            # The engine counts for one at a time: while it counts for another, ask again soon.
            self._sized_at = now - (SIZE_SECONDS - RETRY_SECONDS if unknown else 0)
        return rows

    async def _act(self, name: EnvironmentName, verb: Literal["start", "stop"]) -> None:
        problem = None
        try:
            if verb == "stop":
                await self._stop(name)
            else:
                await self._begin(name)
        except DevenvError as error:
            problem = to_problem(error)
        self._on_line(f"{name}: {problem.message if problem else f'{verb} is done'}")
        await self._dispatch(EnvironmentActed(name, problem))

    async def _stop(self, name: EnvironmentName) -> None:
        from devenv.cli.operations import operate_environment

        session = self._session().renew()
        await in_thread(lambda: session.compose)
        await operate_environment(session, name, "stop", self._on_line)

    async def _begin(self, name: EnvironmentName) -> None:
        """Start the containers that are there; where there are none, as `devenv up` does it."""
        from devenv.cli.operations import operate_environment
        from devenv.cli.shared import find_used

        session = self._session().renew()
        if await session.client.containers(name) and not await find_used(session, name):
            await in_thread(lambda: session.compose)
            await operate_environment(session, name, "start", self._on_line)
            return
        directory = await in_thread(lambda: find_directory(session, name))
        argv = (sys.executable, "-m", "devenv", "-C", str(directory), "up", "--detach")
        self._on_line(f"{name}: devenv -C {directory} up --detach")
        completed = await run_process(
            argv,
            env=session.environ,
            cwd="/",
            timeout_seconds=None,
            on_line=lambda _, line: self._on_line(f"{name}: {line}"),
        )
        if completed.returncode != 0:
            raise CommandFailed(argv[2:], completed.returncode, completed.stderr)


def find_directory(session: Session, name: EnvironmentName) -> Path:
    """The directory from which an environment can be started.

    Raises DevenvError where it is gone, or is another environment's now; what keeps its files from
    loading; EngineUnavailable.
    """
    row = next((row for row in load_rows(session) if row.known.name == name), None)
    if row is None or not row.known.directory:
        raise DevenvError(f"It is not known where {name} was started.", fix="devenv up, there")
    directory = Path(row.known.directory)
    if not directory.is_dir():
        raise DevenvError(
            f"{directory}, from which {name} was started, is not there any more.",
            fix="git worktree list says where it may be now: devenv up, there",
        )
    other = session.at(directory)
    now = other.project.name
    if now != name:
        git = other.files.git
        branch = git.effective_branch if git is not None else None
        where = f" is on branch {branch} now, and" if branch else ""
        fix = f"devenv -C {directory} switch {row.known.branch}" if row.known.branch else None
        raise DevenvError(f"{directory}{where} belongs to {now}, not to {name}.", fix=fix)
    return directory


def _to_view(row: EnvironmentRow) -> EnvironmentView:
    known = row.known
    return EnvironmentView(
        name=known.name,
        kind=known.kind,
        branch=known.branch,
        profile=known.profile,
        state=row.state,
        running=row.running,
        containers=row.containers,
        made_at=known.made_at,
        size_bytes=row.size_bytes,
        addresses=row.addresses,
        directory=sanitize(known.directory),
        gone=row.gone,
        is_current=row.is_current,
    )
