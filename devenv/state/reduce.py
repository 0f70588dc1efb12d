"""The one step from state and action to state and effects. Pure."""

from __future__ import annotations

from typing import Any

from devenv.state import actions as do
from devenv.state.drift import find_unexplained, is_recreated
from devenv.state.effects import (
    ApplyFix,
    CancelOperation,
    Effect,
    ExplainDrift,
    ExplainFailure,
    RecordStart,
    ResumeServices,
    RunChecks,
    RunHooks,
    RunOperation,
)
from devenv.state.hooks import AFTER_START, find_failed, is_under_way, replace_event
from devenv.state.model import BROKEN, EngineStatus, Operation, OperationKind, State
from devenv.state.reload import apply_model
from devenv.state.services import resolve_services
from devenv.state.start import see_start
from devenv.state.start_seen import StartOutcome, StartSeen
from devenv.state.usage import extend_history
from devenv.values import replace

_SEEN_ONLY = (do.BuildStepped, do.PullStepped, do.StartClosed)
"""What concerns the start alone."""


def reduce(state: State, action: do.Action) -> tuple[State, tuple[Effect, ...]]:
    """The state after `action`, and what is to be done about it.

    A service that has just failed is explained once: `ExplainFailure` goes out when its status
    turns broken, and its problem is forgotten when it leaves that status.
    """
    after, effects = _apply(state, action)
    if after is state and not isinstance(action, _SEEN_ONLY):
        return state, effects
    after = replace(after, services=resolve_services(after))
    if isinstance(action, do.UsageMeasured):
        history = extend_history(after.usage_history, after.services)
        after = replace(after, usage_history=history)
    start = see_start(after, action)
    if start is not after.start:
        if start is not None and _has_ended(start) and not _has_ended(state.start):
            effects += (RecordStart(start.started_at),)
            is_up = after.operation is not None and after.operation.kind is OperationKind.UP
            if is_up and start.outcome is StartOutcome.READY:
                effects += (RunHooks(AFTER_START),)
        after = replace(after, start=start)
    if after.model_changed and is_recreated(after):
        after = replace(after, model_changed=False)
    if after.hashes:
        stale = find_unexplained(after, state)
        effects += tuple(ExplainDrift(service, digest) for service, digest in stale)
    before_status = {service.name: service.status for service in state.services}
    forgotten = set()
    for service in after.services:
        if service.status in BROKEN:
            broken = [c for c in service.containers if c.state != "created"]
            if before_status.get(service.name) not in BROKEN and broken:
                effects += (ExplainFailure(service.name, broken[0].id),)
        elif service.name in after.problems:
            forgotten.add(service.name)
    if forgotten:
        problems = {k: v for k, v in after.problems.items() if k not in forgotten}
        after = replace(after, problems=problems)
        after = replace(after, services=resolve_services(after))
    return after, effects


def _has_ended(start: StartSeen | None) -> bool:
    return start is not None and start.outcome is not StartOutcome.UNDER_WAY


