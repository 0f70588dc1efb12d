"""`devenv profile list|show`."""

from __future__ import annotations

import argparse

HELP = "list the profiles, or show what one selects"
EXAMPLE = "devenv profile show search"
ORDER = 52


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", choices=("list", "show"), default="list")
    parser.add_argument("name", nargs="?", metavar="NAME", help="for show; default: the one in use")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.profiles import print_profile, print_profiles
    from devenv.cli.session import Session
    from devenv.errors import UsageError

    if arguments.what == "show":
        return print_profile(Session(arguments), arguments.name, arguments.format)
    if arguments.name:
        raise UsageError("profile list takes no name.", fix=f"devenv profile show {arguments.name}")
    return print_profiles(Session(arguments), arguments.format)
