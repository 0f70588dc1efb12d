"""`devenv graph`."""

from __future__ import annotations

import argparse

HELP = "show the start order: which service waits for which"
EXAMPLE = "devenv graph --format mermaid"
ORDER = 51


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json", "mermaid"), default="text")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.output import print_json, print_text
    from devenv.cli.session import Session
    from devenv.report.graph import graph_to_json, render_graph, render_mermaid
    from devenv.state.text import sanitize

    project = Session(arguments).project
    if arguments.format == "json":
        print_json(graph_to_json(project))
    elif arguments.format == "mermaid":
        print_text(sanitize(render_mermaid(project)))
    else:
        print_text(sanitize(render_graph(project)))
    return 0
