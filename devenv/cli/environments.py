"""`devenv environments` and `devenv gc`: all environments of this repository.

What devenv remembers and what the engine has are put together: an environment without containers
may still have data, and one that the memory has lost is found by its labels.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from devenv.cli.environment_names import find_environment_names
from devenv.cli.isolation import repository_of
from devenv.cli.operations import remove_environment
from devenv.cli.output import print_error, print_json, print_note, print_text
from devenv.cli.session import Session
from devenv.compose.isolation import LABEL_BRANCH, LABEL_REPOSITORY, LABEL_WORKTREE
from devenv.compose.names import EnvironmentName
from devenv.compose.shared import KIND as SHARED
from devenv.compose.shared import LABEL_KIND
from devenv.engine.api import ApiError
from devenv.engine.containers import LABEL_DIRECTORY, LABEL_PROJECT, LABEL_SERVICE
from devenv.errors import DevenvError, ExitCode, UsageError
from devenv.host import paths
from devenv.host.environments import (
    PLAIN,
    KnownEnvironment,
    forget_environment,
    load_environments,
)
from devenv.host.git import list_worktree_names
from devenv.host.git_commands import list_branches
from devenv.host.memory import open_existing, open_memory
from devenv.report.tables import fit_rows, render_bytes, render_duration, render_table
from devenv.state.text import sanitize
from devenv.values import dataclass

_LEAST = {"ENVIRONMENT": 14, "BRANCH": 10, "PROFILE": 7, "DIRECTORY": 12}
"""How short a column may become at a narrow terminal; elsewhere names are whole."""


@dataclass(frozen=True, slots=True)
class EnvironmentRow:
    """An environment with what the engine has of it."""

    known: KnownEnvironment
    running: int = 0
    containers: int = 0
    volumes: tuple[tuple[str, int | None], ...] = ()
    """Names and sizes in bytes, None where the engine does not say."""
    addresses: tuple[tuple[str, str], ...] = ()
    """Service and `localhost:3100`, of what is published now."""
    is_current: bool = False
    gone: str | None = None
    """Why nobody can need it any more: `branch feature/x is gone`."""

    @property
    def state(self) -> str:
        """In words, such as `2 of 3 up`."""
        if not self.containers:
            return "data only" if self.volumes else "nothing on the engine"
        return f"{self.running} of {self.containers} up" if self.running else "stopped"

    @property
    def size_bytes(self) -> int | None:
        """What its volumes take; None where the engine does not say."""
        sizes = [size for _, size in self.volumes if size is not None]
        return sum(sizes) if sizes or not self.volumes else None


def load_rows(
    session: Session,
    known_sizes: Mapping[str, int | None] | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> list[EnvironmentRow]:
    """The repository's environments: the plain one first, then by age.

    With `known_sizes` (volume name to bytes) the engine is not asked to count them again. `warn`
    is told why not all that is remembered is there.
    Raises EngineUnavailable.
    """
    repository = repository_of(session)
    with open_existing(paths.state_directory(session.environ), warn) as memory:
        known = {one.name: one for one in load_environments(memory, repository)}
    containers, volumes = asyncio.run(_ask_engine(session, known_sizes is None))
    for container in containers:
        found = _recognise(container, repository)
        if found is not None:
            known.setdefault(found.name, found)
    current = _find_current(session)
    for name in current:  # the plain one has no label of devenv's
        things = (*containers, *volumes)
        if name not in known and any(_label(one, LABEL_PROJECT) == name for one in things):
            known[name] = KnownEnvironment(name, repository, str(session.start))
    git = session.git
    branches = list_branches(git.root, session.environ) if git else None
    worktrees = list_worktree_names(git.common_dir) if git else None
    rows = []
    for one in known.values():
        mine = [c for c in containers if _label(c, LABEL_PROJECT) == one.name]
        rows.append(
            EnvironmentRow(
                known=one,
                running=sum(c.get("State") == "running" for c in mine),
                containers=len(mine),
                volumes=_volumes_of(one.name, volumes, known_sizes or {}),
                addresses=_addresses_of(mine),
                is_current=one.name in current,
                gone=_why_gone(one, branches, worktrees),
            )
        )
    return sorted(rows, key=lambda row: (row.known.kind != PLAIN, row.known.made_at))


async def _ask_engine(
    session: Session, sizes: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    await session.client.ping()
    containers, volumes = await asyncio.gather(
        session.client.containers(None), _load_volumes(session, sizes)
    )
    return containers, volumes


async def _load_volumes(session: Session, sizes: bool) -> list[dict[str, Any]]:
    """All volumes, with their sizes where the engine says them: it counts for one at a time."""
    found = None
    if sizes:
        with contextlib.suppress(ApiError):
            found = await session.client.get_json("/system/df", type="volume")
    if found is None:
        found = await session.client.get_json("/volumes")
    return list((found or {}).get("Volumes") or [])


def _volumes_of(
    name: str, volumes: Iterable[Mapping[str, Any]], known_sizes: Mapping[str, int | None]
) -> tuple[tuple[str, int | None], ...]:
    mine = (volume for volume in volumes if _label(volume, LABEL_PROJECT) == name)
    pairs = ((str(volume["Name"]), _size(volume)) for volume in mine)
    return tuple(sorted((n, known_sizes.get(n) if size is None else size) for n, size in pairs))


def _addresses_of(containers: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Service and address of each published TCP port, without IPv6 repetitions."""
    found = set()
    for container in containers:
        for port in container.get("Ports") or ():
            if port.get("PublicPort") and port.get("Type") == "tcp":
                ip = port.get("IP") or "0.0.0.0"
                host = "localhost" if ip in ("0.0.0.0", "::", "127.0.0.1", "::1") else ip
                service = _label(container, LABEL_SERVICE) or ""
                found.add((service, f"{host}:{port['PublicPort']}"))
    return tuple(sorted(found))


