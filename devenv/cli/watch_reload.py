"""The model changed: load it anew, and bring up what differs.

What does not load changes nothing. What somebody stopped, or never started, stays as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from devenv.cli.shared import ensure_shared
from devenv.cli.watch_compose import ComposeRunner
from devenv.cli.watch_model import WatchModel, load_watch_model
from devenv.cli.watch_stops import StopMeter
from devenv.cli.watch_tell import Teller
from devenv.compose.model import Project
from devenv.compose.names import ServiceName
from devenv.compose.watch.values import PlannedChange, WatchAction
from devenv.engine.containers_now import observe_once
from devenv.engine.preflight import load_hashes
from devenv.errors import DevenvError, EngineUnavailable
from devenv.state.containers import Container
from devenv.state.watch import Part
from devenv.values import replace

_ALIVE = ("running", "restarting", "paused")


async def reload_model(
    before: WatchModel,
    changes: Sequence[PlannedChange],
    compose: ComposeRunner,
    meter: StopMeter,
    teller: Teller,
    noticed: Mapping[Part, float],
    owing: set[ServiceName],
) -> WatchModel | None:
    """The model as the files have it now; None where they do not load, are another one's, or the
    engine does not answer.

    `owing` holds the services that a reload before could not bring up: they are tried again, and
    what fails now is left there.
    """
    doing = teller.start(WatchAction.RELOAD, (), changes, noticed)
    doing.begin()
    renewed = before.session.renew()
    try:
        after = await asyncio.to_thread(load_watch_model, renewed)
    except DevenvError as error:
        problem = teller.to_problem(error)
        doing.fail(replace(problem, message=f"{problem.message} What runs is left as it is."))
        return None
    if after.project.name != before.project.name:
        doing.cancel(f"another environment now, {after.project.name}")
        return None
    old = {s: _configuration(before.project, s) for s in before.project.services}
    new = {s: _configuration(after.project, s) for s in after.project.services}
    names = [s for s in new if s in old and (old[s] != new[s] or s in owing)]
    added = [s for s in new if s not in old]
    try:
        found = await observe_once(before.session.client, before.project.name)
    except DevenvError as error:
        doing.fail(teller.to_problem(error))
        return None
    left = [name for name in names if name not in owing and not _is_wanted(name, found)]
    names = [name for name in names if name not in left]
    said = [_describe(name, old, new) for name in left]
    if left:
        said.append(f"{'they are' if len(left) > 1 else 'it is'} stopped; up applies it")
    if not names and not added:
        doing.end("; ".join(said) or "no service's configuration differs", is_timed=False)
        return after
    doing.does("recreate", [*names, *added])
    try:
        words = ("up", "--detach", "--build", *after.stop_options, *names, *added)
        # What became shared is reached over a network that has to be there.
        await ensure_shared(after.session, after.project.name, said.append)
        async with meter.measured(after, doing, None):
            await compose.run(after, *words)
    except DevenvError as error:
        doing.fail(teller.to_problem(error))
        if isinstance(error, EngineUnavailable):
            return None
        owing.update(names, added)
        return after
    owing.clear()
    done = [_describe(name, old, new) for name in names]
    done += [f"{name} is new" for name in added]
    doing.end("; ".join(done + said))
    return after


async def bring_up(
    model: WatchModel,
    changes: Sequence[PlannedChange],
    compose: ComposeRunner,
    teller: Teller,
) -> bool:
    """The services whose containers are of another configuration, or could not be started; whether
    that went well."""
    session = model.session
    found = await observe_once(session.client, model.project.name)
    hashes = await load_hashes(
        session.compose, session.selection, session.environ, session.files.compose_files
    )
    names = {
        c.service
        for c in found
        if (c.state == "created" or hashes.get(c.service, c.config_hash) != c.config_hash)
        and c.service in model.project.services
        and _is_wanted(c.service, found)
    }
    if not names:
        return True
    doing = teller.start(WatchAction.RELOAD, sorted(names), changes)
    doing.begin()
    doing.does("recreate")
    try:
        await ensure_shared(session, model.project.name, lambda words: None)
        await compose.run(model, "up", "--detach", "--build", *model.stop_options, *sorted(names))
    except DevenvError as error:
        doing.fail(teller.to_problem(error))
        return False
    doing.end()
    return True


def _is_wanted(name: ServiceName, containers: Iterable[Container]) -> bool:
    """Whether a service has a container that nobody stopped."""
    return any(c.service == name and (c.state in _ALIVE or not c.stopped) for c in containers)


def _configuration(project: Project, name: ServiceName) -> dict[str, object]:
    raw = (project.document.get("services") or {}).get(name) or {}
    return {str(key): value for key, value in raw.items() if key not in ("depends_on", "develop")}


def _describe(
    name: ServiceName,
    old: Mapping[ServiceName, dict[str, object]],
    new: Mapping[ServiceName, dict[str, object]],
) -> str:
    keys = _different_keys(old[name], new[name])
    return f"{name}: {', '.join(keys) or 'tried again'}"


def _different_keys(before: dict[str, object], after: dict[str, object]) -> list[str]:
    return sorted(key for key in before | after if before.get(key) != after.get(key))
