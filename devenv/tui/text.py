"""Rows and words of the UI as rich Text, from values. Pure, and never parses markup."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text

from devenv.compose.names import ServiceName
from devenv.state.containers import PublishedPort
from devenv.state.hooks import find_failed, find_running
from devenv.state.model import (
    BROKEN,
    GLYPHS,
    READY,
    EngineStatus,
    Environment,
    OperationKind,
    Problem,
    ServiceState,
    ServiceStatus,
    State,
)
from devenv.state.text import sanitize

_TOAST = 110
"""Characters of a toast about another environment: two lines."""
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
    """Binary units, at most five characters wide: `82M`, `1.2G`, `120G`."""
    for unit, letter in ((1 << 40, "T"), (1 << 30, "G")):
        if size >= unit:
            count = size / unit
            return f"{count:.1f}{letter}" if count < 100 else f"{size // unit}{letter}"
    return f"{size >> 20}M" if size >= 1 << 20 else f"{size >> 10}K"


def render_address(port: PublishedPort) -> str:
    """`localhost:3000` for ports published on all addresses or the loopback."""
    return port.address


def first_url(service: ServiceState) -> str | None:
    """The URL of a service's first published TCP port; rather of one that a browser can show."""
    tcp = [port for port in service.ports if port.protocol == "tcp"]
    return min(tcp, key=lambda port: not port.is_web).url if tcp else None


def render_problem(problem: Problem, subject: str = "") -> Text:
    """What happened, where, the lines that show it, and the fix; `subject` is left out where the
    text names it."""
    text = Text()
    text.append("✗ ", "bold red")
    where = problem.where or ("" if subject in problem.message else subject)
    if where:
        text.append(f"{sanitize(where)}: ", "bold")
    text.append(sanitize(problem.message))
    for line in problem.excerpt:
        text.append(f"\n  {sanitize(line)}", "dim")
    if problem.fix:
        text.append("\n  fix: ", "green")
        text.append(sanitize(problem.fix))
    return text


def render_toast(problem: Problem, name: str) -> str:
    """One or two lines that cover little of the screen: which environment, and what is wrong; the
    Environments screen shows the rest."""
    message = sanitize(problem.message).replace("\n", " ")
    words = message if name in message else f"{sanitize(name)}: {message}"
    return f"✗ {words}" if len(words) <= _TOAST else f"✗ {words[: _TOAST - 1]}… (A shows all)"


def render_header(state: State, width: int, chosen: ServiceName | None = None) -> Text:
    """Where we are, and the counts at the right.

    Where it is narrow the left side gives way, in this order: the engine, all addresses but the
    first, what has an environment of its own, the last address, the name. Branch and profile stay,
    cut at the end.
    """
    environment = state.environment
    branch, profile = environment.branch, environment.profile or "no profile"
    addresses = _addresses(state, chosen)
    more = f" +{len(addresses) - 1}" if len(addresses) > 1 else ""
    name, where = environment.name, f"{branch} → {profile}" if branch else profile
    own = _isolation_words(environment)
    engine = f"{environment.context} engine {_engine_words(state)}"
    first = f"{addresses[0]}{more}" if addresses else ""
    forms = (
        (name, where, own, "  ".join(addresses), engine),
        (name, where, own, "  ".join(addresses)),
        (name, where, own, first),
        (name, where, first),
        (name, where),
        (where,),
    )
    known = state.project.services if state.project is not None else None
    counted = [s.status for s in state.services if known is None or s.name in known]
    good = sum(1 for status in counted if status in READY)
    broken = sum(1 for status in counted if status in BROKEN)
    moving = sum(1 for status in counted if status in _MOVING)
    counts = f"✓ {good}  ◐ {moving}  ✗ {broken}"
    errors, warnings = _count_findings(state)
    if errors or warnings:
        counts += f"  ⚠ {errors + warnings} {'check' if errors + warnings == 1 else 'checks'}"
    room = max(0, width - len(counts) - 2)
    shown = [_join(parts) for parts in forms]
    text = next((one for one in shown if one.cell_len <= room), shown[-1])
    text.truncate(room, overflow="ellipsis", pad=True)
    text.append(" ")
    text.append(f"✓ {good}", "green" if good else "not bold dim")
    text.append(f"  ◐ {moving}", "yellow" if moving else "not bold dim")
    text.append(f"  ✗ {broken}", "red" if broken else "not bold dim")
    if errors or warnings:
        word = "check" if errors + warnings == 1 else "checks"
        text.append(f"  ⚠ {errors + warnings} {word}", "red" if errors else "yellow")
    return text


def _join(parts: Iterable[str]) -> Text:
    words = sanitize(" · ".join(part for part in parts if part)).replace("\n", " ")
    return Text(f" {words}", style="bold", no_wrap=True)


def _isolation_words(environment: Environment) -> str:
    """Such as `branch's own, ports +100`; empty for the plain environment."""
    if not environment.isolation:
        return ""
    offset = environment.port_offset
    return f"{environment.isolation}'s own{f', ports +{offset}' if offset else ''}"


