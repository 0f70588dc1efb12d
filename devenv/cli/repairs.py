"""`devenv check --fix`: the safe edits in rounds, each looked at again before the next.

Edits that meet each other take a round each. A round after which the files have an error that
they did not have before is taken back, and its findings are tried one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from devenv.checks.edits import Repair, plan_repair
from devenv.checks.facts import FileState
from devenv.checks.finding import CheckResult, Finding, Severity
from devenv.cli.checking import Gathered
from devenv.cli.output import print_note
from devenv.errors import ConfigError
from devenv.host.edits import restore_texts, write_texts
from devenv.report.finding_paths import FindingPaths
from devenv.state.text import sanitize
from devenv.values import dataclass, field

_MAX_ROUNDS = 50

CheckAgain = Callable[[], tuple[Gathered, CheckResult]]
"""Reads the files anew, and checks them."""
ShowDiff = Callable[[Mapping[str, str], Mapping[str, FileState], str], None]
"""Prints what changes: the new texts by path, the files as they were, the project directory."""


@dataclass
class Repairs:
    """What the rounds have done so far."""

    root: Path
    """The directory that edits may not leave."""
    changed: dict[str, None] = field(default_factory=dict)
    repaired: int = 0
    given_up: dict[tuple[object, ...], Finding] = field(default_factory=dict)
    """Findings whose edits could not be made, made an error, or changed nothing."""
    refusals: dict[str, ConfigError] = field(default_factory=dict)
    """By path, why a file was left alone."""


def show_repairs(result: CheckResult, gathered: Gathered, show_diff: ShowDiff) -> None:
    """Print what the first round would change, and write nothing."""
    repair = plan_repair(result.findings, gathered.facts.files)
    show_diff(repair.texts, gathered.facts.files, gathered.facts.directory)
    count = len(repair.applied)
    left = f"; {len(repair.left)} more need another round" if repair.left else ""
    print_note(f"{_findings(count)} would be repaired{left}.")


def run_repairs(
    result: CheckResult,
    gathered: Gathered,
    check_again: CheckAgain,
    root: Path,
    *,
    show_diff: ShowDiff | None,
) -> tuple[Gathered, CheckResult]:
    """Make the edits until none is left, say what was done, and give what is found then.

    Raises ConfigError where a file that was to be changed could not be; all others are changed.
    """
    repairs = Repairs(root)
    show = FindingPaths(gathered.facts.directory).show
    one_by_one = False
    for _ in range(_MAX_ROUNDS):
        open_findings = [one for one in result.findings if _key(one) not in repairs.given_up]
        repair = plan_repair(open_findings, gathered.facts.files)
        if one_by_one and repair.applied:
            repair = plan_repair(repair.applied[:1], gathered.facts.files)
        if not repair.texts:
            break
        written = _write(repair, gathered.facts.files, repairs)
        before, old_files = result, gathered.facts.files
        gathered, result = check_again()
        if _new_errors(before, result):
            restore_texts(written, old_files)
            gathered, result = check_again()
            if one_by_one or len(repair.applied) == 1:
                _give_up(repairs, repair.applied)
            one_by_one = True
            continue
        if show_diff:
            show_diff(written, old_files, gathered.facts.directory)
        repairs.changed.update(dict.fromkeys(written))
        left = {_key(one) for one in result.findings}
        stubborn = [one for one in repair.applied if _key(one) in left]
        repairs.repaired += len(repair.applied) - len(stubborn)
        _give_up(repairs, stubborn)
    _report(repairs, show)
    return gathered, result


def _write(repair: Repair, files: Mapping[str, FileState], repairs: Repairs) -> dict[str, str]:
    """Write each text that can be; the rest is given up, with the reason."""
    written = {}
    for path, text in repair.texts.items():
        try:
            write_texts({path: text}, files, repairs.root)
            written[path] = text
        except ConfigError as error:
            repairs.refusals[path] = error
            _give_up(repairs, [f for f in repair.applied if any(e.path == path for e in f.edits)])
    return written


def _give_up(repairs: Repairs, findings: Iterable[Finding]) -> None:
    repairs.given_up.update((_key(finding), finding) for finding in findings)


def _key(finding: Finding) -> tuple[object, ...]:
    """What a finding is known by while lines move."""
    return (finding.rule, finding.place.path, finding.service, finding.message)


def _new_errors(before: CheckResult, after: CheckResult) -> bool:
    """Whether there is an error, or a file that cannot be checked, that was not there before."""
    known = {_key(one) for one in before.findings if one.severity is Severity.ERROR}
    found = {_key(one) for one in after.findings if one.severity is Severity.ERROR}
    return not found <= known or not set(after.not_checked) <= set(before.not_checked)


def _report(repairs: Repairs, show: Callable[[str], str]) -> None:
    for path in repairs.changed:
        print_note(f"changed {sanitize(show(path))}")
    if repairs.changed:
        print_note(f"{_findings(repairs.repaired)} repaired.")
    elif not repairs.refusals:
        print_note("Nothing to repair.")
    taken_back = len(repairs.given_up) - sum(
        any(edit.path in repairs.refusals for edit in finding.edits)
        for finding in repairs.given_up.values()
    )
    if taken_back:
        print_note(f"{_findings(taken_back)} left: the repair would not help here.")
    for error in repairs.refusals.values():
        raise error


def _findings(count: int) -> str:
    return f"{count} finding{'s' if count != 1 else ''}"
