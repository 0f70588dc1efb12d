"""`devenv schema`."""

from __future__ import annotations

import argparse

HELP = "print the JSON Schema of devenv.toml and profiles/*.toml, for editors"
EXAMPLE = "devenv schema > devenv.schema.json"
ORDER = 70


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", choices=("settings", "profile"), help="only this one")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.output import print_json
    from devenv.config.schema import render_schema

    schema = render_schema()
    if arguments.file:
        schema = schema["$defs"][arguments.file]
    print_json(schema)
    return 0
