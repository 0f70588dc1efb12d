"""Notices, while `devenv up` runs, that the checkout is on another branch, and proposes a switch.

git's HEAD is watched, and what a profile by hand is remembered under. A rebase or a bisect is the
branch that it will return to, so it proposes nothing; a checkout of thousands of files is one
change of HEAD. The plan is made before anything is asked; nothing is stopped here but, where the
new branch's code would run on this one's data, paused until there is an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from devenv.cli.session import Session
from devenv.cli.switching import load_switch_plan
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.engine.api import ApiError
from devenv.engine.containers import LABEL_SERVICE
from devenv.engine.problems import to_problem
from devenv.errors import DevenvError, EngineUnavailable
from devenv.host.git import read_branch
from devenv.report.switch import render_switch
from devenv.state import actions as do
from devenv.state.model import SwitchProposal

SETTLE_SECONDS = 0.2
"""How long HEAD has to stay as it is; git holds its lock meanwhile."""
Dispatch = Callable[[do.Action], Awaitable[None]]


class BranchWatcher:
    """Compares the checkout with the environment that runs, whenever HEAD changes."""

    def __init__(self, session: Session, name: EnvironmentName, dispatch: Dispatch) -> None:
        self._session = session
        self._name = name
        self._dispatch = dispatch
        self._started = _identity(session, name)
        self._proposed: tuple[object, ...] | None = None
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled; outside git there is nothing to follow."""
        from devenv.watch.watcher import FileWatcher

        git = self._session.files.git
        if git is None:
            return
        watcher = FileWatcher(self._take)
        watcher.set_files([str(git.git_dir / "HEAD")])
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watcher.run())
            while True:
                await self._changed.wait()
                await self._settle()
                await self._look()

    async def _take(self, action: do.Action) -> None:
        del action
        self._changed.set()

    async def _settle(self) -> None:
        """Wait until git is done: no lock on the index, and HEAD has stayed for a while."""
        git = self._session.files.git
        while True:
            self._changed.clear()
            await asyncio.sleep(SETTLE_SECONDS)
            locked = git is not None and await asyncio.to_thread(
                (git.git_dir / "index.lock").exists
            )
            if not locked and not self._changed.is_set():
                return

    async def _look(self) -> None:
        """Propose what the checkout asks for now, or take a proposal back."""
        session = self._session.renew(preview=True)
        state = await asyncio.to_thread(read_branch, self._session.files.root)
        branch = state.effective_branch if state is not None else None
        try:
            name = (await asyncio.to_thread(lambda: session.project)).name
        except EngineUnavailable:
            return
        except DevenvError as error:
            if (branch,) == self._started[:1]:
                return
            problem = to_problem(error)
            await self._propose(SwitchProposal(branch, None, self._name, problem=problem))
            return
        identity = _identity(session, name)
        if identity == self._started:
            if self._proposed is not None:
                self._proposed = None
                await self._dispatch(do.SwitchProposed(None))
            return
        if identity == self._proposed:
            return
        self._proposed = identity
        paused = await self._pause() if name != self._name else ()
        try:
            plan = await load_switch_plan(session, (self._name, await self._running()))
            if plan.is_empty and name == self._name:
                return  # the same services with the same configuration
            shown = tuple(render_switch(plan).splitlines())
            proposal = SwitchProposal(branch, session.files.choice.name, name, shown, None, paused)
        except DevenvError as error:
            problem = to_problem(error)
            proposal = SwitchProposal(
                branch, session.files.choice.name, name, problem=problem, paused=paused
            )
        await self._propose(proposal)

    async def _propose(self, proposal: SwitchProposal) -> None:
        await self._dispatch(do.SwitchProposed(proposal))

    async def _running(self) -> tuple[ServiceName, ...]:
        from devenv.engine.containers_now import observe_once

        found = await observe_once(self._session.client, self._name)
        return tuple(sorted({c.service for c in found if c.state in ("running", "paused")}))

    async def _pause(self) -> tuple[ServiceName, ...]:
        """Pause what has the checkout's files in a bind mount; those that were paused."""
        from devenv.engine.containers_now import observe_once

        project = self._session.project
        root = self._session.files.root
        mounted = {
            name
            for name, service in project.services.items()
            if any(
                kind == "bind" and source.startswith(str(root))
                for kind, source, _ in service.mounts
            )
        }
        paused = []
        for container in await observe_once(self._session.client, self._name):
            if container.service in mounted and container.state == "running":
                try:
                    await self._session.client.request("POST", f"/containers/{container.id}/pause")
                except ApiError:
                    continue  # it has ended meanwhile
                paused.append(container.service)
        return tuple(sorted(set(paused)))


def _identity(session: Session, name: EnvironmentName) -> tuple[object, ...]:
    """What a switch changes: the branch, the profile, the environment's name, and the files."""
    files = session.files
    branch = files.git.effective_branch if files.git is not None else None
    return (branch, files.choice.name, name)


async def resume_services(
    session: Session, name: EnvironmentName, services: tuple[ServiceName, ...] = ()
) -> None:
    """Let paused containers go on: those of these services, or all of the environment's.

    Raises EngineUnavailable.
    """
    for container in await session.client.containers(name):
        service = (container.get("Labels") or {}).get(LABEL_SERVICE)
        if container.get("State") == "paused" and (not services or service in services):
            with contextlib.suppress(ApiError):  # somebody else did
                await session.client.request("POST", f"/containers/{container['Id']}/unpause")