def _addresses(state: State, chosen: ServiceName | None) -> list[str]:
    """Service and address of each TCP port that the chosen service, or any, publishes."""
    return [
        f"{service.name} {render_address(port)}"
        for service in state.services
        if chosen in (None, service.name)
        for port in service.ports
        if port.protocol == "tcp"
    ]


def _count_findings(state: State) -> tuple[int, int]:
    """Errors and warnings of the checks."""
    if state.checks is None:
        return 0, 0
    from devenv.checks.finding import Severity  # after the first frame

    result = state.checks.result
    return result.count(Severity.ERROR), result.count(Severity.WARNING)


def _engine_words(state: State) -> str:
    if state.engine is EngineStatus.CONNECTED:
        return state.engine_version
    return "lost" if state.engine is EngineStatus.LOST else "…"


_MOVING = (
    ServiceStatus.STARTING,
    ServiceStatus.BUILDING,
    ServiceStatus.WAITING,
    ServiceStatus.RESTARTING,
)


def render_status_line(state: State, now: float, width: int) -> Text:
    """What is under way, or what went wrong last."""
    operation = state.operation
    if (hook := _render_hook(state, now, width)) is not None:
        return hook
    if state.snapshot is not None and not state.snapshot.finished:
        from devenv.tui.snapshots import render_work

        return render_work(state.snapshot, width)
    if not state.busy and state.watch is not None:
        from devenv.tui.watch_text import render_watch_line

        line = render_watch_line(state, now, width)
        if line is not None:
            return line
    if state.model_changed and not state.busy and state.model_problem is None:
        return Text(" ● The files say something else than what runs: u applies it.", "yellow")
    if operation is None:
        if state.project is None and state.model_problem is None:
            return Text(" reading the Compose files …", style="dim")
        return Text("")
    words = operation.kind.value
    if operation.services:
        words += " " + ", ".join(operation.services)
    if not operation.finished:
        steps = [f"building {name}, {step}" for name, step in state.building.items()]
        if not steps and operation.kind not in (OperationKind.STOP, OperationKind.DOWN):
            steps += [f"{s.name} {s.hold.reason}" for s in state.services if s.hold]
        if operation.waiting:
            steps = [operation.waiting]
        what = f": {'; '.join(steps)}" if steps else ""
        text = Text(no_wrap=True).append(" ◐ ", "yellow")
        text.append(sanitize(f"{words}{what}").replace("\n", " "))
        text.truncate(max(10, width - 20), overflow="ellipsis")
        return text.append(f" · {render_seconds(now - operation.started_at)} · x cancels", "dim")
    if operation.problem is not None:
        problem = sanitize(operation.problem.message).replace("\n", " ")
        return Text(no_wrap=True).append(f" ✗ {sanitize(words)}: {problem}", "bold red")
    moving = [service for service in state.services if service.status in _MOVING]
    if moving and operation.kind not in (OperationKind.STOP, OperationKind.DOWN):
        waits = "; ".join(f"{s.name} {s.detail or s.status.value}" for s in moving)
        return Text(f" ◐ {sanitize(words)}: {sanitize(waits)}", "yellow", no_wrap=True)
    text = Text(no_wrap=True, overflow="ellipsis").append(f" ✓ {sanitize(words)} is done", "green")
    if operation.kind is OperationKind.UP:
        text.append(_ready_words(state, now))
    return text


def _ready_words(state: State, now: float) -> str:
    """Such as ` · ready in 41.0 s: http://localhost:3000`; empty where nothing was started."""
    from devenv.state.start_seen import StartOutcome

    if state.start is None or state.start.outcome is not StartOutcome.READY:
        return ""
    from devenv.state.timeline import resolve_timeline
    from devenv.state.timeline_words import render_outcome

    timeline = resolve_timeline(state, now)
    if timeline is None or not timeline.started_any:
        return ""
    urls = [url for service in state.services if (url := first_url(service)) is not None]
    more = f" (+{len(urls) - 1}, o opens one)" if len(urls) > 1 else ""
    return sanitize(f" · {render_outcome(timeline)}{f': {urls[0]}{more}' if urls else ''}")


def _render_hook(state: State, now: float, width: int) -> Text | None:
    """The hook that runs, or that failed; None where neither is to be said."""
    running, failed = find_running(state.hooks), find_failed(state.hooks)
    if running is not None:
        seconds = render_seconds(now - (running.started_at or now))
        text = Text(no_wrap=True).append(" ◐ ", "yellow").append(sanitize(running.label))
        text.truncate(max(10, width - 20), overflow="ellipsis")
        return text.append(f" · {seconds} · x cancels", "dim")
    if failed is None or state.busy:
        return None
    text = Text(f" ✗ {sanitize(failed.label)}", "bold red", no_wrap=True)
    ends = f": {sanitize(failed.detail)} · H runs it again"
    text.truncate(max(10, width - len(ends)), overflow="ellipsis")
    return text.append(ends)


def render_seconds(seconds: float) -> str:
    """`3 s`, or `2 min 5 s`."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
