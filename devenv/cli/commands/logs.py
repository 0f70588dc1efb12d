"""`devenv logs`."""

from __future__ import annotations

import argparse

HELP = "print the services' logs, merged by time"
EXAMPLE = "devenv logs -f --since 10m app db"
ORDER = 21
LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="default: all")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as lines come")
    parser.add_argument(
        "--since", metavar="TIME", help="10m, 2h, or a time such as 2026-01-31T12:00:00"
    )
    parser.add_argument("--until", metavar="TIME", help="no line after this; as --since")
    parser.add_argument("-n", "--tail", type=int, metavar="N", help="the last N of each container")
    parser.add_argument(
        "--grep",
        metavar="RE",
        help="only lines that the regular expression fits; exit code 1: none",
    )
    parser.add_argument("-v", "--invert-match", action="store_true", help="only those it does not")
    parser.add_argument("-i", "--ignore-case", action="store_true", help="for --grep")
    parser.add_argument(
        "-C",
        dest="context_lines",
        type=int,
        metavar="N",
        default=0,
        help="N lines of context around each (-C DIR of all commands stands before `logs`)",
    )
    parser.add_argument("--level", choices=LEVELS, help="only lines of at least this level")
    parser.add_argument("-t", "--timestamps", action="store_true", help="print each line's time")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="json: by line")
    parser.add_argument("--json", dest="format", action="store_const", const="json", help="same")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.logs import print_logs
    from devenv.cli.session import Session

    return print_logs(Session(arguments), arguments)
