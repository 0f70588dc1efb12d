"""What `devenv check` does beyond finding: reports, repairs, baselines, explanations."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from devenv.checks.facts import FileState
from devenv.checks.finding import CheckResult, Severity
from devenv.checks.registry import load_rules
from devenv.cli.baseline import load_baseline, write_baseline
from devenv.cli.checking import Gathered, check_project, check_rule_name, find_env_files, gather
from devenv.cli.output import paint, print_json, print_note, print_text
from devenv.cli.session import Session
from devenv.errors import ExitCode, UsageError
from devenv.report.finding_paths import FindingPaths
from devenv.state.text import sanitize


def run_check(arguments: argparse.Namespace) -> int:
    """Check, repair where asked to, report; the exit code says whether the limit was reached."""
    for name in (*arguments.select, *arguments.ignore):
        check_rule_name(name, None)
    session = Session(arguments)
    writes = arguments.write_baseline is not None
    baseline = {} if writes else load_baseline(session, arguments.baseline)
    gathered, result = _check(session, arguments, baseline)
    paths = _paths(gathered, arguments)
    if writes:
        write_baseline(session.start / arguments.write_baseline, result, paths)
        count = len(result.findings)
        name = sanitize(arguments.write_baseline)
        print_note(f"{count} finding{'s' if count != 1 else ''} written to {name}.")
        return ExitCode.GOOD
    if arguments.fix or arguments.diff:
        gathered, result = _repair(session, arguments, baseline, gathered, result)
        paths = _paths(gathered, arguments)
    _report(result, paths, arguments)
    if arguments.fail_on == "never":
        return ExitCode.GOOD
    limit = Severity(arguments.fail_on).rank
    reached = any(finding.severity.rank <= limit for finding in result.findings)
    return ExitCode.FAILED if reached else ExitCode.GOOD


def _check(
    session: Session, arguments: argparse.Namespace, baseline: Mapping[str, int]
) -> tuple[Gathered, CheckResult]:
    gathered = gather(session, deep=arguments.deep)
    chosen = {"select": arguments.select, "ignore": arguments.ignore}
    return gathered, check_project(session, gathered, baseline=baseline, **chosen)


def _paths(gathered: Gathered, arguments: argparse.Namespace) -> FindingPaths:
    facts = gathered.facts
    names = tuple(profile.name for profile in gathered.profiles if profile.name is not None)
    width = None
    if sys.stdout.isatty() and arguments.format == "text":
        from shutil import get_terminal_size

        width = get_terminal_size().columns
    root = facts.git.root if facts.git else None
    return FindingPaths(facts.directory, facts.files, root, names, find_env_files(gathered), width)


def _report(result: CheckResult, paths: FindingPaths, arguments: argparse.Namespace) -> None:
    if arguments.format == "text":
        from devenv.report.findings.text import render

        shown = render(
            result,
            paths,
            paint=lambda text, colour: paint(text, colour, sys.stdout),
            quiet=arguments.quiet,
        )
        print_text(shown)
        return
    report = import_module(f"devenv.report.findings.{arguments.format}")
    print_text(report.render(result, paths))


def _repair(
    session: Session,
    arguments: argparse.Namespace,
    baseline: Mapping[str, int],
    gathered: Gathered,
    result: CheckResult,
) -> tuple[Gathered, CheckResult]:
    """Make the edits, or without --fix show the first round of them."""
    from devenv.cli.repairs import run_repairs, show_repairs

    paths = _paths(gathered, arguments)

    def show_diff(texts: Mapping[str, str], files: Mapping[str, FileState], _: str) -> None:
        _print_diff(texts, files, paths)

    if not arguments.fix:
        show_repairs(result, gathered, show_diff)
        return gathered, result
    return run_repairs(
        result,
        gathered,
        lambda: _check(session.renew(), arguments, baseline),
        first_root(session),
        show_diff=show_diff if arguments.diff else None,
    )


def first_root(session: Session) -> Path:
    """The directory that edits may not leave: the checkout's, or the project's without git."""
    files = session.files
    return files.git.root if files.git else files.root


def _print_diff(
    texts: Mapping[str, str], files: Mapping[str, FileState], paths: FindingPaths
) -> None:
    from devenv.report.diffs import render_diff

    for path, text in texts.items():
        state = files.get(path)
        before = (state.text or "") if state else ""
        for line in render_diff(path, paths, before, text):
            colour = {"+": "green", "-": "red", "@": "blue"}.get(line[:1])
            sys.stderr.write((paint(line, colour, sys.stderr) if colour else line) + "\n")


def explain_rule(name: str, *, as_json: bool = False) -> int:
    """Print a rule's own text: what docs/rules has of it, without its cases."""
    from shutil import get_terminal_size

    from devenv.report.rule_text import render_rule, rule_to_json

    check_rule_name(name, None)
    rule = next((rule for rule in load_rules() if rule.name == name), None)
    if rule is None:
        raise UsageError(f"{name} is hadolint's own rule.", fix="see hadolint's documentation")
    if as_json:
        print_json(rule_to_json(rule))
        return ExitCode.GOOD
    width = min(get_terminal_size().columns, 100)
    print_text(
        render_rule(rule, paint=lambda text, colour: paint(text, colour, sys.stdout), width=width)
    )
    return ExitCode.GOOD


def list_rules(as_json: bool) -> int:
    """Print every rule with its severity and what it looks for."""
    rules = sorted(load_rules(), key=lambda rule: rule.name)
    if as_json:
        print_json([{"rule": r.name, "severity": r.severity, "summary": r.summary} for r in rules])
        return ExitCode.GOOD
    width = max(len(rule.name) for rule in rules)
    lines = [f"{rule.name:<{width}}  {rule.severity:<7}  {rule.summary}\n" for rule in rules]
    print_text("".join(lines))
    return ExitCode.GOOD
