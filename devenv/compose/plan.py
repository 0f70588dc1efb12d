"""The plan of an `up`: one operation per service, each with its cause, decided beforehand.

Pure: it compares the model with what was observed. The executor takes no further decision.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum

from devenv.compose.borrowed import find_lender
from devenv.compose.graph import resolve_closure, resolve_start_order
from devenv.compose.model import Project, Volume
from devenv.compose.names import ServiceName
from devenv.values import dataclass

Explain = Callable[[ServiceName, str], Sequence[str]]
"""A service and Compose's hash of what runs -> the keys that differ; empty where unknown."""


class Step(StrEnum):
    PULL = "pull"
    BUILD = "build"
    CREATE = "create"
    RECREATE = "recreate"
    START = "start"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """What happens to one service (or to its image), and why."""

    step: Step
    service: ServiceName
    cause: str


@dataclass(frozen=True, slots=True)
class VolumeConflict:
    """A volume whose definition differs from the one on the engine: recreating it loses data."""

    volume: str
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PortConflict:
    """A host port that something else holds."""

    service: ServiceName
    port: int
    protocol: str
    holder: str


@dataclass(frozen=True, slots=True)
class ObservedService:
    """What the plan needs to know of a service's containers on the engine."""

    count: int
    running: int
    config_hashes: frozenset[str]


@dataclass(frozen=True, slots=True)
class ObservedVolume:
    driver: str
    driver_opts: Mapping[str, str]
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Plan:
    steps: tuple[PlannedStep, ...]
    services: tuple[ServiceName, ...]
    """The services that Compose is asked for, in start order."""
    builds: tuple[ServiceName, ...]
    volume_conflicts: tuple[VolumeConflict, ...] = ()
    port_conflicts: tuple[PortConflict, ...] = ()
    orphans: tuple[ServiceName, ...] = ()
    """Services with containers that this selection does not have. They are left alone."""


def plan_up(
    project: Project,
    *,
    only: Collection[ServiceName] = (),
    without: Collection[ServiceName] = (),
    services: Mapping[ServiceName, ObservedService],
    hashes: Mapping[ServiceName, str],
    images: Collection[str],
    volumes: Mapping[str, ObservedVolume],
    port_conflicts: Collection[PortConflict] = (),
    explain: Explain | None = None,
) -> Plan:
    """The plan that brings the selection up.

    `only` limits it to these services and what they wait on; `without` leaves services out.
    `hashes` are Compose's own configuration hashes, `images` the local image names among those
    that the model asks for. `explain` says which keys of a service differ from a configuration that
    runs, by its hash.
    """
    wanted = resolve_closure(project, only or project.services) - frozenset(without)
    order = resolve_start_order({name: project.services[name] for name in wanted})
    ordered = tuple(name for wave in order.waves for name in wave)
    ordered += tuple(sorted(wanted - set(ordered)))
    steps: list[PlannedStep] = []
    builds = tuple(name for name in ordered if project.services[name].build is not None)
    for name in ordered:
        steps += _plan_image(project, name, images)
        observed = services.get(name)
        steps.append(_plan_service(name, project, observed, hashes.get(name, ""), explain))
    return Plan(
        steps=tuple(steps),
        services=ordered,
        builds=builds,
        volume_conflicts=plan_volumes(project, volumes),
        port_conflicts=tuple(port_conflicts),
        orphans=tuple(sorted(set(services) - set(project.services))),
    )


def _plan_image(project: Project, name: ServiceName, images: Collection[str]) -> list[PlannedStep]:
    service = project.services[name]
    if service.build is not None:
        target = f" target {service.build.target}" if service.build.target else ""
        return [PlannedStep(Step.BUILD, name, f"built from {service.build.dockerfile}{target}")]
    if service.image and service.image not in images:
        return [PlannedStep(Step.PULL, name, f"{service.image} is not on the engine")]
    return []


def _plan_service(
    name: ServiceName,
    project: Project,
    observed: ObservedService | None,
    wanted_hash: str,
    explain: Explain | None,
) -> PlannedStep:
    if observed is None or observed.count == 0:
        return PlannedStep(Step.CREATE, name, "has no container yet")
    lender = find_lender((project.document.get("services") or {}).get(name) or {})
    if lender is None and wanted_hash and (other := observed.config_hashes - {wanted_hash}):
        keys = explain(name, min(other)) if explain is not None else ()
        more = f": {', '.join(keys)}" if keys else ""
        return PlannedStep(Step.RECREATE, name, f"its configuration changed{more}")
    if observed.running < observed.count:
        return PlannedStep(Step.START, name, "its container is stopped")
    if lender is not None:
        cause = f"lives in {lender}'s container, and is recreated with it or if its own "
        return PlannedStep(Step.KEEP, name, f"{cause}configuration changed")
    cause = "runs with this configuration"
    if project.services[name].build is not None:
        cause += ", recreated only if the build gives another image"
    return PlannedStep(Step.KEEP, name, cause)


def plan_volumes(
    project: Project, observed: Mapping[str, ObservedVolume]
) -> tuple[VolumeConflict, ...]:
    """The volumes that `up` would want to recreate, with what differs.

    Labels of Compose's own are left out: they carry versions and hashes.
    """
    conflicts = []
    for volume in project.volumes:
        existing = observed.get(volume.name)
        if existing is None or volume.external:
            continue
        differences = _differences(volume, existing)
        if differences:
            conflicts.append(VolumeConflict(volume.name, differences))
    return tuple(conflicts)


def _differences(volume: Volume, existing: ObservedVolume) -> tuple[str, ...]:
    found = []
    if volume.driver != existing.driver:
        found.append(f"driver: {existing.driver} → {volume.driver}")
    own = {k: v for k, v in existing.labels.items() if not k.startswith("com.docker.compose.")}
    for key, before, after in (
        ("driver_opts", existing.driver_opts, volume.driver_opts),
        ("labels", own, volume.labels),
    ):
        for name in sorted(set(before) | set(after)):
            old, new = before.get(name), after.get(name)
            if old != new:
                found.append(f"{key}.{name}: {_shown(old)} → {_shown(new)}")
    return tuple(found)


def _shown(value: str | None) -> str:
    return "(none)" if value is None else value
