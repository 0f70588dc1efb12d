"""The state that every view shows. Values only: no client, no clock, no logs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from devenv.compose.model import Condition, Project
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.errors import ExitCode
from devenv.state.containers import (
    Container,
    ContainerId,
    PublishedPort,
)
from devenv.state.drift import Drift
from devenv.state.hooks import HookRun
from devenv.state.start_seen import (
    StartSeen,
)
from devenv.state.usage import Usage, UsageHistory
from devenv.values import dataclass, field

if TYPE_CHECKING:
    from devenv.checks.env_needs import EnvDiff
    from devenv.checks.finding import CheckResult, Finding
    from devenv.state.environments import Environments
    from devenv.state.switcher import Switcher
    from devenv.state.watch import Watch


class EngineStatus(StrEnum):
    UNKNOWN = "unknown"
    CONNECTED = "connected"
    LOST = "lost"


class ServiceStatus(StrEnum):
    """One word per service; `glyph` and colour repeat it, they never replace it."""

    UNSELECTED = "not in profile"
    STOPPED = "stopped"
    WAITING = "waiting"
    BUILDING = "building"
    STARTING = "starting"
    RUNNING = "running"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    RESTARTING = "restarting"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"


READY = frozenset({ServiceStatus.RUNNING, ServiceStatus.HEALTHY, ServiceStatus.COMPLETED})
BROKEN = frozenset({ServiceStatus.FAILED, ServiceStatus.UNHEALTHY})
GLYPHS: Mapping[ServiceStatus, str] = {
    ServiceStatus.UNSELECTED: "◌",
    ServiceStatus.STOPPED: "○",
    ServiceStatus.WAITING: "◔",
    ServiceStatus.BUILDING: "◑",
    ServiceStatus.STARTING: "◐",
    ServiceStatus.RUNNING: "●",
    ServiceStatus.HEALTHY: "✓",
    ServiceStatus.UNHEALTHY: "✗",
    ServiceStatus.RESTARTING: "↻",
    ServiceStatus.PAUSED: "‖",
    ServiceStatus.COMPLETED: "✓",
    ServiceStatus.FAILED: "✗",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a value: what, where, what to do, and the lines that show it."""

    message: str
    where: str | None = None
    fix: str | None = None
    excerpt: tuple[str, ...] = ()
    exit_code: ExitCode = ExitCode.FAILED
    """What a command ends with whose result this is."""


@dataclass(frozen=True, slots=True)
class InactiveService:
    """A service of the Compose files that the profile leaves out."""

    name: ServiceName
    compose_profiles: tuple[str, ...] = ()
    """The Compose profiles that would enable it; empty where the profile's `services` do not name
    it."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a service is not started yet. Scheduler and views read this one explanation."""

    on: ServiceName
    condition: Condition
    reason: str
    """Such as `waits for db to be healthy`."""


@dataclass(frozen=True, slots=True)
class ServiceState:
    """A service as the views show it; derived by `resolve_services`, never written by hand."""

    name: ServiceName
    status: ServiceStatus
    hold: Hold | None = None
    detail: str = ""
    """What the status word leaves out: `exit code 3`, `step 4/7 RUN npm ci`."""
    containers: tuple[Container, ...] = ()
    problem: Problem | None = None
    """The cause of a failure, once it has been looked up."""
    usage: Usage | None = None
    drift: tuple[str, ...] | None = None
    """How what runs differs from the files, as lines; None: it does not."""

    @property
    def ports(self) -> tuple[PublishedPort, ...]:
        """The published ports of all containers, IPv6 repetitions left out, sorted."""
        seen: dict[tuple[int, int, str], PublishedPort] = {}
        for container in self.containers:
            for port in container.ports:
                seen.setdefault((port.host_port, port.target, port.protocol), port)
        return tuple(seen[key] for key in sorted(seen))

    @property
    def started_at(self) -> float | None:
        """When the oldest running container started."""
        times = [
            c.started_at
            for c in self.containers
            if c.state == "running" and c.started_at is not None
        ]
        return min(times, default=None)


class OperationKind(StrEnum):
    UP = "up"
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    RECREATE = "recreate"
    """`up` of some services without those that they depend on."""
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Operation:
    """A Compose command that runs, or the last one that ran."""

    kind: OperationKind
    services: tuple[ServiceName, ...] = ()
    """Empty: all of the selection."""
    started_at: float = 0.0
    command: str = ""
    """The command line as it can be copied."""
    waiting: str = ""
    """What it waits for before it begins: another devenv that changes the environment."""
    finished: bool = False
    problem: Problem | None = None
    without: tuple[ServiceName, ...] = ()
    """Those that `up --except` leaves out."""


