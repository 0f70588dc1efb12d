"""Applies every rule to every profile and joins what holds in several of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import CheckResult, Fault, Finding, NotChecked, Severity
from devenv.checks.registry import Rule, load_rules
from devenv.values import replace

REFUSED = "compose-invalid"


def run_checks(
    profiles: Sequence[CheckedProfile],
    facts: Facts,
    *,
    rules: Iterable[Rule] | None = None,
    not_checked: Iterable[NotChecked] = (),
    severities: Mapping[str, str] | None = None,
) -> CheckResult:
    """The findings of all profiles, each once, with the profiles in which it holds.

    `severities` maps rules to `error`, `warning`, `info` or `off`.
    """
    found: dict[object, Finding] = {}
    skipped = dict.fromkeys(not_checked)
    changed = severities or {}
    explained: set[str | None] = set()
    """The profiles whose refusal by Compose has an explanation."""
    chosen = [
        rule
        for rule in (load_rules() if rules is None else rules)
        if changed.get(rule.name) != "off"
    ]
    names = tuple(profile.name for profile in profiles if profile.name is not None)
    for rule in sorted(chosen, key=_refusals_last):
        if rule.name == REFUSED:
            profiles = [profile for profile in profiles if profile.name not in explained]
        override = changed.get(rule.name)
        for profile in profiles:
            for fault in rule.run(profile, facts):
                if isinstance(fault, NotChecked):
                    skipped[fault] = None
                    continue
                severity = Severity(override) if override else fault.severity or rule.severity
                if rule.explains_refusal and fault.explains and severity is Severity.ERROR:
                    explained.add(profile.name)
                _add(found, rule, fault, severity, profile.name)
    return CheckResult(
        tuple(sorted(found.values(), key=finding_order)),
        tuple(skipped),
        rules=len(chosen),
        profiles=names,
    )


def _refusals_last(rule: Rule) -> bool:
    return rule.name == REFUSED


def _add(
    found: dict[object, Finding],
    rule: Rule,
    fault: Fault,
    severity: Severity,
    profile: str | None,
) -> None:
    service = None if fault.is_shared else fault.service
    key = (rule.name, fault.place, service, fault.message)
    names = (profile,) if profile is not None else ()
    known = found.get(key)
    if known is not None:
        worst = min(known.severity, severity, key=lambda one: one.rank)
        joined = tuple(dict.fromkeys((*known.profiles, *names)))
        found[key] = replace(known, profiles=joined, severity=worst)
        return
    found[key] = Finding(
        rule=rule.name,
        severity=severity,
        message=fault.message,
        place=fault.place,
        service=fault.service,
        profiles=names,
        fix=fault.fix,
        related=fault.related,
        edits=fault.edits,
    )


def finding_order(finding: Finding) -> tuple[object, ...]:
    """What findings are sorted by: place, then severity, then rule."""
    place = finding.place
    return (place.path, place.line or 0, place.column or 0, finding.severity.rank, finding.rule)
