"""Which program a health check's test runs first, where that can be told from its text."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence

from devenv.compose.model import Healthcheck, Project, Service

SHELL = "/bin/sh"
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_OF_THE_SHELL = frozenset(
    re.findall(
        r"\S+",
        ". : [ [[ { ( ! break case cd command continue echo eval exec exit export false for if "
        "printf pwd read return set shift test trap true type ulimit umask unset until wait while",
    )
)


def find_probe_programs(check: Healthcheck) -> tuple[str, ...]:
    """The programs that a test needs: of the exec form the first word, of the shell form the
    shell, and the first word of the command where it is no keyword of the shell."""
    kind, *words = check.test
    if kind == "CMD":
        return (words[0],) if words and words[0] else ()
    text = words[0] if words else ""
    try:
        parts = shlex.split(text, comments=True)
    except ValueError:
        return (SHELL,)
    for part in parts:
        if _ASSIGNMENT.match(part):
            continue
        plain = re.fullmatch(r"[\w./+-]+", part) is not None
        return (SHELL, part) if plain and part not in _OF_THE_SHELL else (SHELL,)
    return (SHELL,)


def image_of(project: Project, service: Service) -> str:
    """The image that a service's container is made from, one that Compose builds included."""
    return service.image or f"{project.name}-{service.name}"


def find_wanted(
    projects: Sequence[Project], needs: Callable[[Service], tuple[str, ...]] = lambda _: ()
) -> Mapping[str, tuple[str, ...]]:
    """Image to the programs that the tests of its services need, and what else `needs` names."""
    found: dict[str, dict[str, None]] = {}
    for project in projects:
        for service in project.services.values():
            if service.healthcheck is not None:
                needed = found.setdefault(image_of(project, service), {})
                needed.update(dict.fromkeys(find_probe_programs(service.healthcheck)))
            if more := needs(service):
                found.setdefault(image_of(project, service), {}).update(dict.fromkeys(more))
    return {image: tuple(programs) for image, programs in found.items()}
