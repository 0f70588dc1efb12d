"""Carries out what the reducer asks for: Compose commands, and looking up why something failed."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from devenv.compose.build_progress import (
    BuildReader,
    StepMark,
    is_same_image,
    parse_build_step,
    parse_pull,
)
from devenv.compose.images import group_builds, image_of, names_to_give
from devenv.compose.model import Project
from devenv.compose.names import ServiceName
from devenv.engine.api import ApiError, EngineClient
from devenv.engine.build_place import name_full_disk, place_build_failure
from devenv.engine.compose import ComposeCli, Selection
from devenv.engine.containers import parse_health_output
from devenv.engine.errors import BuildFailed, ImagePullFailed, classify_compose_failure
from devenv.engine.image_tags import tag_image
from devenv.engine.placing import place_error
from devenv.engine.problems import to_problem
from devenv.engine.process import run_process
from devenv.errors import CommandFailed, DevenvError, EngineUnavailable
from devenv.state import actions as do
from devenv.state.containers import ContainerId
from devenv.state.effects import CancelOperation, Effect, ExplainFailure, RunOperation
from devenv.state.model import Operation, OperationKind, Problem
from devenv.state.start_seen import BuildStepRun, Pull
from devenv.state.text import sanitize
from devenv.values import replace

LOG_TAIL_LINES = 8
"""How many of a failed container's last log lines are shown."""
STOP_SECONDS = 600.0
_UP = ("--progress", "plain", "up", "--detach")

Dispatch = Callable[[do.Action], Awaitable[None]]
FindStale = Callable[[], Awaitable[Collection[ServiceName]]]
Hold = Callable[[str, Callable[[str], Awaitable[None]]], AbstractAsyncContextManager[None]]
"""Called with the operation's verb, and what is to be told while another devenv is waited for."""
Prepare = Callable[[OperationKind, Project, tuple[ServiceName, ...]], Awaitable[None]]
"""Called before an operation, where a model is loaded; what it raises keeps it from being begun."""
Finish = Callable[[OperationKind], Awaitable[None]]
"""Called when all commands of an operation have ended well."""
OnOutput = Callable[[str, str], None]
"""Called with `build` or `compose` and one harmless line of output."""


