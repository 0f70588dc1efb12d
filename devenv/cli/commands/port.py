"""`devenv port`."""

from __future__ import annotations

import argparse

HELP = "print the addresses at which services are published"
EXAMPLE = "devenv port app 3000"
ORDER = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", nargs="?", metavar="SERVICE", help="default: all")
    parser.add_argument("port", nargs="?", type=int, metavar="PORT", help="a container port")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.listing import print_ports
    from devenv.cli.session import Session

    return print_ports(Session(arguments), arguments.service, arguments.port, arguments.format)
