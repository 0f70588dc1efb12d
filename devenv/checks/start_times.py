"""The start-time arithmetic of one profile, with the facts that it needs."""

from __future__ import annotations

from devenv.checks.edges import selected_services
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import StartBound
from devenv.checks.health import resolve_healths
from devenv.compose.timing import (
    StartTimes,
    quick_probe_change,
    resolve_saving,
    resolve_start_times,
)


def find_start_times(profile: CheckedProfile, facts: Facts) -> StartTimes | None:
    """When each service of the profile can start at the earliest; None without a model."""
    if profile.model is None:
        return None
    healths = resolve_healths(profile.model, facts)
    engine = facts.engine.version if facts.engine else None
    return resolve_start_times(selected_services(profile), healths, engine)


def find_start_bound(profile: CheckedProfile, facts: Facts) -> StartBound | None:
    """The bound with what costs most and what a change there saves; None without a model."""
    times = find_start_times(profile, facts)
    if times is None or profile.model is None:
        return None
    path = [wait.waits_for for wait in times.critical_path[:1]]
    path += [wait.service for wait in times.critical_path]
    costliest = times.costliest
    if costliest is None:
        return StartBound(
            profile.name, times.bound_seconds, tuple(path), is_complete=times.is_complete
        )
    name = costliest.waits_for
    saving = resolve_saving(selected_services(profile), times, (name,))
    check = resolve_healths(profile.model, facts)[name].check
    engine = facts.engine.version if facts.engine else None
    return StartBound(
        profile.name,
        times.bound_seconds,
        tuple(path),
        (costliest.service, name, costliest.seconds),
        quick_probe_change(check, engine) if check and saving.seconds > 0 else None,
        saving.seconds,
        times.is_complete,
    )