class SnapshotVerb(StrEnum):
    SAVE = "save"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class SnapshotWork:
    """A snapshot that is being saved or restored, or the last one that was."""

    verb: SnapshotVerb
    name: str
    words: str = ""
    """How far it is, or how it ended."""
    question: str | None = None
    """What it waits for an answer to."""
    finished: bool = False
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """A snapshot that there is."""

    name: str
    environment: str
    branch: str | None
    made_at: float
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Environment:
    """Which environment this is: fixed while devenv runs."""

    name: EnvironmentName
    directory: str
    """The project directory, as the user should see it."""
    profile: str | None = None
    profile_reason: str = ""
    branch: str | None = None
    context: str = "default"
    profiles: tuple[tuple[str, str], ...] = ()
    """All profiles that devenv.toml offers: name and description."""
    isolation: str = ""
    """What has an environment of its own, `branch` or `worktree`; empty: this is the plain one."""
    port_offset: int | None = None
    """How far its ports lie above those of the Compose files; None: they are the same."""
    shared: tuple[ServiceName, ...] = ()
    """Services that run in an environment which all environments of the repository use."""
    shared_name: EnvironmentName | None = None


@dataclass(frozen=True, slots=True)
class Checks:
    """What the checks found last."""

    result: CheckResult
    directory: str
    """The project directory, to which paths are shown."""
    files: tuple[str, ...] = ()
    """Every file that was looked at: when one changes, the checks are run again."""
    previews: Mapping[Finding, tuple[str, ...]] = field(default_factory=dict)
    """What the fix of a finding changes, as the lines of a diff without secrets."""
    env: EnvDiff | None = None
    """The variables of the profile in use; None where its files do not load."""


@dataclass(frozen=True, slots=True)
class SwitchProposal:
    """What another branch or profile asks for; nothing is done about it yet."""

    branch: str | None
    profile: str | None
    environment: str
    plan: tuple[str, ...] = ()
    """The plan's lines."""
    problem: Problem | None = None
    """Why it cannot be applied: the branch's files do not load. What runs is left alone."""
    paused: tuple[ServiceName, ...] = ()
    """Services that are paused meanwhile: they would run that branch's code on this one's data."""


@dataclass(frozen=True, slots=True)
class State:
    environment: Environment
    project: Project | None = None
    """None until the model is loaded."""
    model_problem: Problem | None = None
    """Why the files do not load as they are now; `project` is then the last one that did."""
    model_files: tuple[str, ...] = ()
    """What the model is read from, absolute: when one changes, it is loaded again."""
    model_loading: bool = False
    model_stale: bool = False
    """A file changed while the model was loaded: it is loaded once more."""
    model_changed: bool = False
    """The files now say something else than when this devenv last started all services."""
    wanted_up: tuple[ServiceName, ...] | None = None
    """An `up` that waits for the files to load; empty: of all services."""
    engine: EngineStatus = EngineStatus.UNKNOWN
    engine_version: str = ""
    engine_problem: Problem | None = None
    containers: Mapping[ContainerId, Container] = field(default_factory=dict)
    building: Mapping[ServiceName, str] = field(default_factory=dict)
    """Services whose image is being built, with the step."""
    operation: Operation | None = None
    start: StartSeen | None = None
    """The last start that this devenv saw."""
    snapshot: SnapshotWork | None = None
    proposal: SwitchProposal | None = None
    """A switch that waits for an answer."""
    environments: Environments | None = None
    """Those of the repository; None until they were asked for."""
    switcher: Switcher | None = None
    """None while it is closed."""
    hashes: Mapping[ServiceName, str] = field(default_factory=dict)
    """Compose's hash of each service as the files have it; empty until it was asked for."""
    drifts: Mapping[ServiceName, Drift] = field(default_factory=dict)
    hooks: tuple[HookRun, ...] = ()
    """Those of the last `up` or `down`, in the order in which they run."""
    problems: Mapping[ServiceName, Problem] = field(default_factory=dict)
    usage: Mapping[ContainerId, Usage] = field(default_factory=dict)
    usage_history: Mapping[ServiceName, UsageHistory] = field(default_factory=dict)
    checks: Checks | None = None
    """None until the checks ran once."""
    checking: bool = False
    checks_stale: bool = False
    """A file changed while the checks ran: they run once more."""
    watch: Watch | None = None
    """The watch of the sources; None until it is wanted for the first time."""
    inactive: tuple[InactiveService, ...] = ()
    """Services that the profile leaves out, by name."""
    services: tuple[ServiceState, ...] = ()
    """Derived from all of the above, in start order, then services outside the selection."""

    def service(self, name: ServiceName) -> ServiceState | None:
        """The service of that name, or None."""
        return next((service for service in self.services if service.name == name), None)

    @property
    def busy(self) -> bool:
        """Whether a Compose command is under way."""
        return self.operation is not None and not self.operation.finished
