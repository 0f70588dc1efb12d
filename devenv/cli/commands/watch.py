"""`devenv watch`."""

from __future__ import annotations

import argparse

HELP = "watch the sources of a running environment: sync, restart or rebuild as each needs"
EXAMPLE = "devenv watch --explain src/app.py package.json"
ORDER = 25


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--explain",
        nargs="+",
        metavar="PATH",
        help="what a change of these files would do; they need not exist",
    )
    what.add_argument(
        "--list", action="store_true", help="list the files of each service, and who asks for them"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.session import Session
    from devenv.cli.watching import run_watch

    return run_watch(Session(arguments), arguments)
