"""`devenv stop`."""

from __future__ import annotations

import argparse

HELP = "stop services; their containers and data stay"
EXAMPLE = "devenv stop app"
ORDER = 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="default: all")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.operations import run_compose_operation
    from devenv.cli.session import Session

    return run_compose_operation(
        Session(arguments), "stop", arguments.services, result_format=arguments.format
    )
