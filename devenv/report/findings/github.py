"""Workflow commands, which GitHub shows beside the lines of a pull request."""

from __future__ import annotations

from devenv.checks.finding import CheckResult, Finding, Severity
from devenv.report.excerpts import flatten
from devenv.report.finding_paths import FindingPaths

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(result: CheckResult, paths: FindingPaths) -> str:
    """One command per finding; paths are relative to the repository's top directory."""
    return "".join(_render(finding, paths) + "\n" for finding in result.findings)


def _render(finding: Finding, paths: FindingPaths) -> str:
    place = finding.place
    properties = [f"file={_property(paths.show_in_repository(place.path))}"]
    if place.line:
        properties.append(f"line={place.line}")
        if place.column:
            properties.append(f"col={place.column}")
    properties.append(f"title={_property(f'devenv {finding.rule}')}")
    message = finding.message + (f"\nfix: {finding.fix}" if finding.fix else "")
    return f"::{_COMMANDS[finding.severity]} {','.join(properties)}::{_data(message)}"


def _data(text: str) -> str:
    return flatten(text, keep="\n").replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
