"""Loads the model while `devenv up` runs: at first, on request, and when a file changed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from devenv.cli.background import in_thread
from devenv.cli.drift import load_hashes
from devenv.cli.inactive import load_inactive
from devenv.cli.session import Session
from devenv.compose.names import EnvironmentName
from devenv.engine.problems import to_problem
from devenv.errors import DevenvError
from devenv.host.model_cache import read_inputs
from devenv.host.project_files import SETTINGS_NAME
from devenv.state.actions import Action, HashesLoaded, InactiveFound, ModelFailed, ModelLoaded
from devenv.state.effects import Effect, LoadModel
from devenv.values import dataclass


@dataclass(frozen=True, slots=True)
class Loading:
    """What came of reading the files: a session whose model is loaded, or why there is none."""

    session: Session
    error: DevenvError | None
    files: tuple[str, ...]
    """What was read or looked for; empty where not even that is known."""


class ModelLoader:
    """Carries out `LoadModel`; a thread reads, so no key waits.

    `take_session` is told of each session that has loaded, before the action that says so.
    """

    def __init__(
        self,
        session: Session,
        tasks: asyncio.TaskGroup,
        dispatch: Callable[[Action], Awaitable[None]],
        take_session: Callable[[Session], None],
        on_failure: Callable[[], Awaitable[None]],
    ) -> None:
        self._session = session
        self._tasks = tasks
        self._dispatch = dispatch
        self._take_session = take_session
        self._on_failure = on_failure
        self._task: asyncio.Task[None] | None = None
        self._first = True
        self._name: EnvironmentName | None = None

    def run(self, effect: Effect) -> bool:
        """Start the effect and return at once; False where it is another part's."""
        if not isinstance(effect, LoadModel):
            return False
        self._task = self._tasks.create_task(self._load())
        return True

    def cancel(self) -> None:
        """Wait for nothing more; a thread that reads ends by itself."""
        if self._task is not None:
            self._task.cancel()

    async def _load(self) -> None:
        session = self._session if self._first else self._session.renew()
        self._first = False
        loading = await in_thread(partial(load, session))
        kept = self._session
        if self._name is not None and _is_elsewhere(kept, loading.session):
            # Another branch's files: what becomes of them is for the proposed switch to say.
            await self._dispatch(ModelLoaded(kept.project, loading.files))
            return
        error = loading.error or self._find_other_name(loading.session)
        if error is not None:
            await self._fail(error, loading.files)
            return
        self._session, self._name = loading.session, loading.session.project.name
        self._take_session(loading.session)
        environment = loading.session.environment(loading.session.project)
        await self._dispatch(ModelLoaded(loading.session.project, loading.files, environment))
        inactive = await in_thread(partial(load_inactive, loading.session))
        await self._dispatch(InactiveFound(inactive))
        hashes = await in_thread(partial(load_hashes, loading.session))
        await self._dispatch(HashesLoaded(hashes))

    async def _fail(self, error: DevenvError, files: tuple[str, ...]) -> None:
        await self._dispatch(ModelFailed(to_problem(error), files))
        await self._on_failure()

    def _find_other_name(self, session: Session) -> DevenvError | None:
        """Files that have become another environment's: this devenv follows the one it began."""
        name = session.project.name
        if self._name is None or name == self._name:
            return None
        return DevenvError(
            f"The files are now those of the environment {name}; {self._name} is shown here.",
            fix="leave with q, then devenv up",
        )


def _is_elsewhere(kept: Session, session: Session) -> bool:
    """Whether the checkout is on another branch, or another profile is chosen, than before."""
    try:
        now, before = session.files, kept.files
    except DevenvError:
        return False
    branches = [files.git.effective_branch if files.git else None for files in (now, before)]
    return branches[0] != branches[1] or now.choice.name != before.choice.name


def load(session: Session) -> Loading:
    """Read the files of a session and its model."""
    files: tuple[str, ...] = ()
    try:
        files = find_model_files(session)
        session.project  # noqa: B018, a property that loads
    except DevenvError as error:
        place = (error.source.path,) if error.source and not files else ()
        return Loading(session, error, files or _settings_files(session, place))
    return Loading(session, None, files)


def find_model_files(session: Session) -> tuple[str, ...]:
    """Every file from which the model is made, whether it exists or not; absolute paths.

    Raises ConfigError, ComposeFileError where they do not tell.
    """
    files = session.files
    inputs = read_inputs(files.directory, files.compose_files, files.env_files)
    settings = files.settings.path or str(files.root / SETTINGS_NAME)
    profiles = [profile.path for profile in files.profiles.values()]
    paths = (settings, *profiles, *map(str, inputs.contents))
    return tuple(dict.fromkeys(os.path.normpath(path) for path in paths))


def _settings_files(session: Session, more: tuple[str, ...]) -> tuple[str, ...]:
    """Where to look for a repair of files that do not even say which they are."""
    if not more:
        return ()
    near = [str(directory / SETTINGS_NAME) for directory in (session.start, *session.start.parents)]
    known = [path for path in near if Path(path).is_file()]
    return tuple(dict.fromkeys((*more, *known)))
