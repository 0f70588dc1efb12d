"""`ps`, `port` and `open`: the services as they are on the engine now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from devenv.cli.environment_names import find_environment_names
from devenv.cli.output import paint, print_json, print_note, print_text
from devenv.cli.session import Session, resolve_service_name
from devenv.cli.shared_look import find_shared, observe_shared
from devenv.compose.names import EnvironmentName
from devenv.engine.containers_now import observe_once
from devenv.errors import DevenvError, EngineUnavailable, ExitCode, UsageError
from devenv.report.tables import render_duration, render_table
from devenv.state.containers import PublishedPort
from devenv.state.drift import render_drift
from devenv.state.model import GLYPHS, Environment, ServiceState, State
from devenv.state.services import resolve_services
from devenv.state.text import sanitize
from devenv.values import replace

if TYPE_CHECKING:
    from devenv.cli.hook_failures import HookFailure


def load_services(session: Session) -> tuple[EnvironmentName, tuple[ServiceState, ...]]:
    """The environment's name and its services; without a model those that have containers.

    Raises EngineUnavailable.
    """

    async def observe() -> tuple[EnvironmentName, tuple[ServiceState, ...]]:
        await session.client.ping()
        name = (await find_environment_names(session))[0]
        containers = await observe_once(session.client, name)
        state = State(Environment(name, str(session.start)))
        state = replace(state, containers={c.id: c for c in containers})
        try:
            state = replace(
                state,
                project=session.project,
                environment=session.environment(session.project),
            )
            shared = await observe_shared(session, find_shared(session))
            everything = {**state.containers, **{c.id: c for c in shared}}
            state = replace(state, containers=everything)
            state = await asyncio.to_thread(_add_drift, session, state)
        except EngineUnavailable:
            raise
        except DevenvError as error:
            print_note(f"The Compose files do not load: {error.message} (devenv config says more)")
        return name, resolve_services(state)

    return asyncio.run(observe())


def print_services(session: Session, names: Sequence[str], form: str) -> int:
    """Print one row, or one JSON object, per service."""
    environment, services = load_services(session)
    if names:
        known = {service.name for service in services}
        wanted = {resolve_service_name(name, known) for name in names}
        services = tuple(service for service in services if service.name in wanted)
    failed = _load_failure(session, environment)
    if form == "json":
        print_json(
            {
                "environment": environment,
                "services": [_service_to_json(s) for s in services],
                "failed_hook": None
                if failed is None
                else {"event": failed.event, "run": failed.text, "message": failed.message},
            }
        )
        return ExitCode.GOOD
    now = time.time()
    rows = [
        (
            sanitize(service.name),
            f"{GLYPHS[service.status]} {service.status.value}",
            render_duration(now - service.started_at) if service.started_at else "",
            " ".join(_address(port) for port in service.ports),
            sanitize(" · ".join(filter(None, (service.detail, render_drift(service))))),
        )
        for service in services
    ]
    table = render_table(("SERVICE", "STATE", "UP", "ADDRESS", "DETAIL"), rows)
    head, _, rest = table.partition("\n")
    import sys

    print_text(paint(head, "bold", sys.stdout) + "\n" + rest)
    if failed is not None:
        print_note(sanitize(f"✗ {failed.message} devenv up runs it again."))
    return ExitCode.GOOD


def _add_drift(session: Session, state: State) -> State:
    if not state.containers:
        return state
    from devenv.cli.drift import add_drift

    return add_drift(session, state)


def _load_failure(session: Session, name: EnvironmentName) -> HookFailure | None:
    """The hook that failed last; not looked for where the files have no hooks, or do not load."""
    try:
        files = session.files
    except DevenvError:
        return None
    if not files.settings.hooks and not any(p.hooks for p in files.profiles.values()):
        return None
    from devenv.cli.hook_failures import load_failure

    return load_failure(session, name)


def _service_to_json(service: ServiceState) -> dict[str, Any]:
    return {
        "service": service.name,
        "status": service.status.value,
        "detail": service.detail,
        "stale": service.drift is not None,
        "differences": list(service.drift or ()),
        "ports": [
            {
                "host_ip": port.host_ip,
                "host_port": port.host_port,
                "target": port.target,
                "protocol": port.protocol,
            }
            for port in service.ports
        ],
        "containers": [
            {
                "id": container.id,
                "name": container.name,
                "state": container.state,
                "health": container.health.value,
                "exit_code": container.exit_code if container.state == "exited" else None,
                "image": container.image,
            }
            for container in service.containers
        ],
    }


def _address(port: PublishedPort) -> str:
    return port.address + ("" if port.protocol == "tcp" else f"/{port.protocol}")


def find_ports(
    session: Session, name: str | None, target: int | None
) -> list[tuple[str, PublishedPort]]:
    """Published ports, limited to a service and a container port. Raises UsageError for none."""
    _, services = load_services(session)
    if name is not None:
        wanted = resolve_service_name(name, {service.name for service in services})
        services = tuple(service for service in services if service.name == wanted)
    found = [
        (str(service.name), port)
        for service in services
        for port in service.ports
        if target is None or port.target == target
    ]
    if not found:
        raise _no_port(name, target, services)
    return found


def _no_port(name: str | None, target: int | None, services: Sequence[ServiceState]) -> UsageError:
    """Why there is no address: another port, none at all, or nothing runs."""
    others = sorted({port.target for service in services for port in service.ports})
    who = name or "any service"
    if others:
        shown = ", ".join(map(str, others))
        return UsageError(f"{who} does not publish port {target}.", fix=f"published: {shown}")
    running = {s.name for s in services if any(c.state == "running" for c in s.containers)}
    if running and len(running) < len(services):
        return UsageError(
            "No service that runs publishes a port.",
            fix="devenv ps shows which do not run",
        )
    if running:
        return UsageError(
            f"{name or 'Every service'} runs, but publishes no port.",
            fix="add `ports:` to the service to publish one",
        )
    return UsageError(
        f"{name or 'No service'} {'does not run' if name else 'runs'}.", fix="devenv up"
    )


def print_ports(session: Session, name: str | None, target: int | None, form: str) -> int:
    """Print addresses: bare where one service was asked for, so that scripts can use them."""
    found = find_ports(session, name, target)
    if form == "json":
        print_json(
            [
                {"service": service, "target": port.target, "address": _address(port)}
                for service, port in found
            ]
        )
    elif name is not None:
        print_text("".join(f"{_address(port)}\n" for _, port in found))
    else:
        rows = [(service, str(port.target), _address(port)) for service, port in found]
        print_text(render_table(("SERVICE", "PORT", "ADDRESS"), rows))
    return ExitCode.GOOD


def open_address(session: Session, name: str | None, target: int | None) -> int:
    """Open the first published TCP port in the browser; prints the address in any case."""
    import webbrowser

    found = [(s, p) for s, p in find_ports(session, name, target) if p.protocol == "tcp"]
    if not found:
        raise UsageError("Only UDP ports are published.")
    url = min((port for _, port in found), key=lambda port: not port.is_web).url
    print_text(url + "\n")
    if not webbrowser.open(url):
        print_note("No browser could be started here: open the address by hand.")
    return ExitCode.GOOD
