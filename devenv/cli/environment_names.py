"""The names of a directory's environments, also where its files do not load."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

from devenv.cli.session import Session
from devenv.compose.discovery import find_default_files
from devenv.compose.names import EnvironmentName
from devenv.errors import (
    ConfigError,
    DevenvError,
    EngineUnavailable,
)
from devenv.host import paths
from devenv.host.files import is_file


def default_project_name(directory: Path, environ: Mapping[str, str]) -> EnvironmentName:
    """The Compose project name of a directory whose files do not load.

    Spec: compose-spec 04-version-and-name.md; the directory's name in lower case, cut down to
    letters, digits, `-` and `_`.
    """
    name = environ.get("COMPOSE_PROJECT_NAME") or directory.name.lower()
    return EnvironmentName(re.sub(r"^[_-]+", "", re.sub(r"[^a-z0-9_-]", "", name.lower())))


def _load_known_name(session: Session) -> EnvironmentName | None:
    """The environment that was last started here on this branch, where several are kept apart."""
    directory = paths.state_directory(session.environ)
    try:
        files = session.files
    except DevenvError:
        return None
    if files.settings.isolation.mode == "none" or not paths.has_memory(directory):
        return None
    from devenv.host.environments import find_name
    from devenv.host.memory import open_existing

    with open_existing(directory) as memory:
        branch = files.git.effective_branch if files.git else None
        return find_name(memory, str(files.directory), branch)


async def find_environment_names(session: Session, *, guess: bool = False) -> list[EnvironmentName]:
    """The names of the directory's environments: the model's, then those that containers carry.

    Works where the Compose files or `.env` no longer load: containers say which directory they
    were started from. Where there are none either, `guess` gives Compose's default name, and
    otherwise the error of the files is raised. A profile that was asked for by name and is wrong
    is an error in any case. Raises EngineUnavailable too.
    """
    from devenv.engine.containers import LABEL_DIRECTORY, LABEL_PROJECT

    directory = session.start
    try:
        directory = session.files.directory
        return [session.project.name]
    except EngineUnavailable:
        raise
    except DevenvError as error:
        if session.asked_for_profile and isinstance(error, ConfigError):
            raise
        known = _load_known_name(session)
        if known is not None:
            return [known]
        if directory == session.start:
            nearest = find_default_files(directory, is_file)
            directory = nearest[0].parent if nearest else directory
        names = {
            EnvironmentName(labels[LABEL_PROJECT])
            for summary in await session.client.containers(None)
            if (labels := summary.get("Labels") or {}).get(LABEL_PROJECT)
            and labels.get(LABEL_DIRECTORY) == str(directory)
        }
        if names:
            return sorted(names)
        if not guess:
            raise
        return [default_project_name(directory, session.environ)]


def guess_environment_name(session: Session) -> EnvironmentName:
    """The name on the containers, or Compose's default one where there are none or no engine."""
    fresh = session.renew()
    try:
        return asyncio.run(find_environment_names(fresh, guess=True))[0]
    except DevenvError:
        return default_project_name(fresh.start, fresh.environ)
