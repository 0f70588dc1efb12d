"""After a build of the watch: the containers of its services from the newest image.

By the Engine API where that can do it right, else by Compose. What does not run is left alone,
unless its own inputs changed and nobody stopped it: then it runs again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Sequence
from pathlib import PurePosixPath

from devenv.cli.watch_compose import ComposeRunner
from devenv.cli.watch_model import WatchModel
from devenv.compose.names import ServiceName
from devenv.engine.api import EngineClient
from devenv.engine.containers_now import observe_once
from devenv.engine.preflight import load_hashes
from devenv.engine.recreate import Recreated, is_newest, recreate_service
from devenv.errors import DevenvError
from devenv.state.containers import Container
from devenv.values import dataclass

_MADE_BY_BUILD = frozenset(
    {
        *("node_modules", ".venv", "venv", "vendor", "deps", "site-packages"),
        *("_build", "target", "dist", "build", "out", ".next", ".nuxt", ".output", ".svelte-kit"),
    }
)
"""An anonymous volume of such a name holds what the image's build put there, and nothing else."""
_ASKED_TO = (0, 130, 137, 143)
"""Exit codes of a container that may have been stopped."""
_ALIVE = ("running", "restarting", "paused")


@dataclass(frozen=True, slots=True)
class Recreation:
    """What became of the services of a build."""

    replaced: tuple[ServiceName, ...] = ()
    same: tuple[ServiceName, ...] = ()
    """Those that run the newest image already."""
    renewed: tuple[str, ...] = ()
    """Targets of anonymous volumes."""
    stop_seconds: float = 0.0
    kept_stale: tuple[str, ...] = ()
    """Targets of such volumes that could not be renewed alone."""


class Recreator:
    """Recreates the services of one watch."""

    def __init__(self, compose: ComposeRunner, client: EngineClient) -> None:
        self._compose = compose
        self._client = client
        self._hashes: tuple[WatchModel, asyncio.Task[dict[ServiceName, str]]] | None = None

    def prepare(self, model: WatchModel) -> None:
        """Begin to ask Compose for what is needed later, once for a model."""
        if self._hashes is None or self._hashes[0] is not model:
            session = model.session
            loading = load_hashes(
                session.compose, session.selection, session.environ, session.files.compose_files
            )
            self._hashes = (model, asyncio.create_task(loading))

    async def recreate(
        self,
        model: WatchModel,
        services: Sequence[ServiceName],
        own: Collection[ServiceName],
        always: Collection[ServiceName],
    ) -> Recreation:
        """Bring the services to their newest image; to its end, even if cancelled meanwhile.

        `own` are those whose own inputs changed, `always` those whose containers differ from
        the image that they are of. Raises DevenvError.
        """
        task = asyncio.ensure_future(self._recreate(model, services, own, always))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.gather(task, return_exceptions=True)
            raise

    async def _recreate(
        self,
        model: WatchModel,
        services: Sequence[ServiceName],
        own: Collection[ServiceName],
        always: Collection[ServiceName],
    ) -> Recreation:
        found = await observe_once(self._client, model.project.name)
        alive = [s for s in services if any(c.service == s and c.state in _ALIVE for c in found)]
        idle = [
            c
            for c in found
            if c.service in services and c.service in own and c.service not in alive
            if c.state == "exited" and _ended_by_itself(model, c)
        ]
        newest = [c.service for c in idle if await is_newest(self._client, c.id)]
        ended = [s for s in services if s in {c.service for c in idle} - set(newest)]
        hashes = await self._load_hashes(model)
        by_compose: list[ServiceName] = []
        done: dict[ServiceName, Recreated] = {}
        async with self._compose.turn:
            for name in alive:
                result = await recreate_service(
                    self._client,
                    model.project.document,
                    name,
                    config_hash=hashes.get(name),
                    stop_seconds=model.stop_seconds,
                    renew=is_made_by_build,
                    always=name in always,
                )
                if result.why_not is not None:
                    by_compose.append(name)
                else:
                    done[name] = result
        kept = await self._up(model, [*by_compose, *ended])
        replaced = [name for name, result in done.items() if result.container_ids]
        return Recreation(
            replaced=(*replaced, *by_compose, *ended),
            same=tuple(name for name in (*done, *newest) if name not in replaced),
            renewed=tuple(sorted({one for result in done.values() for one in result.renewed})),
            stop_seconds=max((r.stop_seconds for r in done.values()), default=0.0),
            kept_stale=kept,
        )

    async def _up(self, model: WatchModel, names: Sequence[ServiceName]) -> tuple[str, ...]:
        """By Compose, which renews all anonymous volumes of a service or none."""
        if not names:
            return ()
        options = ["--detach", "--no-deps", "--no-build", *model.stop_options]
        targets = [
            target
            for name in names
            for kind, source, target in model.project.services[name].mounts
            if kind == "volume" and not source
        ]
        stale = [target for target in targets if is_made_by_build(target)]
        if stale and stale == targets:
            options.append("--renew-anon-volumes")
            stale = []
        await self._compose.run(model, "up", *options, *names)
        return tuple(stale)

    async def _load_hashes(self, model: WatchModel) -> dict[ServiceName, str]:
        """None known where Compose does not say: then it has to do the work."""
        self.prepare(model)
        assert self._hashes is not None
        with contextlib.suppress(DevenvError):
            return await self._hashes[1]
        self._hashes = None
        return {}


def _ended_by_itself(model: WatchModel, container: Container) -> bool:
    """Whether nobody asked it to stop. Where the engine has forgotten, its exit code tells, or
    that others wait for it to complete."""
    if container.stopped is not None:
        return not container.stopped
    awaited = any(
        edge.service == container.service and edge.condition == "service_completed_successfully"
        for service in model.project.services.values()
        for edge in service.dependencies
    )
    return awaited or container.exit_code not in _ASKED_TO


def is_made_by_build(target: str) -> bool:
    """Whether an anonymous volume there is to follow the image."""
    return PurePosixPath(target).name in _MADE_BY_BUILD