def _apply(state: State, action: do.Action) -> tuple[State, tuple[Effect, ...]]:
    match action:
        case do.ModelLoaded() | do.ModelFailed() | do.ModelRequested():
            return apply_model(state, action)
        case do.EnvironmentNamed(name):
            return replace(state, environment=replace(state.environment, name=name)), ()
        case do.InactiveFound(services):
            return replace(state, inactive=services), ()
        case do.EngineConnected(version):
            return replace(
                state,
                engine=EngineStatus.CONNECTED,
                engine_version=version,
                engine_problem=None,
            ), ()
        case do.EngineLost(problem):
            return replace(
                state,
                engine=EngineStatus.LOST,
                engine_problem=problem,
                usage={},
                usage_history={},
            ), ()
        case do.ContainersObserved(containers):
            return replace(state, containers={c.id: c for c in containers}), ()
        case do.ContainerChanged(container):
            return replace(state, containers={**state.containers, container.id: container}), ()
        case do.ContainerRemoved(removed):
            if removed not in state.containers:
                return state, ()
            return replace(
                state,
                containers=_without(state.containers, removed),
                usage=_without(state.usage, removed),
            ), ()
        case do.UsageMeasured(usage):
            known = {key: value for key, value in usage.items() if key in state.containers}
            return replace(state, usage={**state.usage, **known}), ()
        case do.BuildProgressed(service, step):
            return replace(state, building={**state.building, service: step}), ()
        case do.BuildFinished(service):
            return replace(state, building=_without(state.building, service)), ()
        case do.OperationStarted(operation):
            is_whole = operation.kind is OperationKind.UP and not operation.services
            changed = state.model_changed and not is_whole
            return replace(state, operation=operation, model_changed=changed), ()
        case do.BuildStepped() | do.PullStepped() | do.StartClosed():
            return state, ()
        case do.OperationFinished(kind, problem):
            if state.operation is None or state.operation.kind is not kind:
                return state, ()
            done = replace(state.operation, finished=True, problem=problem)
            return replace(state, operation=done, building={}), ()
        case do.FailureExplained(service, problem):
            return replace(state, problems={**state.problems, service: problem}), ()
        case do.OperationRequested(kind, services):
            if kind is OperationKind.UP and state.model_problem is not None and not state.busy:
                return apply_model(replace(state, wanted_up=services), do.ModelRequested())
            is_free = not state.busy and not is_under_way(state.hooks)
            return state, (RunOperation(kind, services),) if is_free else ()
        case do.HooksChanged(event, runs):
            hooks = runs if event is None else replace_event(state.hooks, event, runs)
            return replace(state, hooks=hooks), ()
        case do.HooksRequested():
            return _request_hooks(state)
        case do.StartRefused(problem):
            if state.busy:
                return state, ()
            refused = Operation(OperationKind.UP, finished=True, problem=problem)
            return replace(state, operation=refused), ()
        case do.HashesLoaded(hashes):
            return replace(state, hashes=hashes), ()
        case do.DriftExplained(service, drift):
            return replace(state, drifts={**state.drifts, service: drift}), ()
        case do.CancelRequested():
            is_free = not state.busy and not is_under_way(state.hooks)
            if state.snapshot is not None and is_free:
                from devenv.state.snapshot_work import cancel_snapshot

                return state, cancel_snapshot(state)
            return state, () if is_free else (CancelOperation(),)
        case (
            do.SnapshotRequested()
            | do.SnapshotTold()
            | do.SnapshotAsked()
            | do.SnapshotAnswered()
            | do.SnapshotFinished()
        ):
            from devenv.state.snapshot_work import apply_snapshot

            return apply_snapshot(state, action)
        case do.SwitchProposed(proposal):
            return replace(state, proposal=proposal), _resume(state) if proposal is None else ()
        case do.SwitchDeclined():
            return replace(state, proposal=None), _resume(state)
        case (
            do.SwitcherOpened()
            | do.SwitcherClosed()
            | do.SwitchChoicesLoaded()
            | do.SwitchPreviewRequested()
            | do.SwitchPreviewed()
        ):
            from devenv.state.switcher_reduce import take_switcher

            return take_switcher(state, action)
        case (
            do.EnvironmentsRequested()
            | do.EnvironmentsLoaded()
            | do.EnvironmentAsked()
            | do.EnvironmentActed()
        ):
            from devenv.state.environments import take_environments

            return take_environments(state, action)
        case do.FilesChanged(paths):
            effects: tuple[Effect, ...] = ()
            if not set(paths).isdisjoint(state.model_files):
                state, effects = apply_model(state, do.ModelRequested())
            if state.checks is None and not state.checking:
                return state, effects
            state, more = _request_checks(state)
            return state, effects + more
        case do.ChecksRequested():
            return _request_checks(state)
        case do.ChecksFinished(checks):
            again = state.checks_stale
            after = replace(state, checks=checks, checking=again, checks_stale=False)
            return after, (RunChecks(),) if again else ()
        case do.FixRequested(finding):
            return state, (ApplyFix(finding),)
        case do.WatchTold(event):
            from devenv.state.watch_reduce import take_event

            return take_event(state, event), ()
        case do.WatchPauseToggled() | do.WatchBuildRequested() | do.WatchCancelRequested():
            from devenv.state.watch_reduce import ask_watch

            return state, ask_watch(state, action)


def _request_hooks(state: State) -> tuple[State, tuple[Effect, ...]]:
    """Go on with the hook that failed: one before an operation brings that operation again."""
    failed = find_failed(state.hooks)
    if failed is None or state.busy or is_under_way(state.hooks):
        return state, ()
    if failed.event not in AFTER_START:
        kind = OperationKind.DOWN if failed.event == "before_down" else OperationKind.UP
        services = state.operation.services if state.operation is not None else ()
        return _apply(state, do.OperationRequested(kind, services))
    mine = [run for run in state.hooks if run.event == failed.event]
    events = AFTER_START[AFTER_START.index(failed.event) :]
    return state, (RunHooks(events, mine.index(failed)),)


def _resume(state: State) -> tuple[Effect, ...]:
    paused = state.proposal.paused if state.proposal is not None else ()
    return (ResumeServices(paused),) if paused else ()


def _request_checks(state: State) -> tuple[State, tuple[Effect, ...]]:
    if state.checking:
        return replace(state, checks_stale=True), ()
    return replace(state, checking=True), (RunChecks(),)


def _without(mapping: Any, key: str) -> dict[Any, Any]:
    return {k: v for k, v in mapping.items() if k != key}
