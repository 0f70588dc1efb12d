"""`devenv shellenv`."""

from __future__ import annotations

import argparse

HELP = "print the variables that give a plain docker compose this environment"
EXAMPLE = 'eval "$(devenv shellenv)" && docker compose ps'
ORDER = 61


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    import shlex

    from devenv.cli.output import print_json, print_text
    from devenv.cli.session import Session

    selection = Session(arguments).selection
    # So that devenv itself knows these variables for its own.
    variables = {**selection.shell_variables(), "DEVENV_ENVIRONMENT": selection.name or ""}
    if arguments.format == "json":
        print_json(variables)
    else:
        print_text("".join(f"export {k}={shlex.quote(v)}\n" for k, v in variables.items()))
    return 0
