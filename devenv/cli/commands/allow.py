"""`devenv allow`."""

from __future__ import annotations

import argparse

HELP = "show the hooks of this repository, and allow them to run on this machine"
EXAMPLE = "devenv allow"
ORDER = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="list what is allowed on this machine")
    what.add_argument(
        "--revoke", action="store_true", help="allow nothing of this repository any more"
    )
    parser.add_argument("-y", "--yes", action="store_true", help="allow without asking")
    parser.add_argument(
        "--full", action="store_true", help="show the text of the files that hooks call too"
    )
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="json shows, and allows nothing: exit code 1 where something is not allowed",
    )


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.allow import run_allow
    from devenv.cli.session import Session

    return run_allow(Session(arguments), arguments)