def _label(thing: Mapping[str, Any], name: str) -> str | None:
    value = (thing.get("Labels") or {}).get(name)
    return None if value is None else str(value)


def _size(volume: Mapping[str, Any]) -> int | None:
    size = (volume.get("UsageData") or {}).get("Size")
    return size if isinstance(size, int) and size >= 0 else None


def _recognise(container: Mapping[str, Any], repository: str) -> KnownEnvironment | None:
    """The environment that a container's labels tell of, where it is one of this repository."""
    name = _label(container, LABEL_PROJECT)
    if name is None or _label(container, LABEL_REPOSITORY) != repository:
        return None
    branch = _label(container, LABEL_BRANCH)
    kind = "branch" if branch is not None else "worktree"
    return KnownEnvironment(
        EnvironmentName(name),
        repository,
        _label(container, LABEL_DIRECTORY) or "",
        branch,
        made_at=float(container.get("Created") or 0),
        kind=_label(container, LABEL_KIND) or kind,
        worktree=_label(container, LABEL_WORKTREE),
    )


def _find_current(session: Session) -> list[EnvironmentName]:
    """Those of the checkout that one is in; also where its files do not load."""
    try:
        return asyncio.run(find_environment_names(session))
    except DevenvError:
        return []


def find_fault(session: Session) -> DevenvError | None:
    """What keeps the files of the checkout that one is in from loading; None where they do."""
    try:
        session.project  # noqa: B018, a property that loads
    except DevenvError as error:
        return error
    return None


def _why_gone(
    one: KnownEnvironment,
    branches: frozenset[str] | None,
    worktrees: frozenset[str] | None,
) -> str | None:
    """Why an environment can go; None where it is in use, or git cannot say."""
    if one.kind == "branch" and branches is not None and one.branch is not None:
        return None if one.branch in branches else f"branch {one.branch} is gone"
    if one.kind == "worktree" and worktrees is not None and one.worktree is not None:
        is_there = one.worktree in worktrees
        return None if is_there else f"worktree {one.directory or one.worktree} is gone"
    return None


