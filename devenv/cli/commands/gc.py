"""`devenv gc`."""

from __future__ import annotations

import argparse

HELP = "remove the environments whose branch or worktree is gone, with their data, after asking"
EXAMPLE = "devenv gc --dry-run"
ORDER = 55


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="only show what would be removed")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.environments import collect_garbage
    from devenv.cli.session import Session

    return collect_garbage(
        Session(arguments),
        yes=arguments.yes,
        dry_run=arguments.dry_run,
        form=arguments.format,
    )
