"""Runs Compose for the watch: builds beside each other, everything else one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NoReturn

from devenv.cli.watch_model import WatchModel
from devenv.compose.names import ServiceName
from devenv.engine.bake import BakeFile, load_bake_file, run_bake
from devenv.engine.build_place import name_full_disk, place_build_failure
from devenv.engine.errors import BuildFailed, classify_compose_failure
from devenv.engine.process import Completed, run_process
from devenv.errors import CommandFailed, DevenvError

COMPOSE_SECONDS = 600.0
"""How long a command other than a build may take."""


class ComposeRunner:
    """Compose changes one project at a time."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        """Held while containers are changed."""
        self._bake: tuple[WatchModel, asyncio.Task[BakeFile | None]] | None = None

    def prepare(self, model: WatchModel) -> None:
        """Ask beforehand how the images of a model are built, once for a model."""
        if self._bake is None or self._bake[0].session is not model.session:
            session = model.session
            loading = load_bake_file(session.compose, session.selection, session.environ)
            self._bake = (model, asyncio.create_task(loading))

    async def run(self, model: WatchModel, *words: str) -> None:
        """Run a command to its end. Raises what a failure means."""
        async with self.turn:
            await _run(model, words, COMPOSE_SECONDS, None)

    async def build(
        self, model: WatchModel, service: ServiceName, on_line: Callable[[str], None]
    ) -> None:
        """Build a service's image; each line of output goes to `on_line`. Raises BuildFailed."""
        self.prepare(model)
        assert self._bake is not None
        bake = await asyncio.shield(self._bake[1])
        image = model.image_of(service)
        target = bake.find_target(image) if bake is not None else None
        if bake is None or target is None:
            await _run(model, ("build", service), None, on_line)
            return
        on_line(f"Image {image} Building")
        completed = await run_bake(
            bake,
            target,
            model.session.selection,
            model.session.environ,
            lambda _, line: on_line(line),
        )
        if completed.returncode != 0:
            await _fail(model, ("build", service), completed, is_build=True)
        on_line(f"Image {image} Built")


async def _run(
    model: WatchModel,
    words: tuple[str, ...],
    seconds: float | None,
    on_line: Callable[[str], None] | None,
) -> None:
    session = model.session
    selection = session.selection
    argv = session.compose.argv(*selection.arguments(), "--progress", "plain", *words)
    completed = await run_process(
        argv,
        env=selection.environ(session.environ),
        cwd=selection.directory,
        timeout_seconds=seconds,
        on_line=None if on_line is None else lambda _, line: on_line(line),
    )
    if completed.returncode == 0:
        return
    await _fail(model, words, completed, is_build=on_line is not None)


async def _fail(
    model: WatchModel, words: tuple[str, ...], completed: Completed, *, is_build: bool
) -> NoReturn:
    """Raise what a failed command means."""
    session = model.session
    output = completed.stdout + completed.stderr if is_build else completed.stderr
    files = [str(file) for file in session.files.compose_files]
    error = classify_compose_failure(
        ("docker", "compose", *words), completed.returncode, output, files=files
    )
    if isinstance(error, BuildFailed):
        place_build_failure(error, [model.project.services[ServiceName(words[-1])]])
        await name_full_disk(error, session.client)
    argv = session.compose.argv(*session.selection.arguments(), *words)
    raise error if isinstance(error, DevenvError) else CommandFailed(argv, 1, output)
