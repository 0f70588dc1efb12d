"""`devenv logs`: every line once, merged by time across services."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import select
import sys
import time
from datetime import datetime

from devenv.cli.output import print_note, uses_color
from devenv.cli.session import Session, find_environment_names, resolve_service_name
from devenv.compose.names import ServiceName
from devenv.compose.parse_config import parse_duration
from devenv.engine.api import EngineClient
from devenv.engine.containers_now import observe_once
from devenv.engine.observe import Observer
from devenv.errors import ExitCode, UsageError
from devenv.state.actions import EngineConnected, EngineLost
from devenv.state.logs import LogLine, LogStore
from devenv.state.model import Container
from devenv.state.text import sanitize

_POLL_SECONDS = 0.05


def parse_since(text: str, now: float) -> int:
    """Nanoseconds since the epoch for `10m` (ago) or an ISO 8601 time. Raises UsageError."""
    if re.fullmatch(r"(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d|w))+", text):
        return int((now - parse_duration(text)) * 1e9)
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1e9)
    except ValueError:
        raise UsageError(
            f"--since does not take {text!r}.", fix="give an age (10m, 2h) or 2026-01-31T12:00:00"
        ) from None


def print_logs(session: Session, arguments: argparse.Namespace) -> int:
    """Print what the containers said so far; with --follow go on until Ctrl-C."""
    since = parse_since(arguments.since, time.time()) if arguments.since else None
    if arguments.tail is not None and arguments.tail < 0:
        raise UsageError("-n (--tail) takes a number from 0 up.")
    return asyncio.run(_print_logs(session, arguments, since))


async def _print_logs(session: Session, arguments: argparse.Namespace, since: int | None) -> int:
    await session.client.ping()
    name = (await find_environment_names(session))[0]
    containers = await observe_once(session.client, name)
    known = {c.service for c in containers}
    wanted = {resolve_service_name(service, known) for service in arguments.services} or known
    writer = _Writer(arguments, max((len(n) for n in wanted), default=0))
    if not arguments.follow:
        chosen = [c for c in containers if c.service in wanted and c.started_at is not None]
        batches = await asyncio.gather(
            *(_read(session.client, c, since, arguments.tail) for c in chosen)
        )
        writer.write([line for batch in batches for line in batch])
        return ExitCode.GOOD
    logs = LogStore()

    lost = False

    async def note(action: object) -> None:
        nonlocal lost
        if isinstance(action, EngineLost) and not lost:
            lost = True
            print_note(f"engine lost: {action.problem.message} Trying again.")
        elif isinstance(action, EngineConnected) and lost:
            lost = False
            print_note("engine is back")

    tail = arguments.tail if arguments.tail is not None else None
    observer = Observer(
        session.client, name, note, logs, clock=time.time, tail=tail, with_usage=False
    )
    following = asyncio.create_task(observer.run())
    at = 0
    try:
        while not following.done():
            lines = [
                line
                for line in logs.since(at)
                if (not arguments.services or line.service in wanted)
                and (since is None or line.time_ns >= since)
            ]
            at = logs.next_sequence
            writer.write(lines)
            if _reader_is_gone():
                return ExitCode.GOOD
            await asyncio.sleep(_POLL_SECONDS)
        await following
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    return ExitCode.GOOD


def _reader_is_gone() -> bool:
    """Whether stdout is a pipe that nobody reads any more; a quiet log would never find out."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return any(event & (select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))


async def _read(
    client: EngineClient, container: Container, since: int | None, tail: int | None
) -> list[LogLine]:
    lines = []
    async for batch in client.logs(
        container.id, follow=False, since_ns=since, tail=tail, tty=container.tty
    ):
        lines += [
            LogLine(
                time_ns,
                container.service,
                sanitize(raw.decode(errors="replace"), keep_colours=True),
                stream,
            )
            for stream, time_ns, raw in batch
        ]
    return lines


class _Writer:
    """Formats lines as text or JSON and writes each batch at once."""

    def __init__(self, arguments: argparse.Namespace, width: int) -> None:
        self._json = arguments.format == "json"
        self._timestamps = arguments.timestamps
        self._width = width
        self._colours = uses_color(sys.stdout)
        self._services: dict[ServiceName, int] = {}

    def write(self, lines: list[LogLine]) -> None:
        if not lines:
            return
        lines.sort(key=lambda line: line.time_ns)
        sys.stdout.write("".join(map(self._json_line if self._json else self._text_line, lines)))
        sys.stdout.flush()

    def _json_line(self, line: LogLine) -> str:
        value = {
            "time": _time_text(line.time_ns),
            "service": line.service,
            "stream": line.source,
            "text": sanitize(line.text),
        }
        return json.dumps(value, ensure_ascii=False) + "\n"

    def _text_line(self, line: LogLine) -> str:
        text = line.text if self._colours else sanitize(line.text)
        stamp = f"{_time_text(line.time_ns)} " if self._timestamps else ""
        label = f"{line.service:<{self._width}}"
        if self._colours:
            number = self._services.setdefault(line.service, len(self._services))
            label = f"\x1b[{36 - number % 6}m{label}\x1b[0m"
            text += "\x1b[0m" if "\x1b" in text else ""
        return f"{label} | {stamp}{text}\n"


def _time_text(time_ns: int) -> str:
    seconds, rest = divmod(time_ns, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds).astimezone()
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}{moment:%z}"
