"""`devenv watch`, running: from changed files over the plan to builds, syncs and restarts.

One batch of changed files is one plan; what it asks for is done per service, and joined with what
comes meanwhile. A build that a newer save makes stale is cancelled. A build that fails leaves the
running container as it is, and is tried again at the next change that asks for one. While git
holds its index, or a rebase is under way, changes are only collected.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from devenv.cli.session import Session
from devenv.cli.watching import load_planner
from devenv.compose.model import Project
from devenv.compose.names import ServiceName
from devenv.compose.watch import WatchPlanner
from devenv.compose.watch.batch import BatchPlan, ServiceWork, join_work, plan_batch
from devenv.compose.watch.values import PlannedChange, WatchAction
from devenv.engine.build_place import place_build_failure
from devenv.engine.containers_now import observe_once
from devenv.engine.errors import BuildFailed, classify_compose_failure
from devenv.engine.process import run_process
from devenv.engine.sync import After, Change, Hook, Outcome, Syncer, SyncResult
from devenv.errors import CommandFailed, DevenvError
from devenv.host.git import GitState, read_branch
from devenv.state.model import ContainerId
from devenv.state.text import sanitize
from devenv.values import dataclass
from devenv.watch.sources import SKIPPED, SourceWatcher

GIT_POLL_SECONDS = 0.1
_GIT_BUSY = ("index.lock", "rebase-merge", "rebase-apply")
SHOWN_PATHS = 3


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """Something that the watch did or means to do, as it is shown."""

    at: float
    service: ServiceName | None
    action: str
    """`live`, `synced`, `restarted`, `rebuilding`, `rebuilt`, `failed`, `reloaded`, `waiting`."""
    text: str
    seconds: float | None = None
    lines: tuple[str, ...] = ()
    """What a failure printed last."""


Tell = Callable[[WatchEvent], None]


class WatchRun:
    """Follows the sources of an environment that runs."""

    def __init__(self, session: Session, tell: Tell, *, poll: bool = False) -> None:
        self._session = session
        self._tell = tell
        self._poll = poll
        self._planner: WatchPlanner = load_planner(session)
        self._project: Project = session.project
        self._syncer = Syncer(session.client)
        self._pending: dict[ServiceName, ServiceWork] = {}
        self._running: dict[ServiceName, asyncio.Task[None]] = {}
        self._building: set[ServiceName] = set()
        self._stale: dict[ServiceName, str] = {}
        """Services whose image lacks what was synced, with the first path."""
        self._told_elsewhere: str | None = None
        self._compose = asyncio.Lock()
        """Compose changes one project at a time."""

    async def run(self, ready: Callable[[int], None] = lambda _: None) -> None:
        """Watch until cancelled. `ready` is called with the number of files once all are known.

        Raises DevenvError where nothing can be watched.
        """
        async with asyncio.TaskGroup() as tasks:
            watcher: SourceWatcher | None = None
            while True:
                watcher = SourceWatcher(
                    self._roots(),
                    files=self._model_files(),
                    poll=self._poll,
                    wants=self._planner.wants_directory,
                    before=watcher,
                )
                await asyncio.to_thread(watcher.start)
                ready(watcher.count)
                if await self._follow(watcher, tasks):
                    continue

    async def _follow(self, watcher: SourceWatcher, tasks: asyncio.TaskGroup) -> bool:
        """Take batches until the model changed; whether the roots may be others now."""
        try:
            async for batch in watcher.batches():
                paths = set(batch)
                await self._wait_for_git()
                if await self._take(paths, tasks):
                    return True
        except OSError as error:
            if self._poll:
                raise DevenvError(f"The sources cannot be watched: {error}.") from None
            self._poll = True
            self._say(
                None,
                "waiting",
                f"the kernel has no watches left ({error}); looking at the files by turns "
                "instead: raise fs.inotify.max_user_watches",
            )
            return True
        return False

    async def _take(self, paths: Iterable[str], tasks: asyncio.TaskGroup) -> bool:
        """Plan a batch and begin its work; whether the model was loaded anew."""
        if await asyncio.to_thread(self._is_elsewhere):
            return False
        planned: list[PlannedChange] = []
        for path in sorted(paths):
            planned += self._planner.plan(path)
        plan = plan_batch(planned)
        if plan.reload:
            return await self._reload(plan)
        for work in plan.works:
            if work.action is WatchAction.LIVE:
                self._say(work.service, "live", _name_paths(work.changes, self._directory))
            else:
                self._begin(work, tasks)
        return False

    def _is_elsewhere(self) -> bool:
        """Whether the checkout is on a branch whose environment is another one.

        Its files are not brought into this one: `devenv switch` or a running `up` changes over.
        """
        files = self._session.files
        git = read_branch(files.root)
        before = files.git.effective_branch if files.git is not None else None
        branch = git.effective_branch if git is not None else None
        if branch == before:
            self._told_elsewhere = None
            return False
        try:
            name = self._session.renew().project.name
        except DevenvError:
            return True
        if name == self._project.name:
            return False
        if self._told_elsewhere != branch:
            self._told_elsewhere = branch
            self._say(None, "waiting", f"branch {branch} belongs to environment {name}")
        return True

    def _begin(self, work: ServiceWork, tasks: asyncio.TaskGroup) -> None:
        """Do the work, or join it with what the service has to do already."""
        name = work.service
        before = self._pending.get(name)
        self._pending[name] = join_work(before, work) if before is not None else work
        task = self._running.get(name)
        if task is not None and not task.done():
            if name in self._building and work.action is WatchAction.REBUILD:
                task.cancel()  # its image would be stale: what it was to do is still pending
            return
        self._running[name] = tasks.create_task(self._work_off(name))

    async def _work_off(self, name: ServiceName) -> None:
        """Do what is pending for a service until nothing is."""
        while (work := self._pending.pop(name, None)) is not None:
            try:
                await self._do(work)
            except DevenvError as error:
                lines = tuple(error.excerpt.splitlines()) if error.excerpt else ()
                where = f"{error.source}: " if error.source else ""
                self._say(name, "failed", f"{where}{error.message}", lines=lines)
            except asyncio.CancelledError:
                newer = self._pending.get(name)
                if newer is None or asyncio.current_task() is None:
                    raise
                current = asyncio.current_task()
                assert current is not None
                current.uncancel()
                self._pending[name] = join_work(work, newer)

    async def _do(self, work: ServiceWork) -> None:
        if work.action is WatchAction.REBUILD:
            await self._rebuild(work)
        elif work.action is WatchAction.RESTART:
            await self._restart(work)
        else:
            await self._sync(work)

    async def _sync(self, work: ServiceWork) -> None:
        """Copy changed files into every replica; a rebuild where that cannot be done."""
        started = time.monotonic()
        after, hook = After.NOTHING, None
        if work.action is WatchAction.SYNC_EXEC:
            after = After.EXEC
            command = next((c.command for c in work.changes if c.command), ())
            hook = Hook(command)
        elif work.restarts:
            after = After.RESTART
        ids = [c.id for c in await self._containers(work.service) if c.state == "running"]
        if not ids:
            self._say(work.service, "waiting", "its container does not run; nothing to sync to")
            return
        changes = [Change(c.path, c.target or "") for c in work.synced]
        results = await self._syncer.sync(
            ids,
            changes,
            after=after,
            hook=hook,
            stop_seconds=self._stop_seconds,
        )
        for result in results:
            if result.outcome is Outcome.REBUILD:
                self._say(work.service, "rebuilding", result.why)
                await self._rebuild(work)
                return
        self._say_synced(work, results, time.monotonic() - started)
        if any(change.stale_image for change in work.changes):
            self._stale.setdefault(work.service, work.changes[0].path)

    def _say_synced(self, work: ServiceWork, results: Sequence[SyncResult], seconds: float) -> None:
        failed = [r for r in results if r.outcome is not Outcome.SYNCED]
        if failed:
            self._say(work.service, "failed", f"sync: {failed[0].why}")
            return
        text = _name_paths(work.synced, self._directory)
        if len(results) > 1:
            text += f", {len(results)} containers"
        if not all(r.is_atomic for r in results):
            text += " (written in place: the container has no mv)"
        word = "synced, restarted" if work.restarts else "synced"
        hook = next((r.after for r in results if r.after is not None), None)
        if hook is not None and work.action is WatchAction.SYNC_EXEC:
            text += f"; its command ended with exit code {hook.exit_code}"
        self._say(work.service, word, text, seconds)

    async def _restart(self, work: ServiceWork) -> None:
        started = time.monotonic()
        await self._run_compose("restart", "--no-deps", *self._stop_options, work.service)
        text = _name_paths(work.changes, self._directory)
        self._say(work.service, "restarted", text, time.monotonic() - started)

    async def _rebuild(self, work: ServiceWork) -> None:
        """Build the image once for all services that share it, and recreate them."""
        started = time.monotonic()
        names = self._sharing(work.service)
        why = next((c for c in work.changes if c.action is WatchAction.REBUILD), work.changes[0])
        self._say(
            work.service,
            "rebuilding",
            f"{_name_paths(work.changes, self._directory)}: {why.reason}",
        )
        self._building.update(names)
        try:
            await self._run_compose("build", work.service, is_build=True)
        finally:
            self._building.difference_update(names)
        built = time.monotonic()
        options = ["--detach", "--no-deps", "--no-build", *self._stop_options]
        if self._can_renew_volumes(names):
            options.append("--renew-anon-volumes")
        await self._run_compose("up", *options, *names)
        for name in names:
            self._stale.pop(name, None)
        await self._restart_dependents(names)
        done = time.monotonic()
        text = f"build {built - started:.1f} s, recreate {done - built:.1f} s"
        for name in names:
            self._say(name, "rebuilt", text, done - started)

    async def _restart_dependents(self, names: Sequence[ServiceName]) -> None:
        """Those with `restart: true`. Spec: compose-spec 05-services.md#depends_on."""
        dependents = [
            name
            for name, service in self._project.services.items()
            if name not in names
            and any(e.service in names and e.restart for e in service.dependencies)
        ]
        running = [n for n in dependents if await self._containers(n)]
        if running:
            await self._run_compose("restart", "--no-deps", *self._stop_options, *running)
            for name in running:
                self._say(name, "restarted", f"it depends on {', '.join(names)} with restart: true")

    def _sharing(self, name: ServiceName) -> list[ServiceName]:
        """The services that run the same image as this one's build, itself first."""
        services, project = self._project.services, self._project.name
        image = services[name].image or f"{project}-{name}"
        others = [
            other
            for other, service in services.items()
            if other != name
            and service.build is not None
            and (service.image or f"{project}-{other}") == image
        ]
        return [name, *others]

    def _can_renew_volumes(self, names: Sequence[ServiceName]) -> bool:
        """Whether the anonymous volumes hold installed dependencies alone.

        Compose renews all of a service's anonymous volumes or none; one with other data is never
        given away.
        """
        targets = [
            Path(target)
            for name in names
            for kind, source, target in self._project.services[name].mounts
            if kind == "volume" and not source
        ]
        return bool(targets) and all(target.name in _INSTALLED for target in targets)

    async def _reload(self, plan: BatchPlan) -> bool:
        """Load the model again and bring up what differs; what does not load changes nothing."""
        started = time.monotonic()
        changed = _name_paths(plan.reload, self._directory)
        renewed = self._session.renew()
        try:
            project = await asyncio.to_thread(lambda: renewed.project)
            planner = await asyncio.to_thread(load_planner, renewed)
        except DevenvError as error:
            where = f"{error.source}: " if error.source else ""
            text = f"{changed}: {where}{error.message} What runs is left as it is."
            self._say(None, "failed", text)
            return False
        if project.name != self._project.name:
            self._say(None, "waiting", f"{changed}: another environment now, {project.name}")
            return False
        before = {s: _configuration(self._project, s) for s in self._project.services}
        after = {s: _configuration(project, s) for s in project.services}
        names = [s for s in after if s in before and before[s] != after[s]]
        added = [s for s in after if s not in before]
        self._session, self._project, self._planner = renewed, project, planner
        if not names and not added:
            self._say(None, "reloaded", f"{changed}: no service's configuration differs")
            return True
        try:
            await self._run_compose(
                "up", "--detach", "--build", *self._stop_options, *names, *added
            )
        except DevenvError as error:
            lines = tuple(error.excerpt.splitlines()) if error.excerpt else ()
            self._say(None, "failed", error.message, lines=lines)
            return True
        for name in names:
            keys = ", ".join(_different_keys(before[name], after[name]))
            self._say(name, "reloaded", f"{changed}: {keys}", time.monotonic() - started)
        for name in added:
            self._say(name, "reloaded", f"{changed}: new", time.monotonic() - started)
        return True

    async def _containers(self, name: ServiceName) -> list[_Found]:
        found = await observe_once(self._session.client, self._project.name)
        return [_Found(c.id, c.state) for c in found if c.service == name]

    async def _run_compose(self, *words: str, is_build: bool = False) -> None:
        """Raises what a failure means."""
        selection = self._session.selection
        argv = self._session.compose.argv(*selection.arguments(), "--progress", "plain", *words)
        async with contextlib.AsyncExitStack() as stack:
            if not is_build:
                await stack.enter_async_context(self._compose)
            completed = await run_process(
                argv,
                env=selection.environ(self._session.environ),
                cwd=selection.directory,
                timeout_seconds=None if is_build else 600.0,
            )
        if completed.returncode == 0:
            return
        output = completed.stdout + completed.stderr if is_build else completed.stderr
        files = [str(file) for file in self._session.files.compose_files]
        error = classify_compose_failure(
            ("docker", "compose", *words), completed.returncode, output, files=files
        )
        if isinstance(error, BuildFailed):
            place_build_failure(error, [self._project.services[ServiceName(words[-1])]])
        raise error if isinstance(error, DevenvError) else CommandFailed(argv, 1, output)

    @property
    def _directory(self) -> Path:
        return self._session.files.directory

    @property
    def _stop_seconds(self) -> int:
        return max(0, round(self._session.files.settings.watch.stop_timeout_seconds))

    @property
    def _stop_options(self) -> tuple[str, ...]:
        return ("--timeout", str(self._stop_seconds))

    def _roots(self) -> list[str]:
        """The directories in which something is read: contexts, mounts, rules."""
        roots = []
        for one in self._planner.inputs():
            path = one.path
            while any(c in path for c in "*?[") or not Path(path).is_dir():
                parent = str(Path(path).parent)
                if parent == path:
                    break
                path = parent
            if one.service is not None and Path(path).name not in SKIPPED:
                roots.append(path)
        home = {str(Path("/")), str(Path.home())}
        return [root for root in dict.fromkeys(roots) if root not in home]

    def _model_files(self) -> list[str]:
        return [one.path for one in self._planner.inputs() if one.service is None]

    async def _wait_for_git(self) -> None:
        """Until git has let go of its index and no rebase is under way: then it is one change."""
        git: GitState | None = self._session.files.git
        if git is None:
            return
        marks = [git.git_dir / name for name in _GIT_BUSY]
        while await asyncio.to_thread(lambda: any(mark.exists() for mark in marks)):  # noqa: ASYNC110
            await asyncio.sleep(GIT_POLL_SECONDS)

    def _say(
        self,
        service: ServiceName | None,
        action: str,
        text: str,
        seconds: float | None = None,
        lines: tuple[str, ...] = (),
    ) -> None:
        self._tell(WatchEvent(time.time(), service, action, text, seconds, lines))


