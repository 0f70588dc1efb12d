"""`devenv compose`."""

from __future__ import annotations

import argparse

HELP = "run docker compose with this environment's name, files and profiles"
EXAMPLE = "devenv compose top"
ORDER = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="…", help="Compose's own words")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.compose_stale import build_stale
    from devenv.cli.session import Session
    from devenv.engine.process import run_interactive

    session = Session(arguments)
    selection = session.selection
    words = arguments.words[1:] if arguments.words[:1] == ["--"] else arguments.words
    code = build_stale(session, words)
    if code != 0:
        return code
    argv = session.compose.argv(*selection.arguments(), *words)
    return run_interactive(argv, {**session.environ, **dict(selection.variables)}, session.start)
