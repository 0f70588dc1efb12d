"""`devenv up`: start the environment and follow it."""

from __future__ import annotations

import argparse
import gc
import sys

from devenv.errors import UsageError

HELP = "start the environment and follow it"
EXAMPLE = "devenv up --detach --wait"
ORDER = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "services", nargs="*", metavar="SERVICE", help="only these, and their needs"
    )
    parser.add_argument(
        "--plain", action="store_true", help="no terminal UI: a line per change and log line"
    )
    parser.add_argument("-d", "--detach", action="store_true", help="end once all is started")
    parser.add_argument(
        "--wait", action="store_true", help="with --detach: end when all is healthy, or has failed"
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=600.0,
        metavar="SECONDS",
        help="how long a start may take to become healthy (default 600)",
    )
    parser.add_argument(
        "--except",
        dest="without",
        action="append",
        default=[],
        metavar="SERVICE",
        help="leave this service out (repeatable)",
    )
    parser.add_argument(
        "--no-checks", action="store_true", help="start whatever `devenv check` would say"
    )
    parser.add_argument("--no-hooks", action="store_true", help="run no hook")
    parser.add_argument(
        "--no-watch", action="store_true", help="do not bring saved files into the services"
    )
    parser.add_argument(
        "-y",
        "--yes",
        action="store_true",
        help="do not ask before a service is stopped while its data is copied (clone_volumes)",
    )
    parser.add_argument(
        "--no-clone", action="store_true", help="a first start begins with empty volumes"
    )
    parser.add_argument("--no-build", action="store_true", help="start with the images there are")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and end")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="for --dry-run")


def run(arguments: argparse.Namespace) -> int:
    if arguments.wait and not arguments.detach:
        raise UsageError("--wait goes with --detach.", fix="devenv up --detach --wait")
    if arguments.timeout <= 0:
        raise UsageError("--timeout takes a number of seconds above 0.")
    in_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if in_terminal and not (arguments.detach or arguments.plain or arguments.dry_run):
        gc.disable()  # until the first frame: what is loaded for it stays
    from devenv.cli.session import Session

    session = Session(arguments)
    if arguments.dry_run:
        from devenv.cli.up import print_plan

        return print_plan(session, arguments)
    if sys.stdin.isatty() and sys.stderr.isatty():
        from devenv.cli.env_offer import offer_missing

        session = offer_missing(session, arguments)
    if arguments.detach or arguments.plain or not in_terminal:
        from devenv.cli.up_plain import run_plain

        return run_plain(session, arguments)
    from devenv.cli.up_terminal import run_terminal

    return run_terminal(session, arguments)
