"""`devenv exec`."""

from __future__ import annotations

import argparse

HELP = "run a command in a service's container; its exit code is devenv's"
EXAMPLE = "devenv exec db psql -U app"
ORDER = 42


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--index", type=int, default=1, metavar="N", help="which replica")
    parser.add_argument("-u", "--user", metavar="USER", help="run as this user")
    parser.add_argument("service", metavar="SERVICE")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.interactive import run_exec
    from devenv.cli.session import Session
    from devenv.errors import UsageError

    if not arguments.words:
        raise UsageError("exec needs a command.", fix=f"devenv shell {arguments.service}")
    return run_exec(Session(arguments), arguments.service, arguments.words, arguments)
