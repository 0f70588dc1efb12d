"""`devenv down`."""

from __future__ import annotations

import argparse
import sys

from devenv.errors import ExitCode, UsageError

HELP = "stop and remove the environment's containers and networks; data stays"
EXAMPLE = "devenv down"
ORDER = 11


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-v", "--volumes", action="store_true", help="remove the volumes too: their data is lost"
    )
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask before --volumes")
    parser.add_argument("--no-hooks", action="store_true", help="do not run before_down")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.operations import run_compose_operation
    from devenv.cli.session import Session

    session = Session(arguments)
    if arguments.volumes and not arguments.yes:
        if not sys.stdin.isatty():
            raise UsageError(
                "down --volumes deletes data and there is no terminal to ask at.",
                fix="devenv down --volumes --yes",
            )
        sys.stderr.write("Remove the containers and all data in their volumes? [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            sys.stderr.write("Nothing was removed.\n")
            return ExitCode.FAILED
    options = ["--remove-orphans", *(["--volumes"] if arguments.volumes else [])]
    return run_compose_operation(
        session, "down", (), options=options, result_format=arguments.format
    )
