"""GitLab's Code Quality report. Spec: GitLab documentation, ci/testing/code_quality."""

from __future__ import annotations

from typing import Any

from devenv.checks.finding import CheckResult, Finding, Severity
from devenv.checks.suppress import fingerprint
from devenv.report.finding_paths import FindingPaths
from devenv.report.json_text import to_json

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(result: CheckResult, paths: FindingPaths) -> str:
    """A list with one object per finding; paths are relative to the repository's top directory.

    GitLab keeps one of several entries with the same fingerprint, so repeats are numbered.
    """
    seen: dict[str, int] = {}
    return to_json([_finding(finding, paths, seen) for finding in result.findings])


def _finding(finding: Finding, paths: FindingPaths, seen: dict[str, int]) -> dict[str, Any]:
    key = fingerprint(finding, paths.show)
    seen[key] = seen.get(key, 0) + 1
    return {
        "description": finding.message + (f" Fix: {finding.fix}." if finding.fix else ""),
        "check_name": finding.rule,
        "fingerprint": key if seen[key] == 1 else f"{key}-{seen[key]}",
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "path": paths.show_in_repository(finding.place.path),
            "lines": {"begin": finding.place.line or 1},
        },
    }
