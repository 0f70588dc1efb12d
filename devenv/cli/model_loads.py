"""The merged models of several profiles, loaded side by side."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from devenv.cli.session import MODEL_SECONDS, Session, refuse_alias_bombs
from devenv.compose.model import Project
from devenv.compose.parse_config import parse_project
from devenv.engine.compose import ComposeCli, Selection
from devenv.engine.placing import place_error
from devenv.errors import (
    ComposeFileError,
    DevenvError,
)
from devenv.host import paths
from devenv.host.model_cache import load_model, resolve_cache_key, save_model
from devenv.host.project_files import ProjectFiles


class ModelLoads:
    """Merged models, from the cache or from Compose; children run side by side."""

    def __init__(self, session: Session, compose: ComposeCli) -> None:
        self._session = session
        self._compose = compose
        self._cache = paths.cache_directory(session.environ) / "models"
        self._started: dict[Selection, tuple[str | None, str | subprocess.Popen[str]]] = {}
        self._results: dict[Selection, Project | DevenvError] = {}

    def start(self, files: ProjectFiles, profiles: tuple[str, ...]) -> None:
        """Begin to load a model, once for each selection."""
        selection = _selection(files, profiles)
        if selection in self._started or selection in self._results:
            return
        environ = selection.environ(self._session.environ)
        arguments = (*selection.arguments(), "config", "--format", "json")
        try:
            key = resolve_cache_key(
                version=self._compose.version,
                directory=selection.directory,
                files=files.compose_files,
                env_files=selection.env_files,
                arguments=arguments,
                environ=environ,
            )
        except ComposeFileError as error:
            self._results[selection] = error
            return
        kept = load_model(self._cache, key) if key else None
        if kept is None:
            try:
                refuse_alias_bombs(files.compose_files)
            except ComposeFileError as error:
                self._results[selection] = error
                return
        self._started[selection] = (
            key,
            kept
            if kept is not None
            else subprocess.Popen(
                self._compose.argv(*arguments),
                env=environ,
                cwd=selection.directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            ),
        )

    def result(self, files: ProjectFiles, profiles: tuple[str, ...]) -> Project | DevenvError:
        """The model that was begun, or why Compose refuses it."""
        selection = _selection(files, profiles)
        known = self._results.get(selection)
        if known is None:
            known = self._results[selection] = self._wait(selection, files.compose_files)
        return known

    def _wait(self, selection: Selection, files: Sequence[Path]) -> Project | DevenvError:
        key, started = self._started[selection]
        if isinstance(started, str):
            return parse_project(started)
        try:
            stdout, stderr = started.communicate(timeout=MODEL_SECONDS)
        except subprocess.TimeoutExpired:
            started.kill()
            started.communicate()
            return ComposeFileError(
                f"Docker Compose did not answer within {MODEL_SECONDS:g} s.",
                fix="remote includes need the network; try: docker compose config",
            )
        if started.returncode != 0:
            from devenv.engine.errors import classify_compose_failure

            names = [str(file) for file in files]
            argv = ("docker", "compose", *selection.arguments(), "config")
            error = classify_compose_failure(argv, started.returncode, stderr, files=names)
            return place_error(error, files)
        if key:
            save_model(self._cache, key, stdout)
        return parse_project(stdout)


def _selection(files: ProjectFiles, profiles: tuple[str, ...]) -> Selection:
    return Selection(
        directory=files.directory,
        files=files.compose_files if files.explicit_files else (),
        env_files=files.env_files,
        profiles=profiles,
        variables=tuple({**files.variables, **files.own_variables}.items()),
    )
