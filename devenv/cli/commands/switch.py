"""`devenv switch`."""

from __future__ import annotations

import argparse

HELP = "switch to another profile or branch, touching only what differs"
EXAMPLE = "devenv switch search --dry-run"
ORDER = 53


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", nargs="?", metavar="PROFILE|BRANCH")
    parser.add_argument(
        "--branch", action="store_true", help="TARGET is a branch, though a profile has its name"
    )
    parser.add_argument(
        "--auto", action="store_true", help="forget the choice: devenv.toml chooses again"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the plan and end")
    parser.add_argument("--no-checks", action="store_true", help="start in spite of errors found")
    parser.add_argument("--no-hooks", action="store_true", help="run no hook")
    parser.add_argument(
        "--timeout",
        type=float,
        default=600.0,
        metavar="SECONDS",
        help="how long the start may take to become healthy (default 600)",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="for --dry-run")
    parser.add_argument(
        "-y",
        "--yes",
        action="store_true",
        help="do not ask before a service is stopped while its data is copied (clone_volumes)",
    )
    parser.add_argument(
        "--no-clone", action="store_true", help="a first start begins with empty volumes"
    )


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.session import Session
    from devenv.cli.switching import run_switch

    return run_switch(Session(arguments), arguments)
