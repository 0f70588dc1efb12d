"""Build output to the step that a service's image is at: BuildKit's plain form, the classic one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from devenv.compose.names import ServiceName

_BUILDKIT = re.compile(r"^#\d+ \[(?P<where>[^\]]*?)(?P<step>\d+/\d+)\] (?P<instruction>.+)$")
_CLASSIC = re.compile(r"^Step (?P<step>\d+/\d+) : (?P<instruction>.+)$")


@dataclass(frozen=True, slots=True)
class BuildStep:
    """A step that has begun. `service` is None where the output does not name it."""

    service: ServiceName | None
    text: str
    """Such as `4/7 RUN npm ci`."""


def parse_build_step(line: str, services: Iterable[ServiceName]) -> BuildStep | None:
    """The step that a line of build output begins, or None.

    `services` are those whose images are built. BuildKit puts the service before the stage, with
    a `_` for a dot; where only one image is built it may leave it out.
    """
    line = line.strip()
    found = _BUILDKIT.match(line)
    if found:
        first = found["where"].split(" ")[0].strip()
        service = next((name for name in services if name.replace(".", "_") == first), None)
        return BuildStep(service, f"{found['step']} {found['instruction']}")
    found = _CLASSIC.match(line)
    if found:
        return BuildStep(None, f"{found['step']} {found['instruction']}")
    return None
