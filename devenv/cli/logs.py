"""`devenv logs`: every line once, merged by time across services."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import select
import shlex
import sys
import time
from datetime import datetime

from devenv.cli.environment_names import find_environment_names
from devenv.cli.log_output import LogWriter
from devenv.cli.output import print_note
from devenv.cli.session import Session, resolve_service_name
from devenv.cli.shared_look import find_shared, observe_shared
from devenv.compose.parse_config import parse_duration
from devenv.engine.api import ApiError
from devenv.engine.containers_now import observe_once
from devenv.engine.observe import Observer
from devenv.errors import ExitCode, UsageError
from devenv.state.actions import EngineConnected, EngineLost
from devenv.state.containers import Container
from devenv.state.log_filter import LineFilter
from devenv.state.log_levels import Level
from devenv.state.log_merge import Ascending, LogMerger
from devenv.state.logs import ENGINE, LogStore, Origin

_POLL_SECONDS = 0.05
_WAITING_LINES = 20_000
"""Lines of one container that wait for others; then its reader waits, and the engine holds on."""
MAX_LINE_BYTES = 64 * 1024 * 1024
"""A longer line is printed in pieces."""


def parse_moment(text: str, option: str, now: float) -> int:
    """Nanoseconds since the epoch for `10m` (ago) or an ISO 8601 time. Raises UsageError."""
    if re.fullmatch(r"(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d|w))+", text):
        return int((now - parse_duration(text)) * 1e9)
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1e9)
    except ValueError:
        raise UsageError(
            f"{option} does not take {text!r}.",
            fix="give an age (10m, 2h) or 2026-01-31T12:00:00",
        ) from None


def compile_pattern(text: str, *, ignore_case: bool) -> re.Pattern[str]:
    """The pattern after --grep. Raises UsageError where it is no regular expression."""
    try:
        return re.compile(text, re.IGNORECASE if ignore_case else 0)
    except re.error as error:
        raise UsageError(
            f"--grep does not take {text!r}: {error}.",
            fix=f"to look for the text itself: --grep {shlex.quote(re.escape(text))}",
        ) from None


def print_logs(session: Session, arguments: argparse.Namespace) -> int:
    """Print what the containers said so far; with --follow go on until Ctrl-C.

    With --grep the exit code is grep's: 1 where no line fits.
    """
    now = time.time()
    since = parse_moment(arguments.since, "--since", now) if arguments.since else None
    until = parse_moment(arguments.until, "--until", now) if arguments.until else None
    if arguments.tail is not None and arguments.tail < 0:
        raise UsageError("-n (--tail) takes a number from 0 up.")
    if arguments.context_lines < 0:
        raise UsageError("-C takes a number from 0 up.")
    if until is not None and arguments.follow:
        raise UsageError("--until does not go with --follow.")
    pattern = None
    if arguments.grep is not None:
        pattern = compile_pattern(arguments.grep, ignore_case=arguments.ignore_case)
    elif arguments.invert_match or arguments.ignore_case:
        raise UsageError("-v and -i need a pattern: --grep RE.")
    wanted: LineFilter[bytes] = LineFilter(
        pattern,
        invert=arguments.invert_match,
        level=Level[arguments.level.upper()] if arguments.level else Level.NONE,
        context=arguments.context_lines,
    )
    code = asyncio.run(_print_logs(session, arguments, since, until, wanted))
    if code == ExitCode.GOOD and pattern is not None and not wanted.matched:
        return ExitCode.FAILED
    return code


async def _print_logs(
    session: Session,
    arguments: argparse.Namespace,
    since: int | None,
    until: int | None,
    wanted: LineFilter[bytes],
) -> int:
    await session.client.ping()
    name = (await find_environment_names(session))[0]
    shared = await asyncio.to_thread(find_shared, session)
    containers = await observe_once(session.client, name)
    containers += await observe_shared(session, shared)
    known = {c.service for c in containers}
    services = {resolve_service_name(service, known) for service in arguments.services} or known
    writer = LogWriter(arguments, max((len(n) for n in services), default=0), wanted)
    if not arguments.follow:
        chosen = [c for c in containers if c.service in services and c.started_at is not None]
        await _Reading(session, chosen, since, until, arguments.tail).print_to(writer)
        return ExitCode.GOOD
    logs = LogStore(arrivals=True)

    lost = False

    async def note(action: object) -> None:
        nonlocal lost
        if isinstance(action, EngineLost) and not lost:
            lost = True
            print_note(f"engine lost: {action.problem.message} Trying again.")
        elif isinstance(action, EngineConnected) and lost:
            lost = False
            print_note("engine is back")

    observer = Observer(
        session.client,
        name,
        note,
        logs,
        clock=time.time,
        tail=arguments.tail,
        since_ns=since,
        services=frozenset(services) if arguments.services else None,
        shared=shared.name if shared is not None else None,
        with_usage=False,
    )
    following = asyncio.create_task(observer.run())
    try:
        while not following.done():
            rows = [r for r in logs.take_arrivals() if logs.origins[r[1]].service != ENGINE]
            writer.write(rows, logs.origins)
            if _reader_is_gone():
                return ExitCode.GOOD
            await asyncio.sleep(_POLL_SECONDS)
        await following
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    return ExitCode.GOOD


class _Reading:
    """Reads the logs of some containers to their end, a bounded part of each at a time."""

    def __init__(
        self,
        session: Session,
        containers: list[Container],
        since: int | None,
        until: int | None,
        tail: int | None,
    ) -> None:
        self._client = session.client
        self._containers = containers
        self._since = since
        self._until = until
        self._tail = tail
        self._merger = LogMerger(None)
        self._logs = LogStore()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()

    async def print_to(self, writer: LogWriter) -> None:
        """Print all lines. Raises ApiError and EngineUnavailable."""
        for container in self._containers:
            self._merger.open(container.id, 0)
        readers = [asyncio.create_task(self._read(container)) for container in self._containers]
        try:
            while any(not reader.done() for reader in readers):
                await self._changed.wait()
                self._changed.clear()
                writer.write(self._merger.take(0), self._logs.origins)
                self._room.set()
                if _reader_is_gone():
                    return
            writer.write(self._merger.take(0), self._logs.origins)
            for reader in readers:
                reader.result()
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)

    async def _read(self, container: Container) -> None:
        ascending = Ascending()
        service, number = container.service, container.number
        numbers = {
            source: self._logs.number(Origin(service, source, container.id, number))
            for source in ("stdout", "stderr")
        }
        batches = self._client.logs(
            container.id,
            follow=False,
            since_ns=self._since,
            until_ns=self._until,
            tail=self._tail,
            tty=container.tty,
            max_line_bytes=MAX_LINE_BYTES,
        )
        try:
            async with contextlib.aclosing(batches):
                async for batch in batches:
                    sources, times, texts = zip(*batch, strict=True)
                    keys = ascending.order(list(times), 0)
                    origins = [numbers[source] for source in sources]
                    self._merger.put(container.id, list(zip(keys, origins, texts, strict=True)), 0)
                    self._changed.set()
                    while self._merger.waiting(container.id) > _WAITING_LINES:
                        self._room.clear()
                        await self._room.wait()
        except ApiError as error:
            if error.status == 404:
                return
            sys.stderr.write(f"{container.name}: {error.engine_message}\n")
        finally:
            self._merger.close(container.id)
            self._changed.set()


def _reader_is_gone() -> bool:
    """Whether stdout is a pipe that nobody reads any more; a quiet log would never find out."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return any(event & (select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))