class EffectRunner:
    """Starts one task per effect in the task group that it is given."""

    def __init__(
        self,
        *,
        tasks: asyncio.TaskGroup,
        compose: ComposeCli,
        selection: Selection,
        files: Sequence[Path],
        environ: Mapping[str, str],
        client: EngineClient,
        dispatch: Dispatch,
        project: Callable[[], Project | None],
        prepare: Prepare,
        finish: Finish,
        hold: Hold,
        clock: Callable[[], float],
        on_output: OnOutput,
        find_stale: FindStale,
        build: bool = True,
        without: tuple[ServiceName, ...] = (),
    ) -> None:
        """`find_stale` tells the services whose image must be built before it is used again."""
        self._find_stale = find_stale
        self._tasks = tasks
        self._compose = compose
        self._selection = selection
        self._files = files
        self._environ = environ
        self._client = client
        self._dispatch = dispatch
        self._project = project
        self._prepare = prepare
        self._finish = finish
        self._hold = hold
        self._clock = clock
        self._on_output = on_output
        self._build = build
        self.without = without
        """What an `up` of all services leaves out."""
        self._running: asyncio.Task[None] | None = None
        self._shared: dict[ServiceName, tuple[ServiceName, ...]] = {}
        """Of the last build: the service that is built -> all that get its image."""

    def use(self, selection: Selection, files: Sequence[Path], environ: Mapping[str, str]) -> None:
        """Take these from the next operation on: the project's files have changed."""
        self._selection, self._files, self._environ = selection, files, environ

    def run(self, effect: Effect) -> None:
        """Start the effect and return at once."""
        match effect:
            case RunOperation(kind, services):
                if self._running is None or self._running.done():
                    self._running = self._tasks.create_task(self._run_operation(kind, services))
            case CancelOperation():
                if self._running is not None:
                    self._running.cancel()
            case ExplainFailure(service, container):
                self._tasks.create_task(self._explain(service, container))

    @property
    def busy(self) -> bool:
        """Whether an operation runs, or is being looked over before it is shown as started."""
        return self._running is not None and not self._running.done()

    async def cancel(self) -> None:
        """End the running operation, its child too, and wait for that."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _run_operation(self, kind: OperationKind, services: tuple[ServiceName, ...]) -> None:
        commands = await self._commands(kind, services)
        shown = " && ".join(shlex.join(("docker", "compose", *command)) for command in commands)
        without = () if services else self.without
        operation = Operation(kind, services, self._clock(), shown, without=without)
        problem: Problem | None = None

        async def tell_waiting(words: str) -> None:
            await self._dispatch(do.OperationStarted(replace(operation, waiting=words)))

        try:
            # The plan is made once it is this one's turn: it finds what the other one has done.
            async with self._hold(kind.value, tell_waiting):
                project = self._project()
                if project is not None:
                    await self._prepare(kind, project, services)
                operation = replace(operation, started_at=self._clock())
                await self._dispatch(do.OperationStarted(operation))
                for command in commands:
                    await self._run_compose(command)
                await self._finish(kind)
        except DevenvError as error:
            problem = to_problem(error)
        except asyncio.CancelledError:
            problem = Problem(
                f"{kind.value} was cancelled. What had been done by then stays as it is.",
                fix=f"devenv {'up' if kind is OperationKind.RECREATE else kind.value} goes on",
            )
            current = asyncio.current_task()
            if current is not None:
                current.uncancel()
        if problem is not None:
            # It may have been refused before it was shown as started.
            await self._dispatch(do.OperationStarted(operation))
        await self._dispatch(do.OperationFinished(kind, problem, self._clock()))

    async def _commands(
        self, kind: OperationKind, services: tuple[ServiceName, ...]
    ) -> list[tuple[str, ...]]:
        """The Compose command lines of an operation, without the program."""
        options = self._selection.arguments()
        if kind is OperationKind.RECREATE:
            stale = self._once_each(await self._stale_among(services))
            first = [(*options, "--progress", "plain", "build", *stale)] if stale else []
            return [*first, (*options, *_UP, "--no-deps", *services)]
        if kind is not OperationKind.UP:
            return [(*options, kind.value, *services)]
        project = self._project()
        names = services
        if self.without and project is not None and not names:
            names = tuple(n for n in project.services if n not in self.without)
        commands: list[tuple[str, ...]] = []
        builds = [
            name
            for name, service in (project.services if project else {}).items()
            if service.build is not None and (not names or name in names)
        ]
        if not self._build:
            # What was synced into the containers is not in these images.
            stale = await self._stale_among(builds)
            builds = [name for name in builds if name in stale]
        if builds:
            once = self._once_each(builds)
            commands.append((*options, "--progress", "plain", "build", *once))
        limits = ("--no-deps",) if self.without and not services else ()
        commands.append((*options, *_UP, *limits, *names))
        return commands

    def _once_each(self, builds: Sequence[ServiceName]) -> list[ServiceName]:
        """One service for each build; `_shared` then has those that get its image too."""
        project = self._project()
        if project is None:
            return list(builds)
        self._shared = group_builds(project, builds)
        return list(self._shared)

    async def _tag_shared(self, project: Project) -> None:
        """Give the images that were built the names of the services that share the build."""
        for name, sharing in self._shared.items():
            if len(sharing) > 1:
                wanted = names_to_give(project, sharing)
                await tag_image(self._client, image_of(project, name), wanted)

    async def _stale_among(self, services: Sequence[ServiceName]) -> list[ServiceName]:
        with contextlib.suppress(DevenvError):  # the operation itself says it
            stale = await self._find_stale()
            return [name for name in services if name in stale]
        return []

    async def _run_compose(self, command: tuple[str, ...]) -> None:
        """Run one Compose command to its end. Raises what its failure means."""
        building = "build" in command
        project = self._project()
        names = tuple(project.services) if project else ()
        argv = self._compose.argv(*command)
        steps: asyncio.Queue[do.Action] = asyncio.Queue()
        builds = [name for name in names if name in command] if building else []
        images = {name: image_of(project, name) for name in names} if project else {}
        reader = BuildReader({name: images[name] for name in builds})
        pulls: dict[str, Pull] = {}

        last_line = ""

        def on_line(stream: str, line: str) -> None:
            nonlocal last_line
            line = sanitize(line).rstrip()
            if not line or line == last_line:  # Compose says some things twice
                return
            last_line = line
            self._on_output("build" if building else "compose", line)
            step = parse_build_step(line, builds) if building else None
            if step is not None:
                for name in [step.service] if step.service else builds:
                    steps.put_nowait(do.BuildProgressed(name, step.text))
            if building:
                for mark in reader.read(line, self._clock()):
                    steps.put_nowait(_to_stepped(mark))
            elif (pulled := _read_pull(line, images, pulls, self._clock())) is not None:
                steps.put_nowait(pulled)

        async def pass_on() -> None:
            while True:
                await self._dispatch(await steps.get())

        passing = asyncio.create_task(pass_on())
        try:
            for name in builds:
                await self._dispatch(do.BuildProgressed(name, "preparing"))
            completed = await run_process(
                argv,
                env=self._selection.environ(self._environ),
                cwd=self._selection.directory,
                timeout_seconds=None if building or "up" in command else STOP_SECONDS,
                on_line=on_line,
            )
        finally:
            passing.cancel()
            await asyncio.gather(passing, return_exceptions=True)
        while not steps.empty():
            await self._dispatch(steps.get_nowait())
        for mark in reader.end(self._clock(), failed=completed.returncode != 0):
            await self._dispatch(_to_stepped(mark))
        for name in builds:
            await self._dispatch(do.BuildFinished(name))
        if completed.returncode != 0:
            output = completed.stderr if completed.stderr.strip() else completed.stdout
            if building:
                output = completed.stdout + completed.stderr
            shown = ("docker", "compose", *command)
            files = [str(file) for file in self._files]
            error = classify_compose_failure(shown, completed.returncode, output, files=files)
            services = project.services if project else {}
            if isinstance(error, BuildFailed):
                place_build_failure(error, [services[name] for name in builds])
                await name_full_disk(error, self._client)
            elif isinstance(error, ImagePullFailed) and error.image is None:
                wanting = services.get(ServiceName(error.service or ""))
                error.name_image(wanting.image if wanting else None)
            if type(error) is CommandFailed:
                await self._client.ping()  # the engine may have gone: then that is the reason
            raise place_error(error, self._files)
        if building and project is not None:
            await self._tag_shared(project)

    async def _explain(self, service: ServiceName, container: ContainerId) -> None:
        try:
            problem = await explain_failure(self._client, service, container)
        except (EngineUnavailable, ApiError):
            return  # it is gone; what is left to see is in the log
        await self._dispatch(do.FailureExplained(service, problem))


def _to_stepped(mark: StepMark) -> do.BuildStepped:
    step = BuildStepRun(mark.key, mark.text, mark.began_at, mark.ended_at, mark.cached, mark.failed)
    return do.BuildStepped(mark.service, step)


def _read_pull(
    line: str, images: Mapping[ServiceName, str], pulls: dict[str, Pull], at: float
) -> do.PullStepped | None:
    """What a line says of a pull; `pulls` keeps those that have begun."""
    found = parse_pull(line)
    if found is None:
        return None
    image, is_over = found
    names = tuple(n for n, i in images.items() if n == image or is_same_image(i, image))
    if not names or (is_over and image not in pulls):
        return None
    pull = pulls.setdefault(image, Pull(image, at))
    if is_over:
        pull = pulls[image] = replace(pull, ended_at=at)
    return do.PullStepped(names, pull)


async def explain_failure(
    client: EngineClient, service: ServiceName, container: ContainerId
) -> Problem:
    """Why a container failed: its health log's last output, or its last log lines.

    Raises EngineUnavailable or ApiError.
    """
    raw = await client.inspect(container)
    state = raw.get("State") or {}
    health = (state.get("Health") or {}).get("Status")
    probe = parse_health_output(raw)
    if state.get("Status") == "running" and health == "unhealthy" and probe is not None:
        code, output = probe
        test = ((raw.get("Config") or {}).get("Healthcheck") or {}).get("Test") or []
        return Problem(
            f"{service} is unhealthy: its health check ended with exit code {code}.",
            fix=f"run the probe by hand: devenv exec {service} {_probe_text(test)}",
            excerpt=tuple(sanitize(output).splitlines()[-LOG_TAIL_LINES:])
            or ("(the probe printed nothing)",),
        )
    lines: list[str] = []
    batches = client.logs(
        container,
        follow=False,
        tail=LOG_TAIL_LINES,
        tty=bool((raw.get("Config") or {}).get("Tty")),
    )
    async with contextlib.aclosing(batches):
        async for batch in batches:
            lines += [sanitize(text.decode(errors="replace")) for _, _, text in batch]
    exit_code = state.get("ExitCode")
    if state.get("OOMKilled"):
        message = f"{service} was ended by the kernel: out of memory."
        fix = "give it more memory (mem_limit, or the engine's own limit)"
    else:
        message = f"{service} ended with exit code {exit_code}."
        fix = _EXIT_FIXES.get(exit_code, f"see all of it: devenv logs {service}")
    if state.get("Error"):
        lines.append(sanitize(str(state["Error"])))
    return Problem(
        message, fix=fix, excerpt=tuple(lines[-LOG_TAIL_LINES:]) or ("(it printed nothing)",)
    )


_EXIT_FIXES: Mapping[int | None, str] = {
    126: "the command is not executable: check its mode and its interpreter line",
    127: "the command is not in the image, or a bind mount hides it: check command and volumes",
    137: "something killed it: `docker kill`, another process, or the memory limit",
    143: "something ended it from outside with SIGTERM",
    139: "it crashed (segmentation fault): is the image built for this machine's architecture?",
}


def _probe_text(test: list[str]) -> str:
    if test and test[0] == "CMD-SHELL":
        return shlex.join(("sh", "-c", *test[1:]))
    return shlex.join(test[1:])
