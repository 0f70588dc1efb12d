"""SARIF 2.1.0, for code scanning. Spec: OASIS sarif-v2.1.0."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from devenv import __version__
from devenv.checks.finding import CheckResult, Finding, Place, Severity
from devenv.checks.registry import load_rules
from devenv.checks.suppress import fingerprint
from devenv.report.finding_paths import FindingPaths
from devenv.report.json_text import to_json

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "PROJECTROOT"


def render(result: CheckResult, paths: FindingPaths) -> str:
    """One run with all rules that found something, and a notification per thing not checked."""
    used = sorted({finding.rule for finding in result.findings})
    known = {rule.name: rule for rule in load_rules()}
    rules = [
        {
            "id": name,
            "shortDescription": {"text": known[name].summary if name in known else name},
            "help": {"text": known[name].text if name in known else name},
            "defaultConfiguration": {
                "level": _LEVELS[known[name].severity if name in known else Severity.WARNING]
            },
        }
        for name in used
    ]
    run = {
        "tool": {"driver": {"name": "devenv", "version": __version__, "rules": rules}},
        "originalUriBaseIds": {_ROOT: {"description": {"text": "the repository"}}},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    {"level": "note", "message": {"text": f"not checked: {one.what}: {one.why}"}}
                    for one in result.not_checked
                ],
            }
        ],
        "results": [_result(finding, used, paths) for finding in result.findings],
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return to_json(document)


def _result(finding: Finding, used: list[str], paths: FindingPaths) -> dict[str, Any]:
    text = finding.message + (f" Fix: {finding.fix}." if finding.fix else "")
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": used.index(finding.rule),
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [_location(finding.place, paths)],
        "partialFingerprints": {"devenv/v1": fingerprint(finding, paths.show)},
        "properties": {"service": finding.service, "profiles": list(finding.profiles)},
    }
    if finding.related:
        result["relatedLocations"] = [
            {**_location(one.place, paths), "id": number, "message": {"text": one.message}}
            for number, one in enumerate(finding.related)
        ]
    return result


def _location(place: Place, paths: FindingPaths) -> dict[str, Any]:
    physical: dict[str, Any] = {
        "artifactLocation": {
            "uri": _uri(paths.show_in_repository(place.path)),
            "uriBaseId": _ROOT,
        }
    }
    if place.line:
        physical["region"] = {"startLine": place.line}
        if place.column:
            physical["region"]["startColumn"] = place.column
    return {"physicalLocation": physical}


def _uri(path: str) -> str:
    """A path's bytes as a URI reference; a half surrogate, which no path has, becomes `?`."""
    try:
        return quote(path, errors="surrogateescape")
    except UnicodeEncodeError:
        return quote(path, errors="replace")
