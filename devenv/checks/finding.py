"""What a check says: a finding about the user's files, or what could not be checked."""

from __future__ import annotations

from enum import StrEnum

from devenv.values import dataclass, field


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    """`docker compose up` would refuse, fail, hang or leak a secret."""
    WARNING = "warning"
    """It will bite."""
    INFO = "info"
    """It could be better."""

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file. `path` is absolute; line and column count from 1, None for the file."""

    path: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that explains a finding, with what stands there."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A safe repair: replace `text[start:end]` of a file, in characters of its text as gathered.

    A file that does not exist is made where `start` and `end` are 0. The text is as
    `FileState.text` has it: without a byte order mark, line ends as written.
    """

    path: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What a rule yields; the runner adds the rule's name, its severity and the profiles."""

    message: str
    place: Place
    service: str | None = None
    fix: str | None = None
    """The repair in words, without a final full stop."""
    related: tuple[Related, ...] = ()
    severity: Severity | None = None
    """Where it differs from the rule's own."""
    edits: tuple[Edit, ...] = ()
    """What `--fix` does; all of them or none is applied."""
    is_shared: bool = False
    """Whether the fault is one of a file that several services may be built from: it is said once,
    with the first of them."""
    explains: bool = True
    """Under a rule that can explain a refusal: whether this fault is a reason for one."""


@dataclass(frozen=True, slots=True)
class NotChecked:
    """What could not be looked at, and why. `path` is absolute, None where there is no file."""

    what: str
    why: str
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault with the rule that found it and the profiles in which it holds."""

    rule: str
    severity: Severity
    message: str
    place: Place
    service: str | None = None
    profiles: tuple[str, ...] = ()
    """devenv profiles, in their order; empty where the project has none."""
    fix: str | None = None
    related: tuple[Related, ...] = ()
    edits: tuple[Edit, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class StartBound:
    """How long a cold start of a profile takes at least, and what would make it shorter."""

    profile: str | None
    seconds: float
    """Until the last service is started."""
    path: tuple[str, ...] = ()
    """The services of the critical path in the order of their starts."""
    costliest: tuple[str, str, float] | None = None
    """Service, the one whose first probe it waits for, and for how many seconds."""
    change: str | None = None
    """The keys that would bring that probe early, as YAML; None where it is early."""
    saved_seconds: float = 0.0
    """What the start would save by that change alone."""
    is_complete: bool = True
    """False where a health check that is waited for could not be looked at."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Findings in the order of their places, and what was not checked."""

    findings: tuple[Finding, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    start_bounds: tuple[StartBound, ...] = ()
    """One for each profile whose model loads."""
    rules: int = 0
    """How many rules looked."""
    profiles: tuple[str, ...] = ()
    """The devenv profiles that they looked at; empty where the project has none."""

    def count(self, severity: Severity) -> int:
        """How many findings have this severity."""
        return sum(finding.severity is severity for finding in self.findings)
