"""`devenv timeline`: earlier starts of this project, drawn, listed or compared."""

from __future__ import annotations

import argparse
import shutil
from datetime import datetime
from importlib import import_module
from typing import Any

from devenv.cli.output import print_error, print_json, print_note, print_text
from devenv.cli.session import Session
from devenv.errors import DevenvError, ExitCode, UsageError
from devenv.host.history import load_starts, select_comparable
from devenv.host.memory import open_memory
from devenv.host.paths import state_directory
from devenv.report.tables import render_table
from devenv.state.text import sanitize
from devenv.state.timeline_compare import Comparison, compare_timelines
from devenv.state.timeline_values import Timeline
from devenv.state.timeline_words import render_comparison, render_outcome


def run_timeline(session: Session, arguments: argparse.Namespace) -> int:
    """Print one start, or the list of them.

    Raises UsageError where there is no such start.
    """
    directory = str(session.files.directory)
    with open_memory(state_directory(session.environ), print_note) as memory:
        starts = load_starts(memory, directory)
    if session.asked_for_profile:
        starts = [one for one in starts if one.profile == session.files.choice.name]
    if arguments.list:
        return _print_list(starts, arguments.format)
    if not starts:
        print_error(
            DevenvError("No start of this project has been seen yet.", fix="devenv up records one")
        )
        return ExitCode.FAILED
    if not 1 <= arguments.last <= len(starts):
        raise UsageError(
            f"There is no start {arguments.last} back: {len(starts)} are known.",
            fix="devenv timeline --list shows them",
        )
    timeline = starts[arguments.last - 1]
    lines: tuple[str, ...] = ()
    if arguments.compare:
        lines = render_comparison(_compare(timeline, starts))
    renderer: Any = import_module(f"devenv.report.timelines.{arguments.format}")
    width = shutil.get_terminal_size((100, 24)).columns
    text = renderer.render(timeline, lines, width=width)
    print_text(text if arguments.format == "json" else sanitize(text))
    return ExitCode.GOOD


def _compare(timeline: Timeline, starts: list[Timeline]) -> Comparison | None:
    return compare_timelines(timeline, select_comparable(timeline, starts))


def _print_list(starts: list[Timeline], format_name: str) -> int:
    if format_name == "json":
        print_json(
            [
                {
                    "last": number,
                    "environment": one.environment,
                    "profile": one.profile,
                    "branch": one.branch,
                    "started_at": round(one.started_at, 3),
                    "seconds": round(one.seconds, 3),
                    "outcome": one.outcome.value,
                }
                for number, one in enumerate(starts, start=1)
            ]
        )
        return ExitCode.GOOD
    rows = [
        (
            str(number),
            datetime.fromtimestamp(one.started_at).strftime("%Y-%m-%d %H:%M:%S"),
            one.branch or "",
            one.profile or "",
            render_outcome(one),
        )
        for number, one in enumerate(starts, start=1)
    ]
    print_text(sanitize(render_table(("LAST", "STARTED", "BRANCH", "PROFILE", "OUTCOME"), rows)))
    return ExitCode.GOOD
