"""The parts of a repository that have a Dockerfile each: services of one environment."""

from __future__ import annotations

import re

from devenv.config.start.survey import Survey
from devenv.values import dataclass

_TAKEN = frozenset({"db", "cache"})
"""Names of the services that are proposed beside the parts."""
_ELSEWHERE = frozenset({"test", "tests", "docs", "examples", "example", ".devcontainer", ".github"})


@dataclass(frozen=True, slots=True)
class Part:
    """A directory with a Dockerfile."""

    name: str
    """The service's."""
    directory: str
    """Relative to the root."""
    stage: str | None
    """Its development stage, where it has one."""
    port: int | None
    """What it exposes."""
    host_port: int | None
    """That, or the next one that no other part has."""


def find_parts(survey: Survey) -> tuple[Part, ...]:
    """The directories below the root with a Dockerfile, by name; no tests or examples."""
    parts: list[Part] = []
    names, ports = set(_TAKEN), set[int]()
    for path in sorted(name for name in survey.texts if name.endswith("/Dockerfile")):
        directory = path.removesuffix("/Dockerfile")
        pieces = directory.split("/")
        # What is not plain would have to be quoted, and is hardly a service.
        if _ELSEWHERE.intersection(pieces) or not re.fullmatch(r"[\w./-]+", directory):
            continue
        name = re.sub(r"[^a-z0-9_-]+", "-", pieces[-1].lower()).strip("-_")
        name = name if name and name not in names else re.sub(r"[^a-z0-9]+", "-", directory.lower())
        name = name.strip("-")
        if not name or name in names:
            continue
        text = survey.texts[path]
        port = find_exposed(text)
        host_port = port
        while host_port is not None and host_port in ports:
            host_port += 1
        if host_port is not None and host_port < 1024:  # which not everybody may publish
            host_port = next(n for n in range(8000 + host_port, 65536) if n not in ports)
        names.add(name)
        ports |= {host_port} if host_port is not None else set()
        parts.append(Part(name, directory, find_development_stage(text), port, host_port))
    return tuple(parts)


def find_development_stage(dockerfile: str) -> str | None:
    """The stage that is for development, by its name."""
    names = re.findall(r"(?im)^\s*FROM\s+.*\sAS\s+(\S+)\s*$", dockerfile)
    return next((name for name in names if name.lower() in ("development", "dev")), None)


def find_exposed(dockerfile: str | None) -> int | None:
    """The first port that a Dockerfile exposes."""
    found = re.search(r"(?im)^\s*EXPOSE\s+(\d+)", dockerfile or "")
    return int(found[1]) if found else None
