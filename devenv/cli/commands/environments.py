"""`devenv environments`."""

from __future__ import annotations

import argparse

HELP = "list all environments of this repository: branch, profile, state, age, data"
EXAMPLE = "devenv environments --format json"
ORDER = 54


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.environments import print_environments
    from devenv.cli.session import Session

    return print_environments(Session(arguments), arguments.format)
