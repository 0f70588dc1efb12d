"""hadolint's messages as findings: what it says beside the rules, and what it could not read.

An error-level finding of devenv means that a start fails or a secret leaks, so hadolint's errors
are warnings here. Codes that say what a rule says are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from devenv.checks.facts import CheckedProfile
from devenv.checks.finding import Finding, NotChecked, Place, Severity
from devenv.compose.effective_health import dockerfile_path
from devenv.values import dataclass

PREFIX = "hadolint/"
UNREADABLE = "DL1000"
"""hadolint gives up on the file. Measured: on heredocs, before its version 2.13."""
SAID_BY_RULES: Mapping[str, str] = {
    "DL3002": "runs-as-root",
    "DL3006": "base-unpinned",
    "DL3007": "base-unpinned",
    "DL3009": "package-cache-left",
    "DL3019": "package-cache-left",
    "DL3032": "package-cache-left",
    "DL3036": "package-cache-left",
    "DL3040": "package-cache-left",
    "DL3042": "package-cache-left",
    "DL3059": "split-runs",
    "DL3022": "target-missing",
    "DL3023": "target-missing",
}
_SEVERITIES = {
    "error": Severity.WARNING,
    "warning": Severity.WARNING,
    "info": Severity.INFO,
    "style": Severity.INFO,
}


@dataclass(frozen=True, slots=True)
class LintMessage:
    """One message. `path` is as it was handed over; line and column from 1."""

    path: str
    line: int
    column: int
    code: str
    level: str
    """error, warning, info or style."""
    text: str


def find_dockerfiles(profiles: Iterable[CheckedProfile]) -> dict[str, list[tuple[str, str | None]]]:
    """Each Dockerfile that a service is built from, with service and profile of each use."""
    found: dict[str, list[tuple[str, str | None]]] = {}
    for profile in profiles:
        project = profile.model or profile.everything
        for name, service in project.services.items() if project is not None else ():
            build = service.build
            if build is None or build.dockerfile_inline is not None:
                continue
            path = dockerfile_path(build)
            if path is not None and "://" not in path:
                found.setdefault(path, []).append((name, profile.name))
    return found


def lint_findings(
    messages: Sequence[LintMessage],
    uses: Mapping[str, Sequence[tuple[str, str | None]]],
    severities: Mapping[str, str],
) -> tuple[tuple[Finding, ...], tuple[NotChecked, ...]]:
    """Findings named `hadolint/CODE`, and the files that hadolint could not read.

    `uses` is what `find_dockerfiles` gave; `severities` changes or turns off rules by name.
    """
    findings: list[Finding] = []
    skipped: list[NotChecked] = []
    for one in messages:
        if one.code == UNREADABLE:
            skipped.append(NotChecked("Dockerfile by hadolint", one.text, one.path))
            continue
        name = f"{PREFIX}{one.code}"
        changed = severities.get(name)
        if one.code in SAID_BY_RULES or changed == "off":
            continue
        services = uses.get(one.path, ())
        findings.append(
            Finding(
                rule=name,
                severity=Severity(changed)
                if changed
                else _SEVERITIES.get(one.level, Severity.INFO),
                message=one.text,
                place=Place(one.path, one.line, one.column),
                service=services[0][0] if services else None,
                profiles=tuple(dict.fromkeys(p for _, p in services if p is not None)),
            )
        )
    return tuple(findings), tuple(skipped)
