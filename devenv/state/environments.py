"""The environments of the repository as the Environments screen shows them, and what is done with
them from there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from devenv.compose.names import EnvironmentName
from devenv.state import actions as do
from devenv.state.effects import ActOnEnvironment, Effect, LoadEnvironments
from devenv.values import dataclass, field, replace

if TYPE_CHECKING:
    from devenv.state.model import Problem, State

Verb = Literal["start", "stop"]


@dataclass(frozen=True, slots=True)
class EnvironmentView:
    """One environment of the repository."""

    name: EnvironmentName
    kind: str = "plain"
    """`plain`, `branch`, `worktree` or `shared`."""
    branch: str | None = None
    profile: str | None = None
    state: str = ""
    """In words, such as `2 of 3 up`."""
    running: int = 0
    containers: int = 0
    made_at: float = 0.0
    """Seconds since the epoch; 0: not known."""
    size_bytes: int | None = None
    """What its volumes take; None where the engine does not say."""
    addresses: tuple[tuple[str, str], ...] = ()
    """Service and `localhost:3100`, of what is published now."""
    directory: str = ""
    gone: str | None = None
    """Why nobody can need it any more: `branch feature/x is gone`."""
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Environments:
    """What is known of them."""

    rows: tuple[EnvironmentView, ...] | None = None
    """The plain one first, then by age; None until they were looked up."""
    problem: Problem | None = None
    """Why they could not be."""
    loading: bool = False
    stale: bool = False
    """Something was done while they were looked up: they are looked up once more."""
    under_way: Mapping[EnvironmentName, Verb] = field(default_factory=dict)
    problems: Mapping[EnvironmentName, Problem] = field(default_factory=dict)
    """Why the last start or stop failed."""

    def find(self, name: str) -> EnvironmentView | None:
        """The environment of that name."""
        return next((row for row in self.rows or () if row.name == name), None)


def take_environments(
    state: State, action: do.EnvironmentsAction
) -> tuple[State, tuple[Effect, ...]]:
    """The state after it, and what is to be done: one look at a time, one verb per environment."""
    known = state.environments or Environments()
    effects: tuple[Effect, ...] = ()
    match action:
        case do.EnvironmentsRequested():
            known, effects = _look(known)
        case do.EnvironmentsLoaded(rows, problem):
            again = known.stale
            seen = known.rows if problem is not None else rows
            known = replace(known, rows=seen, problem=problem, loading=False, stale=False)
            if again:
                known, effects = _look(known)
        case do.EnvironmentAsked(name, verb):
            if name in known.under_way:
                return state, ()
            problems = {k: v for k, v in known.problems.items() if k != name}
            under_way = {**known.under_way, name: verb}
            known = replace(known, under_way=under_way, problems=problems)
            effects = (ActOnEnvironment(name, verb),)
        case do.EnvironmentActed(name, problem):
            under_way = {k: v for k, v in known.under_way.items() if k != name}
            known = replace(known, under_way=under_way)
            if problem is not None:
                known = replace(known, problems={**known.problems, name: problem})
            known, effects = _look(replace(known, stale=known.loading))
    return replace(state, environments=known), effects


def _look(known: Environments) -> tuple[Environments, tuple[Effect, ...]]:
    if known.loading:
        return known, ()
    return replace(known, loading=True), (LoadEnvironments(),)
