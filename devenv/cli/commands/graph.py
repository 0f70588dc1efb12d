"""`devenv graph`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devenv.checks.finding import StartBound
    from devenv.cli.session import Session
    from devenv.compose.timing import StartTimes

HELP = "show the start order: which service waits for which"
EXAMPLE = "devenv graph --format mermaid"
ORDER = 51


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json", "mermaid"), default="text")
    parser.add_argument(
        "--times",
        action="store_true",
        help="how long a cold start takes at least, and which wait costs most",
    )


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.output import print_json, print_text
    from devenv.cli.session import Session
    from devenv.report.graph import graph_to_json, render_graph, render_mermaid
    from devenv.state.text import sanitize

    session = Session(arguments)
    project = session.project
    times, bound = _load_times(session) if arguments.times else (None, None)
    if arguments.format == "json":
        print_json(graph_to_json(project, times, bound))
    elif arguments.format == "mermaid":
        print_text(sanitize(render_mermaid(project, times)))
    else:
        print_text(sanitize(render_graph(project, times, bound)))
    return 0


def _load_times(session: Session) -> tuple[StartTimes | None, StartBound | None]:
    from devenv.checks.start_times import find_start_bound, find_start_times
    from devenv.cli.checking import gather

    gathered = gather(session)
    chosen = session.files.choice.name
    profile = next(one for one in gathered.profiles if one.name == chosen)
    facts = gathered.facts
    return find_start_times(profile, facts), find_start_bound(profile, facts)
