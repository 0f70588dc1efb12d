"""The environment that a checkout belongs to: its name, its ports, and the override for both.

From the settings, git and the base model to an `Isolated`; the override file is written into the
state directory, since Compose reads files. Nothing of the repository is changed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from devenv.cli.session import Session, default_project_name
from devenv.compose.isolation import (
    LABEL_BRANCH,
    LABEL_OFFSET,
    LABEL_REPOSITORY,
    LABEL_WORKTREE,
    Checkout,
    choose_offset,
    port_variables,
    published_ports,
    render_override,
    resolve_key,
    resolve_name,
)
from devenv.compose.model import Project
from devenv.compose.names import EnvironmentName
from devenv.engine.containers import LABEL_DIRECTORY
from devenv.errors import ConfigError, DevenvError, PlanRefused
from devenv.host import paths
from devenv.host.environments import (
    PLAIN,
    KnownEnvironment,
    load_environment,
    load_environments,
    remember_environment,
)
from devenv.host.memory import open_existing, open_memory
from devenv.host.ports import find_listener
from devenv.values import dataclass


@dataclass(frozen=True, slots=True)
class Isolated:
    """An environment beside the plain one."""

    name: EnvironmentName
    override: Path | None
    """The generated override file; None where only the name differs."""
    offset: int | None = None
    variables: Mapping[str, str] | None = None
    """`DEVENV_PORT_…`, for files and hooks that need an address."""


def resolve_base_name(session: Session, project: Project) -> EnvironmentName:
    """The name of the repository's plain environment.

    In a linked worktree Compose takes the worktree's directory for the name where nothing sets
    one; the repository's environments are named after the main checkout's.
    """
    files = session.files
    git = files.git
    if git is None or not git.is_worktree:
        return project.name
    if project.name != default_project_name(files.directory, {}):
        return project.name
    try:
        inside = files.directory.relative_to(git.root)
    except ValueError:
        return project.name
    if git.common_dir.name != ".git":  # a bare repository has no checkout of its own
        main = git.common_dir.with_name(git.common_dir.name.removesuffix(".git") or "main")
    else:
        main = git.common_dir.parent
    return default_project_name(main / inside, {})


def repository_of(session: Session) -> str:
    """What all environments of a repository have in common."""
    git = session.files.git
    return str(git.common_dir if git is not None else session.files.directory)


def resolve_isolated(session: Session) -> Isolated | None:
    """The environment of this checkout where it is not the plain one of its own directory.

    Raises ConfigError without git where isolation is asked for, DevenvError where the override
    cannot be written or no ports are free.
    """
    files = session.files
    isolation = files.settings.isolation
    if isolation.mode == "none":
        return None
    git = files.git
    if git is None:
        raise ConfigError(
            f"[isolation] mode = {isolation.mode!r} needs git, and {files.directory} is in no "
            "repository.",
            source=files.settings.source("isolation", "mode"),
            fix='git init, or mode = "none"',
        )
    base = session.base_project
    checkout = Checkout(git.effective_branch, git.worktree_name)
    key = resolve_key(isolation.mode, checkout, files.settings.default_branch)
    name = resolve_name(resolve_base_name(session, base), key)
    if key is None:
        return Isolated(name, None) if name != base.name else None
    offset = _find_offset(session, base, name) if isolation.ports == "offset" else None
    labels = {LABEL_REPOSITORY: repository_of(session)}
    if isolation.mode == "branch" and git.effective_branch is not None:
        labels[LABEL_BRANCH] = git.effective_branch
    if isolation.mode == "worktree" and git.worktree_name is not None:
        labels[LABEL_WORKTREE] = git.worktree_name
    if offset is not None:
        labels[LABEL_OFFSET] = str(offset)
    text = render_override(base, labels=labels, offset=offset)
    override = _write_override(session, name, text)
    variables = port_variables(base, offset) if offset is not None else {}
    return Isolated(name, override, offset, variables)


def _find_offset(session: Session, base: Project, name: EnvironmentName) -> int | None:
    """The environment's block of ports: the one it has, else a free one."""
    ports = published_ports(base)
    taken: set[int] = set()
    with open_existing(paths.state_directory(session.environ)) as memory:
        known = load_environment(memory, name)
        for other in load_environments(memory):
            if other.name != name:
                taken.update(other.published)
    if known is not None and known.offset is not None:
        if not taken.intersection(port + known.offset for port in ports):
            return known.offset
    elif (offset := _load_offset_label(session, name)) is not None:
        return offset
    try:
        return choose_offset(ports, taken, lambda port: find_listener(port) is not None)
    except ValueError:
        raise DevenvError(
            f"No block of ports is free for {name}.",
            fix="devenv gc removes environments whose branch or worktree is gone",
        ) from None


def _load_offset_label(session: Session, name: EnvironmentName) -> int | None:
    """What the environment's containers say, where the memory knows nothing of it."""
    from devenv.engine.facts import load_project_labels

    with contextlib.suppress(DevenvError, ValueError):
        labels = load_project_labels(session.endpoint, name)
        return int(labels[LABEL_OFFSET]) if LABEL_OFFSET in labels else None
    return None


def _write_override(session: Session, name: EnvironmentName, text: str) -> Path:
    profile = session.files.choice.name or "_"
    directory = paths.state_directory(session.environ) / "environments" / name
    file = directory / f"{profile}.compose.yaml"
    try:
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            return file
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        part.replace(file)
    except OSError as error:
        raise DevenvError(
            f"The override of environment {name} cannot be written to {file}: {error.strerror}.",
            fix="make the directory writable, or set XDG_STATE_HOME to one that is",
        ) from None
    return file


async def refuse_foreign(session: Session, project: Project) -> None:
    """Raise PlanRefused where the name's containers were started from another directory.

    Compose takes two checkouts of one directory name for one project, and recreates the
    containers of the first with the files of the second. An environment of a branch may move from
    one worktree to another: git has the branch in one of them only.
    """
    if session.files.settings.isolation.mode == "branch":
        return
    own = session.files.directory
    for container in await session.client.containers(project.name):
        other = Path((container.get("Labels") or {}).get(LABEL_DIRECTORY) or own)
        if _is_another(own, other):
            raise PlanRefused(
                f"{project.name} is also the name of what {other} has started, and its "
                "containers would be replaced. Nothing was started.",
                fix='keep them apart with [isolation] mode = "worktree" in devenv.toml, or with '
                f"COMPOSE_PROJECT_NAME; or end the other one: devenv -C {other} down",
            )


def _is_another(own: Path, other: Path) -> bool:
    """Whether `other` is a directory, and not `own` under another name."""
    try:
        return other.is_dir() and not other.samefile(own)
    except OSError:
        return False


def remember(session: Session, project: Project) -> KnownEnvironment:
    """Keep what is about to be started in the memory; without one, labels have to do."""
    files = session.files
    isolated = session.isolated
    is_plain = isolated is None or isolated.override is None
    known = KnownEnvironment(
        name=project.name,
        repository=repository_of(session),
        directory=str(files.directory),
        branch=files.git.effective_branch if files.git else None,
        profile=files.choice.name,
        offset=isolated.offset if isolated is not None else None,
        published=published_ports(project),
        kind=PLAIN if is_plain else files.settings.isolation.mode,
        worktree=files.git.worktree_name if files.git else None,
    )
    with open_memory(paths.state_directory(session.environ), lambda _: None) as memory:
        remember_environment(memory, known)
    return known
