"""`initial_sync` of `develop.watch`: what differs in the containers when the watch begins."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from devenv.cli.watch_model import WatchModel
from devenv.compose.names import ServiceName
from devenv.compose.watch.batch import ServiceWork, plan_batch
from devenv.compose.watch.values import PlannedChange
from devenv.engine.api import EngineClient
from devenv.engine.containers_now import observe_once
from devenv.engine.sync import Change
from devenv.engine.sync_compare import find_differing


async def find_initial(
    model: WatchModel, client: EngineClient, paths: Iterable[str], only: ServiceName | None = None
) -> tuple[ServiceWork, ...]:
    """The work of the rules with `initial_sync` for those of these files that a running container
    has otherwise; of one service, or of all. Raises ApiError, EngineUnavailable.

    Spec: compose-spec develop.md#initial_sync.
    """
    if not model.planner.has_initial_sync:
        return ()
    planned = await asyncio.to_thread(_plan, model, tuple(paths), only)
    if not planned:
        return ()
    found = await observe_once(client, model.project.name)
    wanted: dict[tuple[ServiceName, str], PlannedChange] = {}
    for service, changes in planned.items():
        asked = [Change(one.path, one.target or "") for one in changes]
        by_path = {one.path: one for one in changes}
        for container in found:
            if container.service == service and container.state == "running":
                for one in await find_differing(client, container.id, asked):
                    wanted[service, one.source] = by_path[one.source]
    return plan_batch(wanted[key] for key in sorted(wanted)).works


def _plan(
    model: WatchModel, paths: Iterable[str], only: ServiceName | None
) -> dict[ServiceName, list[PlannedChange]]:
    each: dict[ServiceName, list[PlannedChange]] = {}
    for path in paths:
        for change in model.planner.plan(path):
            if change.is_initial and change.service is not None and only in (None, change.service):
                each.setdefault(change.service, []).append(change)
    return each
