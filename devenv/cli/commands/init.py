"""`devenv init`."""

from __future__ import annotations

import argparse

HELP = "propose what a repository lacks for a start: Compose file, Dockerfile, profiles"
EXAMPLE = "devenv init --dry-run"
ORDER = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--stack",
        choices=("node", "python", "go", "ruby"),
        help="the language, where there is no manifest to tell",
    )
    parser.add_argument(
        "--with",
        dest="needs",
        action="append",
        choices=("postgres", "mysql", "redis"),
        help="a service that the app uses (repeatable); default: what the manifests name",
    )
    parser.add_argument("--dry-run", action="store_true", help="only show the proposal")
    parser.add_argument("-y", "--yes", action="store_true", help="write without asking")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="json: no write")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.init import run_init

    return run_init(arguments)