@dataclass(frozen=True, slots=True)
class _Found:
    id: ContainerId
    state: str


_INSTALLED = frozenset({"node_modules", ".venv", "venv", "vendor", "deps", "_build", "target"})


def _configuration(project: Project, name: ServiceName) -> dict[str, object]:
    raw = (project.document.get("services") or {}).get(name) or {}
    return {str(key): value for key, value in raw.items() if key not in ("depends_on", "develop")}


def _different_keys(before: dict[str, object], after: dict[str, object]) -> list[str]:
    return sorted(key for key in before | after if before.get(key) != after.get(key))


def _name_paths(changes: Sequence[PlannedChange], directory: Path) -> str:
    """The first paths, relative to the project, and how many more there are."""
    shown = []
    for path in dict.fromkeys(change.path for change in changes):
        one = Path(path)
        shown.append(str(one.relative_to(directory)) if one.is_relative_to(directory) else path)
    more = len(shown) - SHOWN_PATHS
    text = ", ".join(shown[:SHOWN_PATHS])
    return f"{text} and {more} more" if more > 0 else text


def render_event(event: WatchEvent, width: int) -> str:
    """One line for the terminal, and the last lines of what failed below it."""
    clock = time.strftime("%H:%M:%S", time.localtime(event.at))
    seconds = ""
    if event.seconds is not None:
        unit = f"{event.seconds * 1000:.0f} ms" if event.seconds < 1 else f"{event.seconds:.1f} s"
        seconds = f" in {unit}"
    head = f"{clock} {event.service or 'model':<{width}} {event.action}{seconds}: {event.text}"
    return sanitize("\n".join((head, *(f"  {line}" for line in event.lines))))
