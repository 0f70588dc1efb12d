"""`devenv watch --explain` and `--list`: the plan of the watch, without an engine."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from devenv.cli.output import print_json, print_text
from devenv.cli.session import Session
from devenv.compose.model import Project
from devenv.compose.watch import WatchPlanner
from devenv.engine.compose import find_buildx_plugin
from devenv.errors import EngineUnavailable, ExitCode
from devenv.host.check_files import FileReader
from devenv.host.watch_files import absolute_path, load_watch_facts, load_watch_layers
from devenv.state.text import sanitize
from devenv.values import replace

if TYPE_CHECKING:
    from devenv.compose.watch import PlannedChange


def load_planner(
    session: Session, reader: FileReader | None = None, project: Project | None = None
) -> WatchPlanner:
    """The planner of the session's model, or of `project`. Raises what does not load.

    `reader` then has the state of every file that the plan depends on.
    """
    reader = reader or FileReader()
    files = session.files
    layers = load_watch_layers(files, reader)
    environ = session.environ
    is_buildkit = environ.get("DOCKER_BUILDKIT", "1").lower() not in ("0", "false")
    facts = load_watch_facts(
        files,
        layers,
        reader,
        is_local=_is_local(session),
        is_buildkit=is_buildkit and find_buildx_plugin(environ) is not None,
    )
    return WatchPlanner(project or session.project, layers, facts)


def _is_local(session: Session) -> bool:
    """Whether bind mounts show this machine's files; with a broken context, as by default."""
    try:
        return session.endpoint.is_local
    except EngineUnavailable:
        return True


def explain(session: Session, written: Sequence[str], form: str) -> int:
    """Print what a change of each path would do. Paths need not exist."""
    from devenv.report.watch import changes_to_json, render_changes

    planner = load_planner(session)
    directory = session.files.directory
    changes: list[PlannedChange] = []
    for word in written:
        path = absolute_path(word, session.start, directory)
        is_directory = word.endswith("/") or os.path.isdir(path)  # noqa: PTH112, odd paths too
        changes += planner.plan(path, is_directory=is_directory)
    changes = explain_shared(session, changes)
    if form == "json":
        print_json(changes_to_json(changes, str(directory)))
    else:
        print_text(sanitize(render_changes(changes, str(directory))))
    return ExitCode.GOOD


def explain_shared(session: Session, changes: list[PlannedChange]) -> list[PlannedChange]:
    """What only a shared service reads is not watched: the same changes, with that as the reason.

    Shared services are those of all environments, and each environment has files of its own.
    """
    shared = session.isolated.shared if session.isolated is not None else None
    if shared is None or not any(_touches_nothing(change) for change in changes):
        return changes
    whole = load_planner(session, project=session.base_project)
    found = []
    for change in changes:
        if _touches_nothing(change):
            readers = [
                one.service for one in whole.plan(change.path) if one.service in shared.services
            ]
            if readers:
                names = ", ".join(map(str, readers))
                reason = f"only {names} reads it, which all environments share: it is not watched"
                change = replace(change, reason=reason)
        found.append(change)
    return found


def _touches_nothing(change: PlannedChange) -> bool:
    return change.service is None and change.action.value == "ignore"


def list_inputs(session: Session, form: str) -> int:
    """Print everything that is watched, and who asks for it."""
    from devenv.cli.watch_writable import Writability, look_at_containers
    from devenv.report.watch import inputs_to_json, render_inputs

    planner = load_planner(session)
    directory = str(session.files.directory)
    seen: Writability = look_at_containers(session, planner)
    if form == "json":
        print_json(inputs_to_json(planner.inputs(), directory, seen.is_writable))
    else:
        print_text(sanitize(render_inputs(planner.inputs(), directory)))
        shared = session.isolated.shared if session.isolated is not None else None
        if shared is not None:
            names = ", ".join(shared.services)
            print_text(sanitize(f"\nnot watched, since all environments share it: {names}\n"))
        for one in seen.unwritable:
            print_text(sanitize(f"\n{one.service}: {one.describe(directory)}\n"))
    return ExitCode.GOOD


def run_watch(session: Session, arguments: argparse.Namespace) -> int:
    """What the options ask for."""
    if arguments.list:
        return list_inputs(session, arguments.format)
    if arguments.explain:
        return explain(session, arguments.explain, arguments.format)
    from devenv.cli.watch_command import follow_sources

    return follow_sources(session)
