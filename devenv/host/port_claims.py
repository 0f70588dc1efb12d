"""Host ports that an environment is about to use: two that start at once take different ones.

A claim stands until the environment is remembered with its ports, or for `CLAIM_SECONDS`.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import IO

FILE_NAME = "port-claims.json"
CLAIM_SECONDS = 600.0
"""Longer than from a choice of ports to the moment when the engine holds them."""


def claim_offset(
    state: Path,
    name: str,
    ports: Collection[int],
    choose: Callable[[Collection[int]], int | None],
    *,
    keep: bool,
    now: float,
) -> int | None:
    """What `choose` makes of the ports that other environments claim, and claimed itself.

    `ports` are those of the Compose files, `now` seconds since the epoch; without `keep`, or where
    nothing can be written, nothing is claimed. What `choose` raises is raised.
    """
    with _open(state, keep) as file:
        claims = {key: value for key, value in _read(file, now).items() if key != name}
        offset = choose({port for taken, _ in claims.values() for port in taken})
        if file is not None and keep and offset is not None:
            claims[name] = ([port + offset for port in ports], now)
            _write(file, claims)
        return offset


@contextlib.contextmanager
def _open(state: Path, keep: bool) -> Iterator[IO[str] | None]:
    """The file, locked; None where there is none to be had."""
    try:
        file = (state / FILE_NAME).open("a+" if keep else "r", encoding="utf-8")
    except OSError:
        yield None
        return
    with file:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX if keep else fcntl.LOCK_SH)
        yield file


def _read(file: IO[str] | None, now: float) -> dict[str, tuple[list[int], float]]:
    """Environment to the ports that it claims and since when; without those that are over."""
    if file is None:
        return {}
    file.seek(0)
    found: dict[str, tuple[list[int], float]] = {}
    with contextlib.suppress(ValueError, TypeError, AttributeError, KeyError, OSError):
        for name, one in json.loads(file.read() or "{}").items():
            if abs(now - float(one["at"])) < CLAIM_SECONDS:
                found[str(name)] = ([int(port) for port in one["ports"]], float(one["at"]))
    return found


def _write(file: IO[str], claims: Mapping[str, tuple[list[int], float]]) -> None:
    text = json.dumps({name: {"ports": p, "at": at} for name, (p, at) in claims.items()})
    with contextlib.suppress(OSError):
        file.seek(0)
        file.truncate()
        file.write(text)
        file.flush()
