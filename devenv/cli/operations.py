"""`down`, `stop`, `start`, `restart`: one Compose command each, also where no file loads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any

from devenv.cli.environment_names import find_environment_names
from devenv.cli.exclusive import hold_environment
from devenv.cli.hook_failures import forget_failure
from devenv.cli.hook_once import run_before_down
from devenv.cli.output import print_json, print_note
from devenv.cli.session import Session, resolve_service_name
from devenv.cli.shared import ensure_shared, find_used, release_shared
from devenv.cli.shared_look import find_shared
from devenv.cli.volume_recovery import recover_volumes
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.engine.compose import Selection, plain_environ
from devenv.engine.containers_now import observe_once
from devenv.engine.errors import classify_compose_failure
from devenv.engine.process import run_process
from devenv.engine.volumes import VolumeError
from devenv.errors import DevenvError, EngineUnavailable, ExitCode, UsageError
from devenv.state.containers import Container
from devenv.state.text import sanitize

LIMIT_SECONDS = 900.0


def run_compose_operation(
    session: Session,
    verb: str,
    services: Sequence[str],
    *,
    options: Sequence[str] = (),
    result_format: str = "text",
) -> int:
    """Run `docker compose VERB` on the environment that the containers themselves belong to.

    Only the project name is given, no files: so it reaches every service that any profile ever
    started, and works where a Compose file or `.env` no longer loads.
    """
    return asyncio.run(_run(session, verb, services, options, result_format))


async def _run(
    session: Session, verb: str, services: Sequence[str], options: Sequence[str], form: str
) -> int:
    await session.client.ping()
    names = await find_environment_names(session, guess=verb == "down")
    touched: list[Container] = []
    results: list[dict[str, Any]] = []
    for name in names:
        containers = await observe_once(session.client, name)
        known = {container.service for container in containers}
        await _refuse_shared(session, services, known)
        wanted = [resolve_service_name(service, known) for service in services]
        if not containers and verb != "down":
            continue
        used = await find_used(session, name)
        if verb in ("start", "restart") and used:
            await ensure_shared(session, name, print_note)
        if verb == "down":
            running = any(container.state == "running" for container in containers)
            async with hold_environment(session, name, verb, _say_waiting):
                await run_before_down(session, name, has_running=running)
        touched += [c for c in containers if not wanted or c.service in wanted]
        await _run_by_name(session, name, verb, wanted, options)
        if verb == "down":
            forget_failure(session, name)
        if verb in ("stop", "down"):
            await release_shared(session, name, used, print_note, removed=verb == "down")
    after = [c for name in names for c in await observe_once(session.client, name)]
    left = {container.id: container for container in after}
    for container in touched:
        now = left.get(container.id)
        results.append(
            {
                "service": container.service,
                "container": container.name,
                "state": now.state if now else "removed",
            }
        )
    if form == "json":
        print_json({"environments": list(names), "containers": results})
        return ExitCode.GOOD
    for result in results:
        print_note(sanitize(f"{result['service']}: {result['state']}"))
    if not results and verb == "down":
        volumes = " and volumes" if "--volumes" in options else ""
        print_note(f"{', '.join(names)}: no container was left; networks{volumes} are removed.")
    elif not results:
        print_note(f"{', '.join(names)}: there is no container to {verb}.")
        if verb == "start":
            print_note("  devenv up   makes them")
            return ExitCode.FAILED
    return ExitCode.GOOD


async def _refuse_shared(
    session: Session, services: Sequence[str], known: Collection[ServiceName]
) -> None:
    """Raises UsageError for a service that runs in the environment of all."""
    shared = await asyncio.to_thread(find_shared, session) if services else None
    mine = shared.services if shared is not None else ()
    named = next((one for one in services if one in mine and one not in known), None)
    if named is not None and shared is not None:
        raise UsageError(
            f"{named} is shared by all environments, and stops with the last of them.",
            fix=f"for all of them at once: docker compose -p {shared.name} restart {named}",
        )


def remove_environment(session: Session, name: EnvironmentName) -> None:
    """Containers, networks, volumes and the images that were built for it alone."""
    options = ("--volumes", "--remove-orphans", "--rmi", "local")

    async def remove() -> None:
        used = await find_used(session, name)
        await _run_by_name(session, name, "down", (), options)
        await release_shared(session, name, used, print_note, removed=True)

    asyncio.run(remove())


async def operate_environment(
    session: Session, name: EnvironmentName, verb: str, note: Callable[[str], None]
) -> None:
    """`start` or `stop` all of an environment by its name, whatever directory it belongs to; what
    else there is to say goes to `note`. Raises what it fails with."""
    used = await find_used(session, name)
    await _run_by_name(session, name, verb, (), (), note)
    if verb == "stop":
        await release_shared(session, name, used, note, removed=False)


def release_services(session: Session, name: EnvironmentName) -> None:
    """Stop what an environment shared and nobody uses any more; it was stopped before."""
    asyncio.run(release_left(session, name, print_note))


async def release_left(
    session: Session, name: EnvironmentName, note: Callable[[str], None]
) -> None:
    """As `release_services`, beside what else goes on; `note` is told what is stopped.

    Raises EngineUnavailable, and what Compose says.
    """
    used = await find_used(session, name)
    await release_shared(session, name, used, note, removed=False)


def stop_services(session: Session, name: EnvironmentName, services: Sequence[ServiceName]) -> None:
    """Stop these services of an environment; all of them where none is named."""
    asyncio.run(_run_by_name(session, name, "stop", services, ()))


def start_services(
    session: Session, name: EnvironmentName, services: Sequence[ServiceName]
) -> None:
    """Start the containers that there are of these services."""
    asyncio.run(_run_by_name(session, name, "start", services, ()))


async def _run_by_name(
    session: Session,
    name: EnvironmentName,
    verb: str,
    services: Sequence[ServiceName],
    options: Sequence[str],
    note: Callable[[str], None] = print_note,
) -> None:
    async def say(words: str) -> None:
        note(sanitize(words))

    selection = Selection(directory=session.start, name=name)
    environ = plain_environ(selection.environ(session.environ))
    argv = session.compose.argv(
        "--project-name",
        name,
        "--env-file",
        "/dev/null",
        "--progress",
        "quiet",
        verb,
        *options,
        *services,
    )
    # Compose looks for files from the working directory upwards: in / it finds none, and takes
    # services, networks and volumes from the labels on the engine.
    async with hold_environment(session, name, verb, say):
        try:
            await recover_volumes(session.client, name, say)
        except VolumeError as error:
            if verb != "down":
                raise
            note(sanitize(error.message))  # the next start completes it
        completed = await run_process(argv, env=environ, cwd="/", timeout_seconds=LIMIT_SECONDS)
    if completed.returncode != 0:
        shown = ("docker", "compose", *argv[1:])
        raise classify_compose_failure(shown, completed.returncode, completed.stderr)


async def _say_waiting(words: str) -> None:
    print_note(sanitize(words))


def model_services(session: Session) -> list[ServiceName]:
    """The model's services, or none where it does not load."""
    try:
        return sorted(session.project.services)
    except EngineUnavailable:
        raise
    except DevenvError:
        return []
