"""Where in a Dockerfile a build failed: builders name the instruction, not always its line."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from devenv.compose.model import Build, Service
from devenv.engine.api import ApiError, EngineClient
from devenv.engine.errors import BuildFailed
from devenv.errors import EngineUnavailable, Source
from devenv.values import replace

_VARIABLE = re.compile(r"\$(?:\w+|\{[^}]*\})")


async def name_full_disk(error: BuildFailed, client: EngineClient) -> None:
    """Name the engine's data directory in an error about its full disk, where it answers."""
    if error.disk_full:
        with contextlib.suppress(ApiError, EngineUnavailable):
            error.name_disk(str((await client.get_json("/info")).get("DockerRootDir")))


def place_build_failure(error: BuildFailed, services: Iterable[Service]) -> None:
    """Give the error the path of its Dockerfile, and the line where one can be told.

    `services` are those whose images were built. Without a line of its own the error gets the
    line of the one instruction with the step's words; where several fit, none. Where the builder
    misses a Dockerfile because it does not know `dockerfile_inline`, the error says so.
    """
    services = tuple(services)
    if error.missing_dockerfile is not None:
        for service in services:
            build = service.build
            if build is not None and build.dockerfile_inline is not None:
                error.blame_inline(service.name)
                return
    builds = [
        service.build
        for service in services
        if service.build is not None and error.target in (None, _target_name(service.name))
    ]
    files = {
        path: text for build in builds if (path := _dockerfile(build)) and (text := _read(path))
    }
    if error.source is not None and error.source.line is not None:
        if len(files) == 1:
            error.source = replace(error.source, path=str(next(iter(files))))
        return
    if error.step is None:
        if len(files) == 1:
            error.source = Source(str(next(iter(files))))
        return
    places = [
        Source(str(path), line)
        for path, text in files.items()
        if (line := find_instruction(text, error.step, error.step_number)) is not None
    ]
    if len(places) == 1:
        error.source = places[0]


def find_instruction(text: str, step: str, number: int | None = None) -> int | None:
    """The line (from 1) of a Dockerfile on which the instruction `step` begins, or None.

    Continued lines are compared as one, whatever their blanks; a variable fits any value.
    `number` is the instruction's place in the file: it decides where several read the same.
    """
    instructions = _instructions(text)
    wanted = " ".join(step.split())
    for fits in (lambda said: said == wanted, lambda said: _expands_to(said, wanted)):
        found = [at for at, (_, said) in enumerate(instructions) if fits(said)]
        if number is not None and number - 1 in found:
            found = [number - 1]
        if len(found) == 1:
            return instructions[found[0]][0]
    return None


def _instructions(text: str) -> Sequence[tuple[int, str]]:
    """Line and words of each instruction; comments between continued lines are left out."""
    found: list[tuple[int, str]] = []
    start = 0
    parts: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if not parts:
            start = number
        continued = stripped.endswith("\\")
        parts.append(stripped.removesuffix("\\"))
        if not continued:
            found.append((start, " ".join(" ".join(parts).split())))
            parts = []
    return found


def _expands_to(said: str, wanted: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in _VARIABLE.split(said))
    return "$" in said and re.fullmatch(pattern, wanted) is not None


def _target_name(service: str) -> str:
    """The name that a service's build has in BuildKit's output, where a dot separates."""
    return service.replace(".", "_")


def _dockerfile(build: Build) -> Path | None:
    return None if build.dockerfile_inline else Path(build.context) / build.dockerfile


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None  # a remote context, or the file that the build misses
