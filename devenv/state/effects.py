"""What `reduce` asks of the outside world; `engine.effects` and `cli` do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devenv.compose.names import EnvironmentName, ServiceName
from devenv.state.containers import ContainerId
from devenv.state.model import OperationKind, SnapshotVerb
from devenv.values import dataclass

if TYPE_CHECKING:
    from devenv.checks.finding import Finding
    from devenv.state.environments import Verb
    from devenv.state.switcher import SwitchTarget


@dataclass(frozen=True, slots=True)
class RunOperation:
    kind: OperationKind
    services: tuple[ServiceName, ...] = ()


@dataclass(frozen=True, slots=True)
class CancelOperation:
    pass


@dataclass(frozen=True, slots=True)
class ExplainFailure:
    """Look up why a container failed: its health log's last output, or its last log lines."""

    service: ServiceName
    container: ContainerId


@dataclass(frozen=True, slots=True)
class LoadModel:
    """Read the project's files anew; answered by `ModelLoaded` or `ModelFailed`."""


@dataclass(frozen=True, slots=True)
class RunChecks:
    """Gather and check the project's files; answered by `ChecksFinished`."""


@dataclass(frozen=True, slots=True)
class ApplyFix:
    """Make a finding's edits, then run the checks again."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class RecordStart:
    """A start has come to its end: keep its timeline; answered by `StartClosed`."""

    started_at: float
    """Which start it is."""


@dataclass(frozen=True, slots=True)
class ExplainDrift:
    """Look up which keys of a service differ from its start; answered by `DriftExplained`."""

    service: ServiceName
    hash: str
    """Compose's hash of what its container was made with."""


@dataclass(frozen=True, slots=True)
class RunHooks:
    """Run the hooks of these events, one after the other; answered by `HooksChanged`."""

    events: tuple[str, ...]
    begin: int = 0
    """Which hook of the first event is the first: the one that failed."""


@dataclass(frozen=True, slots=True)
class ResumeServices:
    """Let the services that were paused for a proposed switch go on."""

    services: tuple[ServiceName, ...]


@dataclass(frozen=True, slots=True)
class LoadSwitchChoices:
    """Look up profiles and branches; answered by `SwitchChoicesLoaded`."""


@dataclass(frozen=True, slots=True)
class PreviewSwitch:
    """Make the plan of a switch; answered by `SwitchPreviewed`, unless a later one overtakes it."""

    target: SwitchTarget


@dataclass(frozen=True, slots=True)
class LoadEnvironments:
    """Look at the environments of the repository; answered by `EnvironmentsLoaded`."""


@dataclass(frozen=True, slots=True)
class ActOnEnvironment:
    """Start or stop another environment; answered by `EnvironmentActed`."""

    name: EnvironmentName
    verb: Verb


@dataclass(frozen=True, slots=True)
class PauseWatch:
    """Only collect changes from now on, or (False) take what was collected as one plan."""

    paused: bool


@dataclass(frozen=True, slots=True)
class BuildNow:
    """Build these services' images and recreate them."""

    services: tuple[ServiceName, ...]


@dataclass(frozen=True, slots=True)
class CancelBuilds:
    """Give up running and next builds of the watch; empty: of all services."""

    services: tuple[ServiceName, ...] = ()


WatchEffect = PauseWatch | BuildNow | CancelBuilds
"""What the watch itself does."""


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """Save or restore a snapshot; answered by `SnapshotFinished`."""

    verb: SnapshotVerb
    name: str


@dataclass(frozen=True, slots=True)
class AnswerSnapshot:
    """The answer to what it asked."""

    yes: bool


@dataclass(frozen=True, slots=True)
class CancelSnapshot:
    pass


Effect = (
    RunSnapshot
    | AnswerSnapshot
    | CancelSnapshot
    | RunOperation
    | CancelOperation
    | ExplainFailure
    | LoadModel
    | RunChecks
    | ApplyFix
    | RecordStart
    | ExplainDrift
    | RunHooks
    | ResumeServices
    | LoadSwitchChoices
    | PreviewSwitch
    | LoadEnvironments
    | ActOnEnvironment
    | WatchEffect
)
