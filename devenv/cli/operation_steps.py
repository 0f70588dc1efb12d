"""What goes before and after a Compose command of a running environment.

Before: what would lose data or fail half-way is found, shared services are started, what is about
to be started is remembered. After: shared services that nobody uses any more are stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from devenv.checks.losses import find_losses
from devenv.cli.allow import find_new_access, refuse_unseen
from devenv.cli.branch_watch import resume_services
from devenv.cli.cloning import clone_if_missing
from devenv.cli.drift import remember_started
from devenv.cli.isolation import refuse_foreign, remember
from devenv.cli.session import Session
from devenv.cli.shared import ensure_shared, release_shared
from devenv.cli.volume_recovery import recover_volumes
from devenv.compose.model import Project
from devenv.compose.names import ServiceName
from devenv.engine.preflight import check_plan, load_plan
from devenv.host.ports import find_listener
from devenv.state.model import OperationKind, State
from devenv.state.text import sanitize

if TYPE_CHECKING:
    from devenv.cli.hook_effects import HookEffects
    from devenv.cli.up_options import UpOptions


class OperationSteps:
    """The steps around the operations of one environment."""

    def __init__(
        self,
        session: Callable[[], Session],
        state: Callable[[], State],
        options: Callable[[], UpOptions],
        hooks: Callable[[], HookEffects],
        on_output: Callable[[str, str], None],
        *,
        prints_notes: bool,
    ) -> None:
        """`prints_notes`: what is noted is in front of the user's eyes, not in a log view."""
        self._session = session
        self._state = state
        self._options = options
        self._hooks = hooks
        self._on_output = on_output
        self._prints_notes = prints_notes

    async def prepare(
        self, kind: OperationKind, project: Project, services: tuple[ServiceName, ...]
    ) -> None:
        """What goes before an operation. Raises what keeps it from being begun."""
        if kind in (OperationKind.UP, OperationKind.RECREATE):
            await self._prepare_up(kind, project, services)
        elif kind in (OperationKind.START, OperationKind.RESTART):
            await self._ensure_shared(project)
        elif kind is OperationKind.DOWN and self._is_running():
            await self._hooks().before_down()

    def _is_running(self) -> bool:
        return any(c.state == "running" for c in self._state().containers.values())

    async def finish(self, kind: OperationKind) -> None:
        """What follows an operation that ended well."""
        session, name = self._session(), self._state().environment.name
        if kind not in (OperationKind.STOP, OperationKind.DOWN):
            return
        isolated = await asyncio.to_thread(lambda: session.isolated)
        if isolated is not None and isolated.shared is not None:
            note = partial(self._on_output, "note")
            removed = kind is OperationKind.DOWN
            await release_shared(session, name, [isolated.shared.name], note, removed=removed)

    async def _ensure_shared(self, project: Project) -> None:
        if self._session().files.settings.isolation.shared:
            await ensure_shared(self._session(), project.name, partial(self._on_output, "note"))

    async def _prepare_up(
        self, kind: OperationKind, project: Project, services: tuple[ServiceName, ...]
    ) -> None:
        """Look before the start for what would lose data or fail half-way, then run `before_up`.

        Raises PlanRefused, HookFailed, EngineUnavailable, ComposeFileError.
        """
        session = self._session()
        await refuse_foreign(session, project)
        await recover_volumes(session.client, project.name, self._note)
        if self._options().clone and session.files.settings.isolation.clone_volumes:
            await clone_if_missing(session, project, self._note)
        await resume_services(session, project.name)
        hashes = await asyncio.to_thread(lambda: session.hashes)
        plan = await load_plan(
            session.client,
            project,
            hashes,
            only=services or self._options().services,
            without=self._options().without,
            find_listener=find_listener if session.endpoint.is_local else None,
        )
        check_plan(plan)
        options = self._options()
        for loss in find_losses(project, services or options.services, options.without):
            self._on_output("note", f"without {loss.on}, {sanitize(loss.text)}")
        await asyncio.to_thread(self._show_access, project)
        if kind is OperationKind.UP and services in ((), self._options().services):
            await self._hooks().before_up()
        await self._ensure_shared(project)
        await asyncio.to_thread(self._remember, project, hashes)

    def _show_access(self, project: Project) -> None:
        """What containers can reach of the machine is shown once. Raises PlanRefused where only
        the terminal UI can show it: the next start goes on."""
        new = find_new_access(self._session(), project)
        if new:
            refuse_unseen(new, self._on_output, is_shown=self._prints_notes)

    def _remember(self, project: Project, hashes: Mapping[ServiceName, str]) -> None:
        """Keep what is about to be started, for what wants to know it later."""
        remember(self._session(), project)
        remember_started(self._session(), project, hashes)

    async def _note(self, words: str) -> None:
        self._on_output("note", words)
