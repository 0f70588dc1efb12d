"""The services that all environments of a repository share: started for the first user, stopped
after the last.

They run in an environment of their own, from the files of whoever starts them. Each user gets a
network on which they have their usual names. What is in use is never recreated for another user.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

from devenv.cli.exclusive import hold_environment
from devenv.cli.isolation import repository_of
from devenv.cli.session import Session
from devenv.compose.isolation import LABEL_REPOSITORY
from devenv.compose.model import Condition, Project
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.compose.parse_config import parse_project
from devenv.compose.plan import Plan, Step
from devenv.compose.shared import (
    KIND,
    LABEL_USES,
    SharedPlan,
    render_shared_override,
    shared_network,
)
from devenv.engine.compose import Selection, plain_environ
from devenv.engine.containers import LABEL_PROJECT
from devenv.engine.containers_now import observe_once
from devenv.engine.effects import explain_failure
from devenv.engine.errors import classify_compose_failure
from devenv.engine.networks import ensure_network, join_network, remove_network
from devenv.engine.preflight import check_plan, load_plan
from devenv.engine.process import run_process
from devenv.errors import PlanRefused
from devenv.host import paths
from devenv.host.environments import KnownEnvironment, remember_environment
from devenv.host.memory import open_memory
from devenv.host.ports import find_listener
from devenv.host.state_files import write_override
from devenv.state.containers import Container
from devenv.state.services import is_met
from devenv.state.text import sanitize
from devenv.values import replace

READY_SECONDS = 600.0
STOP_SECONDS = 300.0
_POLL_SECONDS = 0.2

Note = Callable[[str], None]


def shared_selection(session: Session, plan: SharedPlan) -> Selection:
    """What Compose is given for the environment of the shared services; writes its override."""
    text = render_shared_override(session.base_project, plan, repository_of(session))
    override = write_override(
        paths.state_directory(session.environ), plan.name, "shared.compose.yaml", text
    )
    files = (*session.files.compose_files, override)
    return replace(session.unnamed_selection, name=plan.name, files=files)


async def ensure_shared(session: Session, name: EnvironmentName, note: Note) -> None:
    """See that what the environment `name` shares runs, is ready, and is found by its services.

    Raises PlanRefused, ComposeFileError, EngineUnavailable, or DevenvError where a service does
    not become ready.
    """
    isolated = await asyncio.to_thread(lambda: session.isolated)
    plan = isolated.shared if isolated is not None else None
    if plan is None:
        return

    async def tell(words: str) -> None:
        note(words)

    async with hold_environment(session, plan.name, "up", tell):
        selection = await asyncio.to_thread(shared_selection, session, plan)
        text = await asyncio.to_thread(
            session.compose_text, selection, "config", "--format", "json"
        )
        project = parse_project(text)
        wanted = await _plan_start(session, plan, selection, project, name, note)
        if wanted:
            note(f"starting {', '.join(wanted)} for all environments ({plan.name})")
            await _run(session, selection, "up", "--detach", *wanted)
        _remember(session, plan, project)
        containers = await _wait_ready(session, plan)
        await _stop_own(session, name, plan, note)
        if plan.users:
            network = shared_network(name)
            labels = {LABEL_USES: plan.name, LABEL_REPOSITORY: repository_of(session)}
            await ensure_network(session.client, network, labels)
            for container in containers:
                await join_network(session.client, network, container.id, container.service)


async def _plan_start(
    session: Session,
    plan: SharedPlan,
    selection: Selection,
    project: Project,
    name: EnvironmentName,
    note: Note,
) -> tuple[ServiceName, ...]:
    """The services that Compose is asked for. Raises PlanRefused where data would be lost."""
    text = await asyncio.to_thread(session.compose_text, selection, "config", "--hash", "*")
    pairs = (line.split() for line in text.splitlines())
    hashes = {ServiceName(pair[0]): pair[1] for pair in pairs if len(pair) == 2}
    found: Plan = await load_plan(
        session.client,
        project,
        hashes,
        only=plan.services,
        find_listener=find_listener if session.endpoint.is_local else None,
    )
    others = sorted(await find_users(session, plan.name) - {name})
    steps = {s.service: s.step for s in found.steps if s.step not in (Step.PULL, Step.BUILD)}
    wanted = tuple(one for one in found.services if steps.get(one) is not Step.KEEP)
    if others:
        stale = tuple(one for one in wanted if steps[one] is Step.RECREATE)
        if stale:
            note(
                sanitize(
                    f"{', '.join(stale)} goes on with its configuration, since "
                    f"{', '.join(others)} uses it too"
                )
            )
        wanted = tuple(one for one in wanted if one not in stale)
    if wanted:
        check_plan(found)
    return wanted


async def _stop_own(session: Session, name: EnvironmentName, plan: SharedPlan, note: Note) -> None:
    """Stop what an environment ran itself before it was shared: both would have one name."""
    for container in await observe_once(session.client, name):
        if container.service in plan.services and container.state in _ALIVE:
            note(sanitize(f"stopping {container.service} of {name}: it is shared now"))
            path = f"/containers/{container.id}/stop"
            await session.client.request("POST", path, timeout_seconds=STOP_SECONDS)


async def _run(session: Session, selection: Selection, *words: str) -> None:
    argv = session.compose.argv(*selection.arguments(), "--progress", "plain", *words)
    completed = await run_process(
        argv,
        env=selection.environ(session.environ),
        cwd=selection.directory,
        timeout_seconds=None,
    )
    if completed.returncode != 0:
        files = [str(file) for file in selection.files]
        shown = ("docker", "compose", *argv[1:])
        raise classify_compose_failure(shown, completed.returncode, completed.stderr, files=files)


async def _wait_ready(session: Session, plan: SharedPlan) -> list[Container]:
    """The containers, once each service meets what is asked of it."""
    from devenv.compose.model import Dependency

    deadline = time.monotonic() + READY_SECONDS
    while True:
        all_of = await observe_once(session.client, plan.name)
        mine = {one: [c for c in all_of if c.service == one] for one in plan.services}
        waits = [
            service
            for service, asked in plan.waits.items()
            if not is_met(Dependency(service, asked), mine[service])
        ]
        if not waits:
            return [c for containers in mine.values() for c in containers]
        for service in waits:
            for container in mine[service]:
                ended = container.state in ("exited", "dead")
                if container.health.value == "unhealthy" or (
                    ended
                    and (container.exit_code or plan.waits[service] is not Condition.COMPLETED)
                ):
                    problem = await explain_failure(session.client, service, container.id)
                    raise PlanRefused(
                        f"{service}, which all environments share, is not ready: "
                        f"{problem.message} Nothing was started.",
                        fix=problem.fix,
                        excerpt="\n".join(problem.excerpt),
                    )
        if time.monotonic() > deadline:
            raise PlanRefused(
                f"{', '.join(waits)}, which all environments share, is not ready after "
                f"{READY_SECONDS:g} s. Nothing was started.",
                fix=f"docker compose -p {plan.name} logs",
            )
        await asyncio.sleep(_POLL_SECONDS)


def _remember(session: Session, plan: SharedPlan, project: Project) -> None:
    """Keep the environment of the shared services: its ports are taken."""
    from devenv.compose.isolation import parse_published

    ports = {
        number
        for one in plan.services
        for port in project.services[one].ports
        for number in parse_published(port.published)
    }
    known = KnownEnvironment(
        name=plan.name,
        repository=repository_of(session),
        directory=str(session.files.directory),
        published=tuple(sorted(ports)),
        kind=KIND,
    )
    with open_memory(paths.state_directory(session.environ), lambda _: None) as memory:
        remember_environment(memory, known)


async def find_users(session: Session, name: EnvironmentName) -> frozenset[EnvironmentName]:
    """The environments in which a service runs that reaches what `name` shares."""
    found = set()
    for container in await session.client.containers(None):
        labels = container.get("Labels") or {}
        if labels.get(LABEL_USES) == name and container.get("State") in _ALIVE:
            found.add(EnvironmentName(labels.get(LABEL_PROJECT) or ""))
    return frozenset(found)


_ALIVE = ("running", "paused", "restarting")


async def find_used(session: Session, name: EnvironmentName) -> frozenset[EnvironmentName]:
    """The environments of shared services that the containers of `name` reach."""
    labels = [c.get("Labels") or {} for c in await session.client.containers(name)]
    return frozenset(EnvironmentName(one[LABEL_USES]) for one in labels if LABEL_USES in one)


async def release_shared(
    session: Session,
    name: EnvironmentName,
    used: Iterable[EnvironmentName],
    note: Note,
    *,
    removed: bool,
) -> None:
    """After an environment was stopped or `removed`: stop what nobody uses any more."""
    for shared in used:
        if removed:
            await remove_network(session.client, shared_network(name))
        if await find_users(session, shared):
            continue
        running = [c for c in await observe_once(session.client, shared) if c.state in _ALIVE]
        if not running:
            continue
        names = ", ".join(sorted({container.service for container in running}))
        note(sanitize(f"stopping {names} of {shared}: no environment uses it any more"))
        argv = session.compose.argv(
            "--project-name", shared, "--env-file", "/dev/null", "--progress", "quiet", "stop"
        )
        completed = await run_process(
            argv, env=plain_environ(session.environ), cwd="/", timeout_seconds=STOP_SECONDS
        )
        if completed.returncode != 0:
            shown = ("docker", "compose", *argv[1:])
            raise classify_compose_failure(shown, completed.returncode, completed.stderr)
