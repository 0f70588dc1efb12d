"""The environment that a checkout belongs to: its name, its ports, and the override for both.

From the settings, git and the base model to an `Isolated`; the override file is written into the
state directory, since Compose reads files. Nothing of the repository is changed.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from devenv.cli.environment_names import default_project_name
from devenv.cli.session import Session
from devenv.compose.isolation import (
    LABEL_BRANCH,
    LABEL_OFFSET,
    LABEL_REPOSITORY,
    LABEL_WORKTREE,
    Checkout,
    choose_offset,
    label_lines,
    port_variables,
    published_ports,
    render_override,
    resolve_key,
    resolve_name,
)
from devenv.compose.model import Project
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.compose.shared import (
    LABEL_USES,
    NotShareable,
    SharedPlan,
    plan_shared,
    render_network,
    render_user,
    shared_name,
)
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
from devenv.host.port_claims import claim_offset
from devenv.host.ports import find_listener
from devenv.host.state_files import write_override
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
    shared: SharedPlan | None = None
    """The services that it leaves to an environment of all; None: it uses none of them."""
    is_plain: bool = False
    """The repository's plain one, with an override for what it shares."""


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
    """What all environments of a repository have in common; in git also where no file loads."""
    git = session.git
    return str(git.common_dir if git is not None else session.files.directory)


def resolve_isolated(session: Session) -> Isolated | None:
    """The environment of this checkout where it is not the plain one of its own directory.

    Raises ConfigError without git where isolation is asked for, DevenvError where the override
    cannot be written or no ports are free.
    """
    files = session.files
    isolation = files.settings.isolation
    if isolation.mode == "none":
        if isolation.shared:
            raise ConfigError(
                "Services are shared between environments, and there is only one.",
                source=files.settings.source("isolation", "shared"),
                fix='[isolation] mode = "branch" or "worktree"',
            )
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
    base_name = resolve_base_name(session, base)
    name = resolve_name(base_name, key)
    shared = _plan_shared(session, base, base_name)
    if key is None and shared is None:
        return Isolated(name, None) if name != base.name else None
    offset = None
    labels: dict[str, str] = {}
    if key is not None:
        offset = _find_offset(session, base, name) if isolation.ports == "offset" else None
        labels[LABEL_REPOSITORY] = repository_of(session)
        if isolation.mode == "branch" and git.effective_branch is not None:
            labels[LABEL_BRANCH] = git.effective_branch
        if isolation.mode == "worktree" and git.worktree_name is not None:
            labels[LABEL_WORKTREE] = git.worktree_name
        if offset is not None:
            labels[LABEL_OFFSET] = str(offset)
        if shared is not None:
            labels[LABEL_USES] = shared.name
    text = _render(base, name, labels, offset, shared)
    override = _write_override(session, name, text)
    left_out = shared.services if shared is not None else ()
    variables = port_variables(base, offset, left_out) if offset is not None else {}
    return Isolated(name, override, offset, variables, shared, is_plain=key is None)


def _plan_shared(session: Session, base: Project, base_name: EnvironmentName) -> SharedPlan | None:
    """What this selection leaves to the environment of all. Raises ConfigError."""
    settings = session.files.settings
    wanted = settings.isolation.shared
    missing = [one for one in wanted if one not in base.services]
    if missing and (unknown := sorted(set(missing) - set(session.load_everything().services))):
        raise ConfigError(
            f"There is no service {unknown[0]!r} to share.",
            source=settings.source("isolation", "shared", wanted.index(unknown[0])),
            fix=f"known: {', '.join(sorted(base.services)) or 'none'}",
        )
    try:
        return plan_shared(base, wanted, shared_name(base_name))
    except NotShareable as error:
        raise ConfigError(
            str(error),
            source=settings.source("isolation", "shared", wanted.index(error.service)),
            fix="share both, or neither",
        ) from None


def _render(
    base: Project,
    name: EnvironmentName,
    labels: Mapping[str, str],
    offset: int | None,
    shared: SharedPlan | None,
) -> str:
    if shared is None:
        return render_override(base, labels=labels, offset=offset)
    plan = shared

    def more(service: ServiceName) -> Iterator[str]:
        if not labels and service in plan.users:
            yield from label_lines({LABEL_USES: plan.name})
        yield from render_user(base, plan, service)

    end = render_network(name) if plan.users else []
    return render_override(
        base, labels=labels, offset=offset, shared=plan.services, more=more, end=end
    )


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

    def choose(claimed: Collection[int]) -> int | None:
        return choose_offset(
            ports, {*taken, *claimed}, lambda port: find_listener(port) is not None
        )

    try:
        return claim_offset(
            paths.state_directory(session.environ),
            name,
            ports,
            choose,
            keep=not session.is_preview,
            now=time.time(),
        )
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
    place = paths.cache_directory if session.is_preview else paths.state_directory
    profile = session.files.choice.name or "_"
    return write_override(place(session.environ), name, f"{profile}.compose.yaml", text)


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
    is_plain = isolated is None or isolated.override is None or isolated.is_plain
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
