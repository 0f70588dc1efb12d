"""`devenv timeline`."""

from __future__ import annotations

import argparse

HELP = "show where the time of a start went: builds, pulls, waits, health checks"
EXAMPLE = "devenv timeline --compare"
ORDER = 52


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--last", type=int, default=1, metavar="N", help="the Nth start back (default 1, the last)"
    )
    parser.add_argument("--list", action="store_true", help="list the starts that are known")
    parser.add_argument(
        "--compare",
        action="store_true",
        help="say what became slower, against the median of earlier starts of the profile",
    )
    parser.add_argument("--format", choices=("text", "json", "svg", "html"), default="text")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.session import Session
    from devenv.cli.timeline import run_timeline

    return run_timeline(Session(arguments), arguments)
