"""`devenv check`."""

from __future__ import annotations

import argparse
import gc
import pkgutil

from devenv.report import findings

HELP = "say before the start what will go wrong: order, health checks, .env, Dockerfiles"
EXAMPLE = (
    "devenv check                    every profile, with the place and the repair\n"
    "  devenv check --fix --diff       show what --fix would write\n"
    "  devenv check --explain healthy-without-healthcheck\n"
    "  devenv check --format sarif --fail-on warning   (for CI)"
)
ORDER = 45

FORMATS = tuple(sorted(module.name for module in pkgutil.iter_modules(findings.__path__)))
LIMITS = ("error", "warning", "info", "never")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=FORMATS, default="text")
    parser.add_argument(
        "--fail-on",
        choices=LIMITS,
        default="error",
        help="exit with 1 at findings of this severity or worse (default: error)",
    )
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="one line per finding, none where there are none"
    )
    parser.add_argument(
        "--deep",
        action="store_true",
        help="look into local images too: whether they have the programs of health checks",
    )
    parser.add_argument("--fix", action="store_true", help="make the edits that are safe")
    parser.add_argument(
        "--diff", action="store_true", help="show these edits; without --fix nothing is written"
    )
    parser.add_argument(
        "--select", action="append", default=[], metavar="RULE", help="only this rule (repeatable)"
    )
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="RULE", help="not this rule (repeatable)"
    )
    parser.add_argument(
        "--explain", metavar="RULE", help="print what a rule looks for, and why, and end"
    )
    parser.add_argument("--rules", action="store_true", help="list the rules, and end")
    parser.add_argument(
        "--baseline", metavar="FILE", help="leave out the findings that this file holds"
    )
    parser.add_argument(
        "--write-baseline",
        metavar="FILE",
        help="write what is found now to a file for --baseline, and end",
    )


def run(arguments: argparse.Namespace) -> int:
    gc.disable()  # what one check makes is soon gone as a whole
    try:
        return _run(arguments)
    finally:
        gc.enable()


def _run(arguments: argparse.Namespace) -> int:
    from devenv.cli import check_command

    if arguments.explain is not None:
        return check_command.explain_rule(arguments.explain, as_json=arguments.format == "json")
    if arguments.rules:
        return check_command.list_rules(as_json=arguments.format == "json")
    return check_command.run_check(arguments)
