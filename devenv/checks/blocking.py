"""Which findings are a reason not to start."""

from __future__ import annotations

from collections.abc import Collection

from devenv.checks.finding import CheckResult, Finding, Severity
from devenv.checks.registry import load_rules


def find_blocking(
    result: CheckResult, profile: str | None, services: Collection[str] = ()
) -> tuple[Finding, ...]:
    """The errors that would make this start fail, in the order of the result.

    Left out: other profiles' errors, those of services that are not started (`services`; empty
    for all), and leaks, which `devenv check` is for.
    """
    leaks = {rule.name for rule in load_rules() if rule.leaks}
    return tuple(
        finding
        for finding in result.findings
        if finding.severity is Severity.ERROR
        and finding.rule not in leaks
        and (profile is None or not finding.profiles or profile in finding.profiles)
        and (not services or finding.service is None or finding.service in services)
    )
