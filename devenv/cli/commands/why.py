"""`devenv why`."""

from __future__ import annotations

import argparse

HELP = "say where a value of the merged model comes from: file, line, variables, what it replaced"
EXAMPLE = "devenv why app.environment"
ORDER = 51


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path", metavar="PATH", help="such as app.ports[0] or volumes.data; may name several values"
    )
    parser.add_argument("--reveal", action="store_true", help="show secrets too")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.output import print_json, print_text
    from devenv.cli.session import Session
    from devenv.cli.why import find_origins, name_layer, show_keys
    from devenv.report.finding_paths import FindingPaths
    from devenv.report.origins import origin_to_json, render_origin

    session = Session(arguments)
    texts, found = find_origins(session, arguments.path)
    show = FindingPaths(str(session.files.directory)).show

    def layer(path: str) -> str:
        return name_layer(session, texts, path)

    reveal = arguments.reveal
    if arguments.format == "json":
        print_json(
            [
                origin_to_json(show_keys(keys), value, origin, show, layer, reveal=reveal)
                for keys, value, origin in found
            ]
        )
        return 0
    print_text(
        "".join(
            render_origin(show_keys(keys), value, origin, show, layer, reveal=reveal)
            for keys, value, origin in found
        )
    )
    return 0
