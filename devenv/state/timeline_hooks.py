"""The hooks of a start on its timeline. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devenv.state.hooks import AFTER_START, HookRun, HookStatus
from devenv.state.model import OperationKind, State
from devenv.state.start_seen import StartSeen
from devenv.values import dataclass


@dataclass(frozen=True, slots=True)
class HookTime:
    """One hook; times are seconds from when Compose was called."""

    event: str
    text: str
    begin: float
    """Below 0 for those of `before_up`."""
    seconds: float | None
    """None while it runs."""
    status: str = HookStatus.DONE.value
    exit_code: int | None = None


def resolve_hook_times(state: State, seen: StartSeen) -> tuple[HookTime, ...]:
    """The hooks that ran before and after the start that was seen, in their order."""
    operation = state.operation
    is_up = operation is not None and operation.kind is OperationKind.UP
    return tuple(
        _resolve(run, run.started_at - seen.started_at)
        for run in state.hooks
        if run.started_at is not None
        and (
            (run.event in AFTER_START and run.started_at >= seen.started_at)
            or (run.event == "before_up" and is_up and run.started_at <= seen.started_at)
        )
    )


def _resolve(run: HookRun, begin: float) -> HookTime:
    seconds = None
    if run.ended_at is not None and run.started_at is not None:
        seconds = max(0.0, run.ended_at - run.started_at)
    return HookTime(run.event, _shown(run), begin, seconds, run.status.value, run.exit_code)


def _shown(run: HookRun) -> str:
    return f"{run.text} in {run.service}" if run.service else run.text


def render_hook_time(hook: HookTime) -> str:
    """Such as `after_healthy: ./migrate, 3.2 s from 12.0 s on`."""
    words = f"{hook.event}: {hook.text}"
    if hook.status == HookStatus.SKIPPED.value:
        return f"{words}, skipped"
    if hook.seconds is None:
        return f"{words}, is running"
    when = "before the start" if hook.begin < 0 else f"from {hook.begin:.1f} s on"
    if hook.status == HookStatus.FAILED.value:
        code = f", exit code {hook.exit_code}" if hook.exit_code is not None else ""
        return f"{words}, failed after {hook.seconds:.1f} s{code}"
    return f"{words}, {hook.seconds:.1f} s {when}"


def hook_to_json(hook: HookTime) -> dict[str, Any]:
    return {
        "event": hook.event,
        "text": hook.text,
        "begin": round(hook.begin, 3),
        "seconds": None if hook.seconds is None else round(hook.seconds, 3),
        "status": hook.status,
        "exit_code": hook.exit_code,
    }


def parse_hook_time(document: Mapping[str, Any]) -> HookTime:
    """What `hook_to_json` gave. Raises KeyError, TypeError or ValueError for anything else."""
    return HookTime(
        str(document["event"]),
        str(document["text"]),
        float(document["begin"]),
        None if document["seconds"] is None else float(document["seconds"]),
        str(document["status"]),
        document["exit_code"],
    )
