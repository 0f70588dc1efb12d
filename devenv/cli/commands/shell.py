"""`devenv shell`."""

from __future__ import annotations

import argparse

HELP = "open a shell in a service's container"
EXAMPLE = "devenv shell app"
ORDER = 43


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--index", type=int, default=1, metavar="N", help="which replica")
    parser.add_argument("-u", "--user", metavar="USER", help="run as this user")
    parser.add_argument("service", metavar="SERVICE")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.interactive import SHELL, run_exec
    from devenv.cli.session import Session

    return run_exec(Session(arguments), arguments.service, list(SHELL), arguments)
