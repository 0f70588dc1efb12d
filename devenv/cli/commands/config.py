"""`devenv config`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devenv.cli.session import Session

HELP = "print the merged model, as Compose has it; values that may be secret are masked"
EXAMPLE = "devenv config app"
ORDER = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="default: the whole model")
    parser.add_argument("--reveal", action="store_true", help="show secrets too")
    parser.add_argument(
        "--origins", action="store_true", help="a line per value, with the place that gives it"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.output import print_json, print_text
    from devenv.cli.session import Session
    from devenv.compose.secrets import mask_document
    from devenv.state.text import sanitize

    session = Session(arguments)
    if arguments.origins:
        return _print_origins(session, arguments)
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


def _print_origins(session: Session, arguments: argparse.Namespace) -> int:
    from functools import partial

    from devenv.cli.output import print_json, print_text
    from devenv.cli.why import find_origins, name_layer, show_keys
    from devenv.report.finding_paths import FindingPaths
    from devenv.report.origins import origin_to_json, render_origin_line

    names = [f"services.{session.resolve_service(name)}" for name in arguments.services]
    show = FindingPaths(str(session.files.directory)).show
    reveal = arguments.reveal
    wanted: list[str | None] = [*names] or [None]
    lines, values = [], []
    for path in wanted:
        texts, found = find_origins(session, path)
        layer = partial(name_layer, session, texts)
        for keys, value, origin in found:
            shown = show_keys(keys)
            if arguments.format == "text":
                lines.append(render_origin_line(shown, value, origin, show, reveal=reveal))
            else:
                values.append(origin_to_json(shown, value, origin, show, layer, reveal=reveal))
    if arguments.format == "json":
        print_json(values)
    else:
        print_text("".join(lines))
    return 0
