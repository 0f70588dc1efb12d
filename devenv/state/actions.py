"""Everything that can happen, as values. `reduce` is the one place that reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from devenv.compose.model import Project
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.state.containers import Container, ContainerId
from devenv.state.drift import Drift
from devenv.state.hooks import HookRun
from devenv.state.model import (
    Checks,
    Environment,
    InactiveService,
    Operation,
    OperationKind,
    Problem,
    SnapshotVerb,
    SwitchProposal,
)
from devenv.state.start_seen import BuildStepRun, Pull
from devenv.state.usage import Usage
from devenv.values import dataclass

if TYPE_CHECKING:
    from devenv.checks.finding import Finding
    from devenv.state.environments import EnvironmentView, Verb
    from devenv.state.switcher import SwitchChoice, SwitchPreview, SwitchTarget
    from devenv.state.watch_events import WatchEvent


@dataclass(frozen=True, slots=True)
class ModelLoaded:
    project: Project
    files: tuple[str, ...] = ()
    """What it was read from; absolute paths."""
    environment: Environment | None = None
    """What the files say of where they are; None: as before."""


@dataclass(frozen=True, slots=True)
class ModelFailed:
    problem: Problem
    files: tuple[str, ...] = ()
    """What is to be looked at for a repair; empty: as before."""


@dataclass(frozen=True, slots=True)
class ModelRequested:
    """The model is to be loaded, once more where that is under way."""


@dataclass(frozen=True, slots=True)
class EnvironmentNamed:
    """The name that the containers carry, where no model says it."""

    name: EnvironmentName


@dataclass(frozen=True, slots=True)
class InactiveFound:
    """The services of the Compose files that the profile leaves out, sorted by name."""

    services: tuple[InactiveService, ...]


@dataclass(frozen=True, slots=True)
class EngineConnected:
    version: str


@dataclass(frozen=True, slots=True)
class EngineLost:
    problem: Problem


@dataclass(frozen=True, slots=True)
class ContainersObserved:
    """All of the environment's containers, after connecting; what is not here is gone."""

    containers: tuple[Container, ...]


@dataclass(frozen=True, slots=True)
class ContainerChanged:
    container: Container


@dataclass(frozen=True, slots=True)
class ContainerRemoved:
    id: ContainerId


@dataclass(frozen=True, slots=True)
class UsageMeasured:
    """What was measured in one second; containers that are not here are as before."""

    usage: Mapping[ContainerId, Usage]


@dataclass(frozen=True, slots=True)
class BuildProgressed:
    service: ServiceName
    step: str


@dataclass(frozen=True, slots=True)
class BuildFinished:
    service: ServiceName


@dataclass(frozen=True, slots=True)
class BuildStepped:
    """A step of a service's image build began or ended; a step with the same key is replaced."""

    service: ServiceName
    step: BuildStepRun


@dataclass(frozen=True, slots=True)
class PullStepped:
    """The pull of an image began or ended, for every service that uses it."""

    services: tuple[ServiceName, ...]
    pull: Pull


@dataclass(frozen=True, slots=True)
class OperationStarted:
    operation: Operation


@dataclass(frozen=True, slots=True)
class OperationFinished:
    kind: OperationKind
    problem: Problem | None = None
    at: float = 0.0
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class StartClosed:
    """The start that began then is over and recorded; another one may have begun since."""

    started_at: float


@dataclass(frozen=True, slots=True)
class FailureExplained:
    """The cause of a service's failure was looked up: health log, or the end of its log."""

    service: ServiceName
    problem: Problem


@dataclass(frozen=True, slots=True)
class OperationRequested:
    """The user asks for a Compose command; ignored while another one runs."""

    kind: OperationKind
    services: tuple[ServiceName, ...] = ()


@dataclass(frozen=True, slots=True)
class HashesLoaded:
    """Compose's hashes of the services of the model that was loaded last."""

    hashes: Mapping[ServiceName, str]


@dataclass(frozen=True, slots=True)
class DriftExplained:
    """How a service differs from what its container was made with."""

    service: ServiceName
    drift: Drift


@dataclass(frozen=True, slots=True)
class HooksChanged:
    """The hooks of an event, or of all events (None), are these now."""

    event: str | None
    runs: tuple[HookRun, ...] = ()


@dataclass(frozen=True, slots=True)
class HooksRequested:
    """The user wants the hook that failed to be run again, and what follows it."""


