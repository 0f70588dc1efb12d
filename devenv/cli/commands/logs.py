"""`devenv logs`."""

from __future__ import annotations

import argparse

HELP = "print the services' logs, merged by time"
EXAMPLE = "devenv logs -f --since 10m app db"
ORDER = 21


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="default: all")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as lines come")
    parser.add_argument(
        "--since", metavar="TIME", help="10m, 2h, or a time such as 2026-01-31T12:00:00"
    )
    parser.add_argument("-n", "--tail", type=int, metavar="N", help="the last N of each container")
    parser.add_argument("-t", "--timestamps", action="store_true", help="print each line's time")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="json: by line")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.logs import print_logs
    from devenv.cli.session import Session

    return print_logs(Session(arguments), arguments)
