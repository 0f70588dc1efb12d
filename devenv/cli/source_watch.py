"""The watch of the sources within a running `up`: whether it is wanted, begun once, begun anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from devenv.cli.session import Session
from devenv.compose.model import Project
from devenv.compose.names import ServiceName
from devenv.state.logs import LogStore
from devenv.state.store import Store

if TYPE_CHECKING:
    from devenv.cli.up_options import UpOptions
    from devenv.cli.watch_follow import WatchFollower
    from devenv.state.effects import Effect
    from devenv.state.watch_events import WatchEvent


class SourceWatch:
    """Carries out the effects of the Watch tab, once `begin` was called.

    `began` is when this devenv has started, in seconds since the epoch.
    """

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        store: Store,
        session: Callable[[], Session],
        logs: LogStore,
        *,
        options: Callable[[], UpOptions],
        began: float,
    ) -> None:
        self._tasks = tasks
        self._store = store
        self._session = session
        self._logs = logs
        self._options = options
        self._began = began
        self._following: asyncio.Task[None] | None = None
        self._follower: WatchFollower | None = None
        self._watched: Project | None = None
        """The model that the watch began with."""

    def find_reason_against(self) -> str:
        """Why the sources are not to be watched at all; empty where they are."""
        if not self._options().watch:
            return "--no-watch was given; without it, saved files are brought in"
        if self._session().files.settings.watch.mode == "off":
            return 'devenv.toml has [watch] mode = "off"'
        return ""

    @property
    def has_begun(self) -> bool:
        """Whether the watch has begun once."""
        return self._following is not None

    def begin(self, show: Callable[[WatchEvent], None]) -> None:
        """Bring saved files into the running services, until `cancel`; `show` takes each event.

        A watch that has failed, such as on files that do not load, begins anew with another model.
        """
        project = self._store.state.project
        runs = self._following is not None and not self._following.done()
        if runs or (self.has_begun and project is self._watched):
            return
        self._watched = project
        if self.find_reason_against():
            return
        from devenv.cli.watch_follow import WatchFollower

        follower = WatchFollower(
            self._session(),
            self._store.dispatch,
            show,
            self._logs.builds,
            self._began if self._options().build else None,
            self._built_names(project),
        )
        self._follower = follower
        self._following = self._tasks.create_task(follower.follow())

    def _built_names(self, project: Project | None) -> tuple[ServiceName, ...]:
        """The services whose images the start built; empty: all of them."""
        options = self._options()
        if options.services or not options.without or project is None:
            return options.services
        return tuple(name for name in project.services if name not in options.without)

    def keep(self) -> None:
        """Write down what the watch knows of the images, for whoever asks now."""
        if self._follower is not None:
            self._follower.keep()

    def run(self, effect: Effect) -> bool:
        """Whether the effect was one for the watch, which has taken it then."""
        return self._follower is not None and self._follower.run(effect)

    def cancel(self) -> None:
        """End the watch; what it has under way is taken up at the next start."""
        if self._following is not None:
            self._following.cancel()
