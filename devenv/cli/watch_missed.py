"""What changed while nobody watched, as the work that it asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping

from devenv.cli.watch_model import WatchModel
from devenv.compose.names import ServiceName
from devenv.compose.watch.batch import SYNCS, ServiceWork, plan_batch
from devenv.compose.watch.values import PlannedChange, WatchAction
from devenv.engine.api import EngineClient
from devenv.engine.containers_now import observe_once
from devenv.host.watch_memory import StaleImage, Watched
from devenv.state.containers import Container
from devenv.values import dataclass, field
from devenv.watch.sources import SourceWatcher, changed_at

_OF_IMAGE = (WatchAction.REBUILD, *SYNCS)


@dataclass(frozen=True, slots=True)
class Missed:
    """What is to be done about it."""

    works: tuple[ServiceWork, ...] = ()
    reload: tuple[PlannedChange, ...] = ()
    """The model's own files that changed."""
    stale: Mapping[ServiceName, StaleImage] = field(default_factory=dict)
    """Images that still lack what was synced."""


async def find_missed(
    model: WatchModel,
    client: EngineClient,
    kept: Watched | None,
    watcher: SourceWatcher,
    built_since: float | None,
    built: Collection[ServiceName] = (),
) -> Missed:
    """Compare with what was kept. `built_since` is when the images of `built`, or with none named
    all of them, began to be built just now; None: they were not. Raises EngineUnavailable.
    """
    found = await observe_once(client, model.project.name)
    alive = {c.service for c in found}
    stale = await _find_stale(model, client, kept)
    works: tuple[ServiceWork, ...] = tuple(
        rebuild_stale(model, name)
        for name, image in stale.items()
        if any(c.service == name and c.id not in image.container_ids for c in found)
    )
    if kept is None and built_since is None:
        return Missed(works + await _find_newer(model, found, watcher))
    differing = await asyncio.to_thread(watcher.differences, kept.files) if kept else ()
    changes = _changes(model, differing)
    if built_since is not None:
        # The builds have all but what was saved while they went on.
        names = built or model.project.services
        fresh = {one for name in names for one in model.find_sharing(name)}
        if kept is None:
            older = await _find_newer(model, found, watcher)
            works += tuple(work for work in older if work.service not in fresh)
        changes = [
            change
            for change in changes
            if change.action is WatchAction.RESTART or change.service not in fresh
        ]
        changes += _changes(model, await asyncio.to_thread(watcher.changed_since, built_since))
    plan = plan_batch(
        dict.fromkeys(
            change
            for change in changes
            if change.action is not WatchAction.RESTART or _is_older(found, change)
        )
    )
    wanted = [w for w in plan.works if w.service in alive and w.action is not WatchAction.LIVE]
    return Missed((*works, *wanted), plan.reload, stale)


async def _find_stale(
    model: WatchModel, client: EngineClient, kept: Watched | None
) -> dict[ServiceName, StaleImage]:
    if kept is None:
        return {}
    images = {name: model.image_of(name) for name in model.project.services}
    names = await find_stale(images, client, kept)
    return {name: kept.stale[name] for name in images if name in names}


async def find_stale(
    model_images: Mapping[ServiceName, str], client: EngineClient, kept: Watched | None
) -> set[ServiceName]:
    """The services whose image, by its name, still lacks what was synced. Raises
    EngineUnavailable."""
    found = set()
    for name, image in (kept.stale if kept is not None else {}).items():
        reference = model_images.get(ServiceName(name))
        if reference is not None and await _is_image(client, reference, image.image_id):
            found.add(ServiceName(name))
    return found


def _changes(model: WatchModel, paths: Iterable[str]) -> list[PlannedChange]:
    return [change for path in paths for change in model.planner.plan(path)]


def _is_older(found: Iterable[Container], change: PlannedChange) -> bool:
    """Whether a running container began before the file became what it is."""
    when = changed_at(change.path)
    return any(
        c.service == change.service and c.state == "running" and (c.started_at or 0.0) < when
        for c in found
    )


def rebuild_stale(model: WatchModel, service: ServiceName) -> ServiceWork:
    """What a container asks for that came from a stale image."""
    build = model.project.services[service].build
    change = PlannedChange(
        build.context if build is not None else "",
        service,
        WatchAction.REBUILD,
        "the container was recreated from an image that lacks what had been synced",
    )
    return ServiceWork(service, WatchAction.REBUILD, (change,))


async def _is_image(client: EngineClient, reference: str, image_id: str) -> bool:
    found = await client.images_present([reference])
    return str((found.get(reference) or {}).get("Id")) == image_id


async def _find_newer(
    model: WatchModel, found: Iterable[Container], watcher: SourceWatcher
) -> tuple[ServiceWork, ...]:
    """Nothing is known of before: what is younger than a container of its image is built. Where
    the builder finds the same content, the image is the same and nothing is replaced."""
    made: dict[ServiceName, float] = {}
    for container in found:
        name = container.service
        if container.created_at and name in model.project.services and model.is_built(name):
            made[name] = min(container.created_at, made.get(name, container.created_at))
    if not made:
        return ()
    newer = await asyncio.to_thread(watcher.changed_since, min(made.values()))
    each: dict[ServiceName, list[PlannedChange]] = {}
    for change in _changes(model, newer):
        service = change.service
        if service not in made or change.action not in _OF_IMAGE:
            continue
        if changed_at(change.path) >= made[service]:
            each.setdefault(service, []).append(change)
    return tuple(
        ServiceWork(name, WatchAction.REBUILD, tuple(changes)) for name, changes in each.items()
    )
