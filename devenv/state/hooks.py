"""Hooks as the views show them: which ran, how each ended, and what is to be run again. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from devenv.values import dataclass

if TYPE_CHECKING:
    from devenv.state.model import Problem

AFTER_START = ("after_healthy", "after_switch")
"""The events that follow a start which has ended well, in their order."""


class HookStatus(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


HOOK_GLYPHS: Mapping[HookStatus, str] = {
    HookStatus.WAITING: "◔",
    HookStatus.RUNNING: "◐",
    HookStatus.DONE: "✓",
    HookStatus.FAILED: "✗",
    HookStatus.SKIPPED: "◌",
}


@dataclass(frozen=True, slots=True)
class HookRun:
    """One hook of one event; times are seconds since the epoch."""

    event: str
    text: str
    """Its command on one line, harmless."""
    service: str | None = None
    """None: it runs on this machine."""
    status: HookStatus = HookStatus.WAITING
    started_at: float | None = None
    ended_at: float | None = None
    exit_code: int | None = None
    detail: str = ""
    """Why it was skipped, or in a word how it failed."""
    problem: Problem | None = None

    @property
    def label(self) -> str:
        """Such as `after_healthy: ./migrate in app`."""
        return f"{self.event}: {self.text}{f' in {self.service}' if self.service else ''}"


def replace_event(
    hooks: Iterable[HookRun], event: str, runs: Iterable[HookRun]
) -> tuple[HookRun, ...]:
    """The hooks with those of one event replaced; an event that is new comes last."""
    before = tuple(hooks)
    kept = [run for run in before if run.event != event]
    first = next((i for i, run in enumerate(before) if run.event == event), len(kept))
    first = sum(1 for run in before[:first] if run.event != event)
    return (*kept[:first], *runs, *kept[first:])


def find_running(hooks: Iterable[HookRun]) -> HookRun | None:
    """The hook that runs now; None where none does."""
    return next((run for run in hooks if run.status is HookStatus.RUNNING), None)


def find_failed(hooks: Iterable[HookRun]) -> HookRun | None:
    """The first hook that failed."""
    return next((run for run in hooks if run.status is HookStatus.FAILED), None)


def is_under_way(hooks: Iterable[HookRun]) -> bool:
    """Whether a hook runs or waits for its turn; after a failure the others wait for nothing."""
    runs = tuple(hooks)
    if find_failed(runs) is not None:
        return False
    return any(run.status in (HookStatus.WAITING, HookStatus.RUNNING) for run in runs)