@dataclass(frozen=True, slots=True)
class StartRefused:
    """The checks found what would make the start fail, so it was not begun."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """The user wants the running Compose command to end."""


@dataclass(frozen=True, slots=True)
class SwitchProposed:
    """The branch changed, and with it the profile or the environment; None: it changed back."""

    proposal: SwitchProposal | None


@dataclass(frozen=True, slots=True)
class SwitchDeclined:
    """The user goes on with what runs."""


@dataclass(frozen=True, slots=True)
class SwitcherOpened:
    """The user wants to see the profiles and branches."""


@dataclass(frozen=True, slots=True)
class SwitcherClosed:
    """The user has chosen, or goes on as before."""


@dataclass(frozen=True, slots=True)
class SwitchChoicesLoaded:
    """The profiles and branches there are, or why they could not be looked up."""

    choices: tuple[SwitchChoice, ...]
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class SwitchPreviewRequested:
    """The user looks at this one: what would a switch to it do?"""

    target: SwitchTarget


@dataclass(frozen=True, slots=True)
class SwitchPreviewed:
    target: SwitchTarget
    preview: SwitchPreview


SwitcherAction = (
    SwitcherOpened | SwitcherClosed | SwitchChoicesLoaded | SwitchPreviewRequested | SwitchPreviewed
)


@dataclass(frozen=True, slots=True)
class EnvironmentsRequested:
    """The environments of the repository are to be looked at, unless that is under way."""


@dataclass(frozen=True, slots=True)
class EnvironmentsLoaded:
    """All environments of the repository, or why they are not known."""

    rows: tuple[EnvironmentView, ...]
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class EnvironmentAsked:
    """The user wants another environment started or stopped."""

    name: EnvironmentName
    verb: Verb


@dataclass(frozen=True, slots=True)
class EnvironmentActed:
    """That has come to its end."""

    name: EnvironmentName
    problem: Problem | None = None


EnvironmentsAction = (
    EnvironmentsRequested | EnvironmentsLoaded | EnvironmentAsked | EnvironmentActed
)


@dataclass(frozen=True, slots=True)
class FilesChanged:
    """Files that the model or the checks read changed on disk; absolute paths."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChecksRequested:
    """The checks are to be run, once more where they are running."""


@dataclass(frozen=True, slots=True)
class ChecksFinished:
    checks: Checks


@dataclass(frozen=True, slots=True)
class FixRequested:
    """The user wants a finding's safe edits to be made."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class WatchTold:
    """The watch of the sources has something to tell."""

    event: WatchEvent


@dataclass(frozen=True, slots=True)
class WatchPauseToggled:
    """The user wants the watch to only collect what changes, or to go on."""


@dataclass(frozen=True, slots=True)
class WatchBuildRequested:
    """The user wants images built now, whether something changed or not."""

    services: tuple[ServiceName, ...]


@dataclass(frozen=True, slots=True)
class WatchCancelRequested:
    """The user wants the watch's running and next builds given up; empty: of all services."""

    services: tuple[ServiceName, ...] = ()


@dataclass(frozen=True, slots=True)
class SnapshotRequested:
    """The user wants a snapshot to be saved or restored; ignored while anything is under way."""

    verb: SnapshotVerb
    name: str


@dataclass(frozen=True, slots=True)
class SnapshotTold:
    """How far it is, in words."""

    words: str


@dataclass(frozen=True, slots=True)
class SnapshotAsked:
    """It goes on once this has an answer."""

    question: str


@dataclass(frozen=True, slots=True)
class SnapshotAnswered:
    yes: bool


@dataclass(frozen=True, slots=True)
class SnapshotFinished:
    words: str
    problem: Problem | None = None


SnapshotAction = (
    SnapshotRequested | SnapshotTold | SnapshotAsked | SnapshotAnswered | SnapshotFinished
)

Action = (
    SnapshotAction
    | ModelLoaded
    | ModelFailed
    | ModelRequested
    | EnvironmentNamed
    | InactiveFound
    | EngineConnected
    | EngineLost
    | ContainersObserved
    | ContainerChanged
    | ContainerRemoved
    | UsageMeasured
    | BuildProgressed
    | BuildFinished
    | BuildStepped
    | PullStepped
    | OperationStarted
    | OperationFinished
    | StartClosed
    | FailureExplained
    | OperationRequested
    | HashesLoaded
    | DriftExplained
    | HooksChanged
    | HooksRequested
    | StartRefused
    | CancelRequested
    | SwitchProposed
    | SwitchDeclined
    | SwitcherAction
    | EnvironmentsAction
    | FilesChanged
    | ChecksRequested
    | ChecksFinished
    | FixRequested
    | WatchTold
    | WatchPauseToggled
    | WatchBuildRequested
    | WatchCancelRequested
)
