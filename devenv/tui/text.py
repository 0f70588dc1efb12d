"""Rows and words of the UI as rich Text, from values. Pure, and never parses markup."""

from __future__ import annotations

from rich.text import Text

from devenv.state.model import (
    BROKEN,
    GLYPHS,
    Problem,
    PublishedPort,
    ServiceState,
    ServiceStatus,
    State,
)
from devenv.state.text import sanitize

SERVICE_STYLES = ("cyan", "green", "yellow", "blue", "magenta", "bright_cyan", "bright_green")
_STATUS_STYLES = {
    ServiceStatus.HEALTHY: "green",
    ServiceStatus.RUNNING: "green",
    ServiceStatus.COMPLETED: "green",
    ServiceStatus.STARTING: "yellow",
    ServiceStatus.BUILDING: "yellow",
    ServiceStatus.WAITING: "yellow",
    ServiceStatus.RESTARTING: "yellow",
    ServiceStatus.FAILED: "bold red",
    ServiceStatus.UNHEALTHY: "bold red",
    ServiceStatus.STOPPED: "dim",
    ServiceStatus.UNSELECTED: "dim",
    ServiceStatus.PAUSED: "yellow",
}


def render_status(service: ServiceState) -> Text:
    """Glyph and word in the status's colour."""
    return Text(
        f"{GLYPHS[service.status]} {service.status.value}", style=_STATUS_STYLES[service.status]
    )


def render_duration(seconds: float) -> str:
    """One unit, at most four characters wide: `42s`, `3m`, `2h`, `5d`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(0, int(seconds))}s"


def render_bytes(size: int) -> str:
    """Binary units, at most five characters wide: `82M`, `1.2G`."""
    if size >= 1 << 30:
        return f"{size / (1 << 30):.1f}G"
    return f"{size >> 20}M" if size >= 1 << 20 else f"{size >> 10}K"


def render_address(port: PublishedPort) -> str:
    """`localhost:3000` for ports published on all addresses or the loopback."""
    host = "localhost" if port.host_ip in ("0.0.0.0", "::", "127.0.0.1", "::1") else port.host_ip
    return f"{host}:{port.host_port}"


def first_url(service: ServiceState) -> str | None:
    """The URL of a service's first published TCP port."""
    tcp = [port for port in service.ports if port.protocol == "tcp"]
    return f"http://{render_address(tcp[0])}" if tcp else None


def render_problem(problem: Problem) -> Text:
    """What happened, where, the lines that show it, and the fix."""
    text = Text()
    text.append("✗ ", "bold red")
    if problem.where:
        text.append(f"{sanitize(problem.where)}: ", "bold")
    text.append(sanitize(problem.message))
    for line in problem.excerpt:
        text.append(f"\n  {sanitize(line)}", "dim")
    if problem.fix:
        text.append("\n  fix: ", "green")
        text.append(sanitize(problem.fix))
    return text


def render_header(state: State, width: int) -> Text:
    """Where we are, and the counts at the right; the left side gives way first."""
    environment = state.environment
    parts = [str(environment.name)]
    if environment.branch:
        parts.append(environment.branch)
    parts.append(environment.profile or "no profile")
    parts.append(f"{environment.context} engine {state.engine_version or state.engine.value}")
    good = sum(1 for s in state.services if s.status in _GOOD)
    broken = sum(1 for s in state.services if s.status in BROKEN)
    moving = sum(1 for s in state.services if s.status in _MOVING)
    counts = f"✓ {good}  ◐ {moving}  ✗ {broken}"
    left = sanitize(" · ".join(parts))
    room = width - len(counts) - 3
    if len(left) > room:
        left = left[: max(0, room - 1)] + "…"
    text = Text(f" {left}", style="bold")
    text.append(" " * max(1, width - len(left) - len(counts) - 2))
    text.append(counts)
    return text


_GOOD = (ServiceStatus.HEALTHY, ServiceStatus.RUNNING, ServiceStatus.COMPLETED)
_MOVING = (
    ServiceStatus.STARTING,
    ServiceStatus.BUILDING,
    ServiceStatus.WAITING,
    ServiceStatus.RESTARTING,
)


def render_status_line(state: State, now: float) -> Text:
    """What is under way, or what went wrong last."""
    operation = state.operation
    if operation is None:
        if state.project is None and state.model_problem is None:
            return Text(" reading the Compose files …", style="dim")
        return Text("")
    seconds = render_duration(now - operation.started_at)
    if not operation.finished:
        building = ", ".join(f"{name} {step}" for name, step in state.building.items())
        holds = ", ".join(f"{s.name} {s.hold.reason}" for s in state.services if s.hold)
        what = f"building {building}" if building else holds
        return Text(sanitize(f" {operation.kind.value} · {what + ' · ' if what else ''}{seconds}"))
    if operation.problem is not None:
        return Text(f" ✗ {sanitize(operation.problem.message)}", style="bold red")
    return Text(f" ✓ {operation.kind.value} is done", style="green")
