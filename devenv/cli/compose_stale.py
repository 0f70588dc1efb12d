"""Before Compose itself uses images that lack what the watch copied into their containers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from devenv.cli.output import print_note
from devenv.cli.session import Session
from devenv.compose.images import group_builds, image_of, names_to_give
from devenv.compose.names import ServiceName
from devenv.engine.api import ApiError
from devenv.engine.image_tags import tag_image
from devenv.engine.process import run_interactive
from devenv.errors import DevenvError

LOOK_SECONDS = 5.0
"""How long the engine is waited for: Compose says itself what it lacks."""
_MAKES_CONTAINERS = ("up", "create", "run", "scale", "watch")
_WITH_VALUE = (
    *("-f", "--file", "-p", "--project-name", "--profile", "--env-file", "--project-directory"),
    *("--ansi", "--progress", "--parallel"),
)


def build_stale(session: Session, words: Sequence[str]) -> int:
    """Build what a command of Compose would make containers from, where that is stale.

    `words` are the command's own. Returns the exit code of a build that failed, else 0; nothing
    is done where the command builds by itself, makes no container, or nothing is known.
    """
    verb, rest = split_command(words)
    if verb not in _MAKES_CONTAINERS or "--build" in rest:
        return 0
    stale = _find_stale(session)
    named = {word for word in rest if word in stale}
    if verb == "run" or ("--no-deps" in rest and named):
        stale &= named
    if not stale:
        return 0
    project, selection = session.project, session.selection
    names = [name for name in project.services if name in stale]
    lacks = f"{', '.join(names)}: the image lacks what the watch copied into the container"
    if "--no-build" in rest:
        print_note(f"{lacks}; without --no-build it would be built now")
        return 0
    print_note(f"{lacks}; it is built first")
    groups = group_builds(project, names)
    argv = session.compose.argv(*selection.arguments(), "build", *groups)
    environ = {**session.environ, **dict(selection.variables)}
    code = run_interactive(argv, environ, session.start)
    if code == 0:
        for name, sharing in groups.items():
            wanted = names_to_give(project, sharing)
            asyncio.run(tag_image(session.client, image_of(project, name), wanted))
    return code


def split_command(words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Compose's subcommand and what follows it; "" where there is none."""
    index = 0
    while index < len(words) and words[index].startswith("-"):
        index += 2 if words[index] in _WITH_VALUE else 1
    return (words[index], tuple(words[index + 1 :])) if index < len(words) else ("", ())


def _find_stale(session: Session) -> set[ServiceName]:
    from devenv.cli.watch_keep import find_stale_services

    async def look() -> set[ServiceName]:
        async with asyncio.timeout(LOOK_SECONDS):
            return await find_stale_services(session)

    with contextlib.suppress(DevenvError, ApiError, TimeoutError):
        return asyncio.run(look())
    return set()
