"""`[isolation] clone_volumes`: an environment's volumes begin as copies of the default branch's.

A clone goes from engine to engine through this process, without a file. The services of the
source that write are held meanwhile, as for a snapshot, and go on whatever happens. A mark on the
engine says that the volumes are half until it is gone: whoever starts the environment next removes
them and clones again.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from difflib import get_close_matches

from devenv.cli.copy_progress import CopyProgress, NoProgress
from devenv.cli.exclusive import hold_environment
from devenv.cli.isolation import resolve_base_name
from devenv.cli.session import Session
from devenv.cli.snapshots import Ask, answer_with, ask_at_terminal, consent, images_of, say
from devenv.cli.volume_recovery import Tell, recover_volumes
from devenv.compose.model import Project, Volume
from devenv.compose.names import EnvironmentName
from devenv.engine.containers import LABEL_PROJECT
from devenv.engine.volume_copy import copy_volume, holding, vessel_of
from devenv.engine.volume_find import VolumePlace, find_places, load_sizes, plan_holds
from devenv.engine.volume_stage import Progress
from devenv.engine.volume_version import SavedData, check_version, load_database
from devenv.engine.volume_work import Work, make_mark
from devenv.engine.volumes import (
    LABEL_VOLUME,
    list_volumes,
    make_volume,
    remove_vessel,
    remove_volume,
)
from devenv.errors import ConfigError, DevenvError, PlanRefused
from devenv.host import paths
from devenv.host.environments import load_environment
from devenv.host.memory import open_existing
from devenv.report.tables import render_bytes
from devenv.values import dataclass, replace


@dataclass(frozen=True, slots=True)
class Clone:
    """A volume that the environment does not have yet, and the default branch's has."""

    key: str
    source: str
    target: str
    is_wanted: bool
    """Named in `clone_volumes`; the others are only offered."""


def check_clone_volumes(session: Session, project: Project) -> None:
    """Raise ConfigError where `clone_volumes` names what no Compose file has."""
    settings = session.files.settings
    everything: set[str] | None = None
    for at, key in enumerate(settings.isolation.clone_volumes):
        if key in {volume.key for volume in project.volumes}:
            continue
        if everything is None:  # of another profile
            everything = {volume.key for volume in session.load_everything().volumes}
        if key not in everything:
            near = get_close_matches(key, everything, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}? " if near else ""
            raise ConfigError(
                f"clone_volumes names {key!r}, which is no volume of the Compose files.",
                source=settings.source("isolation", "clone_volumes", at),
                fix=f"{hint}volumes: {', '.join(sorted(everything)) or 'none'}",
            )


async def find_clones(session: Session, project: Project) -> list[Clone]:
    """What there is to clone for an environment beside the plain one, by key; else nothing."""
    isolated = await asyncio.to_thread(lambda: session.isolated)
    if isolated is None or isolated.override is None:
        return []
    wanted = session.files.settings.isolation.clone_volumes
    base = await asyncio.to_thread(_base_name, session)
    found = await list_volumes(session.client, {LABEL_PROJECT: base})
    sources = {str(raw["Labels"].get(LABEL_VOLUME)): str(raw["Name"]) for raw in found}
    clones = []
    for volume in project.volumes:
        source = sources.get(volume.key)
        if volume.external or source in (None, volume.name):
            continue
        if await session.client.volume(volume.name) is None:
            clones.append(Clone(volume.key, str(source), volume.name, volume.key in wanted))
    return clones


def _base_name(session: Session) -> EnvironmentName:
    return resolve_base_name(session, session.base_project)


def clone_before_start(session: Session, *, yes: bool, clone: bool, ask: Ask | None = None) -> None:
    """Clone what is to be cloned before the first start, with questions and progress.

    `clone` False: begin with empty volumes. `ask` asks in another way than at the terminal. What
    keeps the files from loading, or the engine from
    answering, is left to the start itself. Raises PlanRefused where the answer was no.
    """
    if not clone or session.files.settings.isolation.mode == "none":
        return
    try:
        project = session.project
        isolated = session.isolated
    except DevenvError:
        return
    if isolated is None or isolated.override is None:
        return
    check_clone_volumes(session, project)
    progress = CopyProgress()

    async def work() -> None:
        try:
            await session.client.ping()
        except DevenvError:
            return
        async with hold_environment(session, project.name, "snapshot", say):
            await recover_volumes(session.client, project.name, say, progress)
            clones = await find_clones(session, project)
            chosen = [one for one in clones if one.is_wanted]
            rest = [one for one in clones if not one.is_wanted]
            if rest and _is_first_start(session, project):
                chosen += await _offer(session, rest, ask)
            answer = answer_with(yes) if ask is None or yes else ask
            await clone_volumes(session, project, chosen, ask=answer, progress=progress, tell=say)

    try:
        asyncio.run(work())
    finally:
        progress.clear()


def _is_first_start(session: Session, project: Project) -> bool:
    with open_existing(paths.state_directory(session.environ)) as memory:
        return load_environment(memory, project.name) is None


