"""`devenv open`."""

from __future__ import annotations

import argparse

HELP = "open a service's published address in the browser"
EXAMPLE = "devenv open app"
ORDER = 41


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", nargs="?", metavar="SERVICE", help="default: the first one")
    parser.add_argument("port", nargs="?", type=int, metavar="PORT", help="a container port")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.listing import open_address
    from devenv.cli.session import Session

    return open_address(Session(arguments), arguments.service, arguments.port)
