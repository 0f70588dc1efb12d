"""`devenv doctor`."""

from __future__ import annotations

import argparse

HELP = "look at the engine, the machine and the project, and say what would go wrong"
EXAMPLE = "devenv doctor --format json"
ORDER = 46


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--offline", action="store_true", help="ask no registry for its certificate"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.doctor import run_doctor

    return run_doctor(arguments)