async def _offer(session: Session, clones: Sequence[Clone], ask: Ask | None) -> list[Clone]:
    """Ask about the volumes that stay behind with the default branch; without a terminal say so."""
    sizes = await load_sizes(session.client)
    names = ", ".join(
        f"{one.key} ({render_bytes(sizes[one.source])})" if one.source in sizes else one.key
        for one in clones
    )
    words = f"The default branch's environment has data that this one begins without: {names}."
    if ask is not None:
        if await ask(f"{words} Copy it?"):
            return list(clones)
    else:
        await say(words)
        if sys.stdin.isatty() and ask_at_terminal("Copy it?"):
            return list(clones)
    keys = ", ".join(f'"{one.key}"' for one in clones)
    await say(f"Not copied. clone_volumes = [{keys}] in [isolation] of devenv.toml copies it.")
    return []


async def clone_if_missing(session: Session, project: Project, tell: Tell) -> None:
    """The same within a start that cannot ask; the environment's lock is held.

    Raises PlanRefused where a service has to be stopped for it.
    """

    async def refuse(question: str) -> bool:
        raise PlanRefused(
            "The first start copies the default branch's data, and a service of that has to be "
            "stopped for it.",
            fix="devenv up --yes does so; devenv up --no-clone starts with empty volumes",
        )

    chosen = [one for one in await find_clones(session, project) if one.is_wanted]
    await clone_volumes(session, project, chosen, ask=refuse, progress=NoProgress(), tell=tell)


async def clone_volumes(
    session: Session,
    project: Project,
    clones: Sequence[Clone],
    *,
    ask: Ask,
    progress: Progress,
    tell: Tell,
) -> None:
    """Make the volumes and fill them. The lock of the target environment is held.

    Raises PlanRefused where the answer was no or the data is of another major version.
    """
    if not clones:
        return
    client = session.client
    base = await asyncio.to_thread(_base_name, session)
    await tell(f"first start of {project.name}: its volumes are copied from {base}")
    async with hold_environment(session, base, "snapshot", tell):
        await recover_volumes(client, base, tell, progress)
        model = replace(session.base_project, name=base, volumes=())
        places = {one.key: one for one in await find_places(client, model, [c.key for c in clones])}
        for one in clones:
            await _check_version(session, project, one, places[one.key], base)
        holds = await plan_holds(client, base, places.values())
        if not await consent(holds, asked=False, ask=ask, tell=tell):
            raise PlanRefused(
                "Nothing was started.", fix="devenv up --no-clone starts with empty volumes"
            )
        sizes = await load_sizes(client)
        progress.expect({c.key: sizes[c.source] for c in clones if c.source in sizes})
        images = images_of(places.values())
        targets = [one.target for one in clones]
        mark = await make_mark(client, images, Work.CLONE, project.name, targets)
        try:
            for one in clones:
                await make_volume(client, one.target, *_definition(project, one))
            async with holding(client, base, images, holds):
                for one in clones:
                    await _copy(session, project, one, places[one.key], base, progress)
        except BaseException:
            with contextlib.suppress(DevenvError):  # the mark is there for the next time
                for target in targets:
                    await remove_volume(client, target)
                await remove_vessel(client, mark)
            raise
        await remove_vessel(client, mark)


def _definition(project: Project, clone: Clone) -> tuple[dict[str, str], dict[str, str]]:
    """Labels and driver options, as Compose would make the volume."""
    volume = _volume(project, clone.key)
    labels = {**volume.labels, LABEL_PROJECT: project.name, LABEL_VOLUME: volume.key}
    return labels, dict(volume.driver_opts)


def _volume(project: Project, key: str) -> Volume:
    return next(volume for volume in project.volumes if volume.key == key)


async def _copy(
    session: Session,
    project: Project,
    clone: Clone,
    place: VolumePlace,
    base: str,
    progress: Progress,
) -> None:
    client = session.client
    async with (
        vessel_of(client, base, place.images, clone.source) as source,
        vessel_of(client, project.name, place.images, clone.target) as target,
    ):
        progress.begin("copying", clone.key)
        done = await copy_volume(client, source, target, progress.on_bytes)
        progress.end(done.content_bytes)


async def _check_version(
    session: Session, project: Project, clone: Clone, place: VolumePlace, base: str
) -> None:
    client = session.client
    target = replace(place, exists=False, image=_image(project, clone.key))
    image_id = next((str(row["ImageID"]) for row in place.users), None)
    database = await load_database(client, base, place)
    what = f"Volume {clone.key} of {base}"
    data = SavedData(what, database, place.image, image_id)
    try:
        await check_version(client, project.name, target, data)
    except PlanRefused as error:
        error.fix = "devenv up --no-clone starts with empty volumes"
        raise


def _image(project: Project, key: str) -> str | None:
    for service in project.services.values():
        if any(kind == "volume" and source == key for kind, source, _ in service.mounts):
            return service.image or f"{project.name}-{service.name}"
    return None
