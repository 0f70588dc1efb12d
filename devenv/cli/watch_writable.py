"""Says beforehand where the user of a container cannot write to what is synced."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from devenv.cli.session import Session
from devenv.cli.watch_tell import Teller
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.compose.watch import Input, Place, WatchPlanner
from devenv.engine.api import ApiError, EngineClient
from devenv.engine.containers_now import observe_once
from devenv.engine.sync import find_unwritable
from devenv.errors import EngineUnavailable
from devenv.report.watch import render_place
from devenv.state.containers import Container
from devenv.values import dataclass

LOOK_SECONDS = 5.0
"""How long `watch --list` waits for the engine: the list is good without it."""
_ROOT = ("root", "0", "0:0", "root:root")


@dataclass(frozen=True, slots=True)
class Unwritable:
    """A directory that files are synced into, and that the container's user cannot write to."""

    service: ServiceName
    folder: str
    user: str
    user_place: Place | None
    copy_place: Place | None

    @property
    def message(self) -> str:
        """What comes of it."""
        return (
            f"{self.user} cannot write to {self.folder}: what is synced arrives there, but the "
            "program can neither change nor delete it"
        )

    @property
    def fix(self) -> str:
        """What helps."""
        return f"COPY --chown={self.user}, or a chown of {self.folder} in the build"

    def describe(self, directory: str) -> str:
        """All of it, paths relative to the project directory."""
        places = [render_place(one, directory) for one in (self.user_place, self.copy_place) if one]
        where = f" ({', '.join(places)})" if places else ""
        return f"{self.message}{where}. fix: {self.fix}"


@dataclass(frozen=True, slots=True)
class Writability:
    """What was found in the containers that run."""

    planner: WatchPlanner
    looked: frozenset[ServiceName] = frozenset()
    unwritable: tuple[Unwritable, ...] = ()

    def is_writable(self, one: Input) -> bool | None:
        """Whether what is synced for an input can be changed there; None: not synced, not known."""
        if one.service not in self.looked:
            return None
        folder = self.planner.sync_folder(one)
        if folder is None:
            return None
        return all((u.service, u.folder) != (one.service, folder) for u in self.unwritable)


async def load_writability(
    planner: WatchPlanner, client: EngineClient, name: EnvironmentName
) -> Writability:
    """Looked at in the containers of an environment that run. Raises EngineUnavailable.

    A container without a shell, or with a read-only root filesystem, counts as writable.
    """
    running: dict[ServiceName, Container] = {}
    for container in await observe_once(client, name):
        if container.state == "running":
            running.setdefault(container.service, container)
    inputs: dict[ServiceName, list[Input]] = {}
    for one in planner.inputs():
        if one.service is not None and one.service in running:
            inputs.setdefault(one.service, []).append(one)
    found: list[Unwritable] = []
    for service, those in inputs.items():
        found += await _look(planner, client, those, running[service])
    return Writability(planner, frozenset(inputs), tuple(found))


async def _look(
    planner: WatchPlanner, client: EngineClient, inputs: Sequence[Input], container: Container
) -> list[Unwritable]:
    folders: dict[str, Place | None] = {}
    for one in inputs:
        folder = planner.sync_folder(one)
        if folder is not None:
            folders.setdefault(folder, one.because)
    names: tuple[str, ...] = ()
    user = ""
    with contextlib.suppress(ApiError):  # it stopped meanwhile
        raw = await client.inspect(container.id)
        user = str((raw.get("Config") or {}).get("User") or "root")
        is_fixed = bool((raw.get("HostConfig") or {}).get("ReadonlyRootfs"))
        if folders and user not in _ROOT and not is_fixed:
            names = await find_unwritable(client, container.id, folders)
    if not names:
        return []
    place = planner.startup(container.service).user_place
    return [Unwritable(container.service, one, user, place, folders[one]) for one in names]


async def note_unwritable(
    planner: WatchPlanner, client: EngineClient, name: EnvironmentName, teller: Teller
) -> None:
    """Say each once; nothing where the engine does not answer."""
    with contextlib.suppress(EngineUnavailable, ApiError):
        for one in (await load_writability(planner, client, name)).unwritable:
            copy = f" ({teller.place(one.copy_place)})" if one.copy_place is not None else ""
            teller.note(
                one.service,
                f"not-writable {one.folder}",
                f"{one.message}{copy}",
                fix=one.fix,
                where=one.user_place,
            )


def look_at_containers(session: Session, planner: WatchPlanner) -> Writability:
    """As `load_writability`; nothing is known where no engine answers soon."""

    async def look() -> Writability:
        async with asyncio.timeout(LOOK_SECONDS):
            return await load_writability(planner, session.client, session.project.name)

    with contextlib.suppress(EngineUnavailable, ApiError, TimeoutError):
        return asyncio.run(look())
    return Writability(planner)
