"""`devenv attach`."""

from __future__ import annotations

import argparse

HELP = "connect the terminal to a service's main process, for debuggers"
EXAMPLE = "devenv attach app"
ORDER = 44


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--index", type=int, default=1, metavar="N", help="which replica")
    parser.add_argument(
        "--detach-keys", metavar="KEYS", default="ctrl-p,ctrl-q", help="keys that leave it running"
    )
    parser.add_argument("service", metavar="SERVICE")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.interactive import run_attach
    from devenv.cli.session import Session

    return run_attach(Session(arguments), arguments.service, arguments)
