"""The plan of a switch to another profile or branch: what is stopped, what `up` then does. Pure."""

from __future__ import annotations

from collections.abc import Collection

from devenv.compose.names import EnvironmentName, ServiceName
from devenv.compose.plan import Plan, PlannedStep, Step
from devenv.values import dataclass


@dataclass(frozen=True, slots=True)
class Stop:
    """A service that is stopped, and why. Its container and data stay."""

    environment: EnvironmentName
    service: ServiceName
    cause: str


@dataclass(frozen=True, slots=True)
class SwitchPlan:
    """From one environment to another, or within one."""

    before: EnvironmentName | None
    """The environment that runs now; None where none does."""
    after: EnvironmentName
    stops: tuple[Stop, ...]
    up: Plan
    data: tuple[str, ...] = ()
    """What happens to volumes, in sentences."""

    @property
    def changes(self) -> tuple[PlannedStep, ...]:
        """The steps that do something."""
        return tuple(step for step in self.up.steps if step.step is not Step.KEEP)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be done."""
        return not self.stops and not self.changes


def plan_switch(
    before: EnvironmentName | None,
    after: EnvironmentName,
    running: Collection[ServiceName],
    up: Plan,
    volumes: Collection[str],
    existing: Collection[str],
    copied: Collection[str] = (),
) -> SwitchPlan:
    """The plan from what runs in `before` to `up` in `after`.

    `volumes` are the names of the volumes that `after` uses, `existing` those of them that the
    engine has, `copied` those of the others that get the default branch's data. Within one
    environment only what the selection leaves out is stopped.
    """
    if before is None:
        stops: list[Stop] = []
    elif before == after:
        stops = [
            Stop(before, name, "not in the selection any more")
            for name in sorted(set(running) - set(up.services))
        ]
    else:
        stops = [
            Stop(before, name, f"of environment {before}; its data stays")
            for name in sorted(running)
        ]
    new = sorted(set(volumes) - set(existing) - set(copied))
    old = sorted(set(volumes) & set(existing))
    data = []
    if before != after and old:
        data.append(f"data as it was left: {', '.join(old)}")
    if copied:
        data.append(f"copied from the default branch's environment: {', '.join(sorted(copied))}")
    if new:
        data.append(f"new and empty: {', '.join(new)}")
    if before is not None and before != after:
        data.append(f"the data of {before} stays for its return")
    return SwitchPlan(before, after, tuple(stops), up, tuple(data))
