"""The contract for programs: one JSON object, `version` 1."""

from __future__ import annotations

from typing import Any

from devenv.checks.finding import CheckResult, Finding, Severity
from devenv.report.finding_paths import FindingPaths
from devenv.report.json_text import to_json
from devenv.report.start_bound import start_bound_to_json


def render(result: CheckResult, paths: FindingPaths) -> str:
    """The result as one JSON object, with a final newline."""
    document = {
        "version": 1,
        "findings": [_finding(finding, paths) for finding in result.findings],
        "not_checked": [
            {"what": one.what, "path": paths.show(one.path) if one.path else None, "why": one.why}
            for one in result.not_checked
        ],
        "start": [start_bound_to_json(bound) for bound in result.start_bounds],
        "summary": {severity.value: result.count(severity) for severity in Severity},
    }
    return to_json(document)


def _finding(finding: Finding, paths: FindingPaths) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "service": finding.service,
        "profiles": list(finding.profiles),
        "message": finding.message,
        "fix": finding.fix,
        "path": paths.show(finding.place.path),
        "line": finding.place.line,
        "column": finding.place.column,
        "related": [
            {
                "path": paths.show(related.place.path),
                "line": related.place.line,
                "column": related.place.column,
                "message": related.message,
            }
            for related in finding.related
        ],
    }
