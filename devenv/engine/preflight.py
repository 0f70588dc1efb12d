"""Gathers what a plan needs to know from the engine. Decides nothing: that is `compose.plan`."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from devenv.compose.model import Project
from devenv.compose.names import ServiceName
from devenv.compose.plan import (
    Explain,
    ObservedService,
    ObservedVolume,
    Plan,
    plan_up,
)
from devenv.engine.api import EngineClient
from devenv.engine.compose import ComposeCli, Selection
from devenv.engine.containers import LABEL_HASH, LABEL_ONEOFF, LABEL_PROJECT, LABEL_SERVICE
from devenv.engine.errors import classify_compose_failure
from devenv.engine.placing import place_error
from devenv.engine.process import run_process
from devenv.engine.taken_ports import FindListener, find_port_conflicts
from devenv.errors import PlanRefused


async def load_hashes(
    compose: ComposeCli,
    selection: Selection,
    environ: Mapping[str, str],
    files: Sequence[Path],
) -> dict[ServiceName, str]:
    """Compose's configuration hash of each service of the selection.

    `files` are the Compose files that are read: an error is placed in them.
    """
    argv = compose.argv(*selection.arguments(), "config", "--hash", "*")
    completed = await run_process(
        argv, env=selection.environ(environ), cwd=selection.directory, timeout_seconds=60
    )
    if completed.returncode != 0:
        shown = ("docker", "compose", *argv[1:])
        names = [str(file) for file in files]
        raise place_error(
            classify_compose_failure(shown, completed.returncode, completed.stderr, files=names),
            files,
        )
    pairs = (line.split() for line in completed.stdout.splitlines())
    return {ServiceName(pair[0]): pair[1] for pair in pairs if len(pair) == 2}


async def load_plan(
    client: EngineClient,
    project: Project,
    hashes: Mapping[ServiceName, str],
    *,
    only: Collection[ServiceName] = (),
    without: Collection[ServiceName] = (),
    find_listener: FindListener | None = None,
    explain: Explain | None = None,
) -> Plan:
    """The plan of an `up` against the engine as it is now.

    `find_listener` looks for processes on this machine that hold a port; None where the engine
    is on another one.
    """
    references = {s.image for s in project.services.values() if s.image and s.build is None}
    everything, images, volumes = await asyncio.gather(
        client.containers(None),
        client.images_present(references),
        _load_volumes(client, project),
    )
    own = [c for c in everything if (c.get("Labels") or {}).get(LABEL_PROJECT) == project.name]
    others = [c for c in everything if c not in own]
    services = _observe_services(own)
    plan_of: dict[str, Any] = {
        "only": only,
        "without": without,
        "services": services,
        "hashes": hashes,
        "images": set(images),
        "volumes": volumes,
        "explain": explain,
    }
    plan = plan_up(project, **plan_of)
    conflicts = find_port_conflicts(project, plan.services, own, others, find_listener)
    return plan_up(project, **plan_of, port_conflicts=conflicts)


def check_plan(plan: Plan) -> None:
    """Raise PlanRefused where going on would lose data or fail half-way."""
    if plan.volume_conflicts:
        conflict = plan.volume_conflicts[0]
        raise PlanRefused(
            f"Volume {conflict.volume} was made with another configuration. Docker Compose would "
            "delete it with its data and make a new one, so nothing was started.",
            excerpt="\n".join(conflict.differences),
            fix="take the change back, or give the volume another name; "
            f"to drop the data on purpose: docker volume rm {conflict.volume}",
        )
    if plan.port_conflicts:
        port = plan.port_conflicts[0]
        raise PlanRefused(
            f"Port {port.port}/{port.protocol}, which {port.service} publishes, is taken by "
            f"{port.holder}. Nothing was started.",
            fix="stop what holds it, or publish another port",
        )


def _observe_services(summaries: list[dict[str, Any]]) -> dict[ServiceName, ObservedService]:
    grouped: dict[ServiceName, list[dict[str, Any]]] = {}
    for summary in summaries:
        labels = summary.get("Labels") or {}
        if labels.get(LABEL_SERVICE) and labels.get(LABEL_ONEOFF) != "True":
            grouped.setdefault(ServiceName(labels[LABEL_SERVICE]), []).append(summary)
    return {
        name: ObservedService(
            count=len(group),
            running=sum(1 for c in group if c.get("State") in ("running", "paused")),
            config_hashes=frozenset((c.get("Labels") or {}).get(LABEL_HASH, "") for c in group),
        )
        for name, group in grouped.items()
    }


async def _load_volumes(client: EngineClient, project: Project) -> dict[str, ObservedVolume]:
    found = {}
    for volume in project.volumes:
        raw = None if volume.external else await client.volume(volume.name)
        if raw is not None:
            found[volume.name] = ObservedVolume(
                raw.get("Driver") or "local", raw.get("Options") or {}, raw.get("Labels") or {}
            )
    return found
