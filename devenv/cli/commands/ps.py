"""`devenv ps`."""

from __future__ import annotations

import argparse

HELP = "show the services and their state, as the engine has it now"
EXAMPLE = "devenv ps --format json"
ORDER = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="default: all")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.listing import print_services
    from devenv.cli.session import Session

    return print_services(Session(arguments), arguments.services, arguments.format)
