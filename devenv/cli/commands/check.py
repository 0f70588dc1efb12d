"""`devenv check`."""

from __future__ import annotations

import argparse

HELP = "say what will go wrong before the start: order, health checks, .env, Dockerfiles"
EXAMPLE = "devenv check --format json"
ORDER = 45

FORMATS = ("text", "json")
LIMITS = ("error", "warning", "info", "never")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=FORMATS, default="text")
    parser.add_argument(
        "--fail-on",
        choices=LIMITS,
        default="error",
        help="exit with 1 at findings of this severity or worse (default: error)",
    )


def run(arguments: argparse.Namespace) -> int:
    from importlib import import_module

    from devenv.checks.finding import Severity
    from devenv.cli.checking import check_project, gather
    from devenv.cli.output import print_text
    from devenv.cli.session import Session
    from devenv.report.finding_paths import FindingPaths
    from devenv.state.text import sanitize

    session = Session(arguments)
    gathered = gather(session)
    result = check_project(session, gathered)
    paths = FindingPaths(gathered.facts.directory, gathered.facts.files)
    report = import_module(f"devenv.report.findings.{arguments.format}")
    print_text(sanitize(report.render(result, paths)))
    if arguments.fail_on == "never":
        return 0
    limit = Severity(arguments.fail_on).rank
    return int(any(finding.severity.rank <= limit for finding in result.findings))