def print_environments(session: Session, form: str) -> int:
    """All of them, the current one marked; also where the files of this checkout do not load."""
    rows = load_rows(session, warn=print_note)
    fault = find_fault(session)
    if fault is not None:
        print_note("These are known; the files of this checkout do not load:")
        print_error(fault)
    if form == "json":
        print_json([_to_json(row) for row in rows])
        return ExitCode.GOOD
    if not rows:
        print_text("This repository has no environment yet: devenv up makes one.\n")
        return ExitCode.GOOD
    now = time.time()
    table: list[tuple[str, ...]] = [
        (
            "*" if row.is_current else "",
            row.known.name,
            "(shared by all)" if row.known.kind == SHARED else row.known.branch or "",
            row.known.profile or "",
            row.state,
            render_duration(now - row.known.made_at) if row.known.made_at else "",
            render_bytes(row.size_bytes) if row.size_bytes is not None else "?",
            f"{row.known.directory}{f' ({row.gone})' if row.gone else ''}",
        )
        for row in rows
    ]
    head = ("", "ENVIRONMENT", "BRANCH", "PROFILE", "STATE", "AGE", "DATA", "DIRECTORY")
    if sys.stdout.isatty():
        columns = shutil.get_terminal_size().columns
        table = fit_rows(head, [tuple(map(sanitize, row)) for row in table], columns, _LEAST)
    print_text(sanitize(render_table(head, table)))
    if any(row.gone for row in rows):
        print_note("devenv gc removes those whose branch or worktree is gone.")
    return ExitCode.GOOD


def _to_json(row: EnvironmentRow) -> dict[str, Any]:
    known = row.known
    return {
        "environment": known.name,
        "kind": known.kind,
        "branch": known.branch,
        "profile": known.profile,
        "directory": known.directory,
        "current": row.is_current,
        "running": row.running,
        "containers": row.containers,
        "addresses": [{"service": service, "address": to} for service, to in row.addresses],
        "ports": list(known.published),
        "port_offset": known.offset,
        "made_at": known.made_at or None,
        "volumes": [{"name": name, "size_bytes": size} for name, size in row.volumes],
        "gone": row.gone,
    }


def collect_garbage(session: Session, *, yes: bool, dry_run: bool, form: str) -> int:
    """Remove the environments whose branch or worktree is gone, after showing what goes.

    Raises UsageError where there is no terminal to ask at and `yes` was not given.
    """
    rows = [r for r in load_rows(session, warn=print_note) if r.gone and not r.is_current]
    if form == "json":
        print_json([_to_json(row) for row in rows])
    elif not rows:
        print_text("Nothing to remove: each environment's branch or worktree is there.\n")
    for row in rows if form == "text" else ():
        print_text(sanitize(_plan_line(row)))
    if not rows or dry_run:
        return ExitCode.GOOD
    if not yes and not _ask_to_remove(rows):
        print_note("Nothing was removed.")
        return ExitCode.FAILED
    for row in rows:
        remove_environment(session, row.known.name)
        with open_memory(paths.state_directory(session.environ), print_note) as memory:
            forget_environment(memory, row.known.name)
        _remove_override(session, row.known.name)
        print_note(sanitize(f"{row.known.name}: removed"))
    return ExitCode.GOOD


def _plan_line(row: EnvironmentRow) -> str:
    volumes = ", ".join(
        f"{name} ({render_bytes(size) if size is not None else '?'})" for name, size in row.volumes
    )
    data = f"; its data is lost: {volumes}" if volumes else ""
    count = f"{row.containers} container{'' if row.containers == 1 else 's'}"
    return f"remove {row.known.name}: {row.gone}; {count}{data}\n"


def _ask_to_remove(rows: Iterable[EnvironmentRow]) -> bool:
    if not sys.stdin.isatty():
        raise UsageError(
            "gc deletes data and there is no terminal to ask at.", fix="devenv gc --yes"
        )
    count = len(list(rows))
    sys.stderr.write(f"Remove {count} environment{'' if count == 1 else 's'}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _remove_override(session: Session, name: str) -> None:
    directory = paths.state_directory(session.environ) / "environments" / name
    shutil.rmtree(directory, ignore_errors=True)
