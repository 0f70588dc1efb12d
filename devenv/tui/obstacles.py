"""Why an action cannot be taken now, in words for the user. Pure functions of the state."""

from __future__ import annotations

from devenv.compose.names import ServiceName
from devenv.state.hooks import find_running
from devenv.state.model import ServiceStatus, State
from devenv.state.text import sanitize


def find_work_under_way(state: State) -> str | None:
    """What runs that nothing else may run beside, and the key that cancels it; None if nothing."""
    if state.busy and state.operation is not None:
        return f"{state.operation.kind.value} is under way; x cancels it."
    running = find_running(state.hooks)
    if running is not None:
        return f"{running.label} runs; x cancels it."
    if is_copying(state) and state.snapshot is not None:
        return f"A snapshot is under way ({state.snapshot.verb.value}); x cancels it."
    return None


def is_copying(state: State) -> bool:
    """Whether a snapshot is being saved or restored."""
    return state.snapshot is not None and not state.snapshot.finished


def find_reason_left_alone(state: State, chosen: ServiceName | None) -> str | None:
    """Why the chosen service is none that this environment starts or stops; None where it is."""
    service = state.service(chosen) if chosen else None
    if service is None:
        return None
    name = sanitize(service.name)
    if service.name in state.environment.shared:
        return f"{name} is shared by all environments, and stops with the last of them."
    is_in_model = state.project is not None and service.name in state.project.services
    if service.status is not ServiceStatus.UNSELECTED or is_in_model:
        return None
    return f"{name} is not in this profile ({sanitize(service.detail)}). G takes another one."


def find_reason_to_stay(state: State) -> str | None:
    """What the user should know before leaving; None where nothing runs."""
    if state.busy and state.operation is not None:
        return f"{state.operation.kind.value} is under way; leaving cancels it."
    if is_copying(state):
        return "A snapshot is under way; leaving cancels it."
    if any(c.state in ("running", "restarting") for c in state.containers.values()):
        return "The environment is running."
    return None
