"""`devenv config`."""

from __future__ import annotations

import argparse

HELP = "print the merged model, as Compose has it; values that may be secret are masked"
EXAMPLE = "devenv config app"
ORDER = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="default: the whole model")
    parser.add_argument("--reveal", action="store_true", help="show secrets too")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.output import print_json, print_text
    from devenv.cli.session import Session
    from devenv.compose.secrets import mask_document
    from devenv.state.text import sanitize

    session = Session(arguments)
    document = dict(session.project.document)
    names = [session.resolve_service(name) for name in arguments.services]
    if names:
        document = {"services": {name: document["services"][name] for name in names}}
    shown = document if arguments.reveal else mask_document(document)
    if arguments.format == "json":
        print_json(shown)
        return 0
    import yaml

    print_text(sanitize(yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=1000)))
    return 0
