"""What the commands share: project files, Compose, the model, the engine, loaded when asked for."""

from __future__ import annotations

import argparse
import os
import subprocess
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devenv.compose.discovery import OWN_GIT_DIRECTORY
from devenv.compose.model import Project
from devenv.compose.names import ServiceName
from devenv.engine.compose import ComposeCli, Selection, find_compose
from devenv.errors import (
    ComposeFileError,
    ConfigError,
    DevenvError,
    EngineUnavailable,
    Source,
    UsageError,
)
from devenv.host import paths
from devenv.host.git import GitState, read_branch
from devenv.host.project_files import ProjectFiles, load_project_files
from devenv.values import replace

if TYPE_CHECKING:
    from devenv.cli.isolation import Isolated
    from devenv.engine.api import EngineClient
    from devenv.engine.context import Endpoint
    from devenv.state.model import Environment

MODEL_SECONDS = 60
"""How long Compose may take to print a model; remote includes are the slow case."""


class Session:
    """One run of a command, in one directory, for one selection."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._profile: str | None = arguments.profile
        self._chosen_profile: str | None = None
        self._supposed_branch: str | None = None
        self.is_preview = bool(getattr(arguments, "dry_run", False))
        """Whether nothing is to be kept of what is computed: override files go to the cache."""
        self.runs_hooks = not getattr(arguments, "no_hooks", False)
        """Whether hooks are wanted; whether they may run is a question of its own."""
        self.allowed_digest: str | None = None
        """The hooks that were allowed for this run, where that cannot be remembered."""
        try:
            self.start = Path(arguments.directory or ".").absolute()
        except FileNotFoundError:
            raise UsageError(
                "The directory that you are in no longer exists.",
                fix="go to the project's directory, or name it with -C",
            ) from None
        if not os.path.isdir(self.start):  # noqa: PTH112, Path's own raises below a closed directory
            raise UsageError(f"{self.start} is not a directory.", fix="check the path after -C")
        self.environ: Mapping[str, str] = dict(os.environ)
        if arguments.context:
            self.environ = {
                **{k: v for k, v in os.environ.items() if k != "DOCKER_HOST"},
                "DOCKER_CONTEXT": arguments.context,
            }
        self.environ = without_own(self.environ)

    @property
    def is_within_hook(self) -> bool:
        """Whether a hook has called this devenv: then it runs no hooks itself."""
        return bool(self.environ.get("DEVENV_HOOK"))

    def renew(
        self, *, profile: str | None = None, branch: str | None = None, preview: bool = False
    ) -> Session:
        """The same command line with nothing loaded yet, for files that may have changed.

        `profile` chooses one for a while, without the weight of `--profile`; `branch` supposes that
        it is checked out, with the files as they are; `preview` keeps nothing of it.
        """
        session = Session(self._arguments)
        session._chosen_profile = profile
        session._supposed_branch = branch
        session.is_preview = preview or self.is_preview
        session.runs_hooks = self.runs_hooks
        session.allowed_digest = self.allowed_digest
        return session

    def at(self, directory: Path) -> Session:
        """The same command line in another directory, without `--profile`."""
        words = {**vars(self._arguments), "directory": str(directory), "profile": None}
        return Session(argparse.Namespace(**words))

    def reselect(self, profile: str | None) -> Session:
        """As `renew`, with this in the place of what `--profile` said."""
        session = self.renew()
        session._arguments = argparse.Namespace(**{**vars(self._arguments), "profile": profile})
        session._profile = profile
        return session

    @cached_property
    def files(self) -> ProjectFiles:
        return load_project_files(
            self.start, self.environ, self._profile, self._chosen_profile, self._supposed_branch
        )

    @property
    def git(self) -> GitState | None:
        """The checkout that the project lies in, also where the project's files do not load."""
        try:
            return self.files.git
        except DevenvError:
            return read_branch(self.start)

    @cached_property
    def compose(self) -> ComposeCli:
        return find_compose(self.environ, paths.cache_directory(self.environ) / "compose.json")

    @cached_property
    def endpoint(self) -> Endpoint:
        from devenv.engine.context import load_endpoint

        return load_endpoint(self.environ, Path(self.environ.get("HOME", "/")))

    @cached_property
    def client(self) -> EngineClient:
        from devenv.engine.api import EngineClient

        return EngineClient(self.endpoint)

    @cached_property
    def unnamed_selection(self) -> Selection:
        files = self.files
        return Selection(
            directory=files.directory,
            files=files.compose_files if files.explicit_files else (),
            env_files=files.env_files,
            profiles=files.compose_profiles,
            variables=tuple({**files.variables, **files.own_variables}.items()),
        )

    @cached_property
    def selection(self) -> Selection:
        """The selection with the environment's project name, and its override where it has one."""
        selection, isolated = self.unnamed_selection, self.isolated
        if isolated is None:
            return replace(selection, name=self.base_project.name)
        if isolated.override is None:
            return replace(selection, name=isolated.name)
        ports = {k: v for k, v in (isolated.variables or {}).items() if k not in self.environ}
        return replace(
            selection,
            name=isolated.name,
            files=(*self.files.compose_files, isolated.override),
            variables=(*selection.variables, *ports.items()),
        )

    @cached_property
    def isolated(self) -> Isolated | None:
        """The environment beside the plain one that this checkout belongs to; None: the plain one.

        Raises what the base model or `[isolation]` has wrong.
        """
        isolation = self.files.settings.isolation
        if isolation.mode == "none" and not isolation.shared:
            return None
        from devenv.cli.isolation import resolve_isolated

        return resolve_isolated(self)

    @cached_property
    def base_project(self) -> Project:
        """The merged model as Compose alone has it, whatever environment this is.

        Raises ComposeFileError where it does not load.
        """
        return self._load_model(self.unnamed_selection)

    @cached_property
    def project(self) -> Project:
        """The merged model of the environment. Raises ComposeFileError where it does not load."""
        project = self.base_project
        if self.isolated is not None:
            project = self._load_model(self.selection)
        wanted = set(self._wanted_services())
        if wanted and wanted <= self._shared:
            raise self._only_shared(sorted(wanted))
        unknown = sorted(wanted - set(project.services) - self._shared)
        if unknown:
            raise UsageError(
                f"Profile {self.files.choice.name} names services that the model does not have: "
                + ", ".join(unknown),
                fix=f"known: {', '.join(sorted(project.services)) or 'none'}",
            )
        return project

    @property
    def asked_for_profile(self) -> bool:
        """Whether `--profile` was given."""
        return self._profile is not None

    @property
    def profile_services(self) -> tuple[ServiceName, ...]:
        """The services that the profile limits `up` to; empty: all."""
        wanted = [ServiceName(name) for name in self._wanted_services()]
        # What is shared is started for every environment; it is no service of this one's model.
        return tuple(name for name in wanted if name not in self._shared) if wanted else ()

    @property
    def _shared(self) -> frozenset[str]:
        isolated = self.isolated if self.files.settings.isolation.shared else None
        shared = isolated.shared if isolated is not None else None
        return frozenset(shared.services) if shared is not None else frozenset()

    def _only_shared(self, names: list[str]) -> ConfigError:
        """What is shared runs as long as something uses it; a profile of it alone has no user."""
        files = self.files
        owner = (
            next((p for n in files.profile.chain if (p := files.profiles[n]).services), None)
            if files.profile
            else None
        )
        return ConfigError(
            f"Profile {files.choice.name} has only services that all environments share: "
            f"{', '.join(names)}. They start with the first service that uses them.",
            source=owner.source("services") if owner is not None else None,
            fix="name a service of its own too, or take [isolation] shared out for these",
        )

    def _wanted_services(self) -> tuple[str, ...]:
        return self.files.profile.services if self.files.profile else ()

    def load_everything(self) -> Project:
        """The model with every Compose profile active. Raises ComposeFileError."""
        return self._load_model(replace(self.unnamed_selection, profiles=("*",)))

    @cached_property
    def hashes(self) -> dict[ServiceName, str]:
        """Compose's configuration hash of each service of the environment's model.

        Raises what keeps the model from loading.
        """
        text = self.compose_text(self.selection, "config", "--hash", "*")
        pairs = (line.split() for line in text.splitlines())
        return {ServiceName(pair[0]): pair[1] for pair in pairs if len(pair) == 2}

    def _load_model(self, selection: Selection) -> Project:
        from devenv.compose.parse_config import parse_project  # after the first frame

        return parse_project(self.compose_text(selection, "config", "--format", "json"))

    def compose_text(self, selection: Selection, *words: str) -> str:
        """What Compose prints of a selection; kept by the content of all that it reads."""
        from devenv.host.model_cache import load_model, resolve_cache_key, save_model

        environ = selection.environ(self.environ)
        arguments = (*selection.arguments(), *words)
        cache = paths.cache_directory(self.environ) / "models"
        key = resolve_cache_key(
            version=self.compose.version,
            directory=selection.directory,
            files=selection.files or self.files.compose_files,
            env_files=selection.env_files,
            arguments=arguments,
            environ=environ,
        )
        kept = load_model(cache, key) if key else None
        if kept is not None:
            return kept
        refuse_alias_bombs(self.files.compose_files)
        text = self.run_compose(*arguments, selection=selection)
        if key:
            save_model(cache, key, text)
        return text

    def run_compose(
        self, *arguments: str, selection: Selection, timeout_seconds: float = MODEL_SECONDS
    ) -> str:
        """Run a short Compose command and return its stdout. Raises what its failure means."""
        argv = self.compose.argv(*arguments)
        try:
            completed = subprocess.run(
                argv,
                env=selection.environ(self.environ),
                cwd=selection.directory,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise EngineUnavailable(
                f"Docker Compose did not answer within {timeout_seconds:g} s.",
                fix="remote includes need the network; try: docker compose config",
            ) from None
        if completed.returncode != 0:
            from devenv.engine.errors import classify_compose_failure
            from devenv.engine.placing import place_error

            files = self.files.compose_files
            names = [str(file) for file in files]
            error = classify_compose_failure(
                ("docker", "compose", *arguments),
                completed.returncode,
                completed.stderr,
                files=names,
            )
            raise place_error(error, files)
        return completed.stdout

    def environment(self, project: Project) -> Environment:
        """What the views say about where they are."""
        from devenv.state.model import Environment

        files = self.files
        shared = self.isolated.shared if self.isolated is not None else None
        is_own = self.isolated is not None and self.isolated.override is not None
        return Environment(
            name=project.name,
            directory=str(files.directory),
            profile=files.choice.name,
            profile_reason=files.choice.reason,
            branch=files.git.effective_branch if files.git else None,
            context=self.endpoint.context_name,
            profiles=tuple((name, p.description or "") for name, p in files.profiles.items()),
            isolation=files.settings.isolation.mode if is_own else "",
            port_offset=self.isolated.offset if self.isolated is not None else None,
            shared=shared.services if shared is not None else (),
            shared_name=shared.name if shared is not None else None,
        )

    def resolve_service(self, name: str) -> ServiceName:
        """A service of the model. Raises UsageError with the nearest names."""
        return resolve_service_name(name, self.project.services)


def refuse_alias_bombs(files: Iterable[Path]) -> None:
    """Raises ComposeFileError for a file whose aliases stand for more values than is sane.

    A file that cannot be read is left to Compose, which says so in its own words.
    """
    from devenv.compose.aliases import MAX_VALUES, expands_too_far

    for file in files:
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if expands_too_far(text):
            raise ComposeFileError(
                f"The aliases of this file expand to more than {MAX_VALUES:,} values.",
                source=Source(str(file)),
                fix="Docker Compose is not started with it: remove the nested aliases",
            )


def resolve_service_name(name: str, known: Any) -> ServiceName:
    """`name` where it is among `known`. Raises UsageError with the nearest name otherwise."""
    from difflib import get_close_matches

    if name in known:
        return ServiceName(name)
    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UsageError(
        f"There is no service {name!r} in this selection.",
        fix=f"{hint}services: {', '.join(sorted(known)) or 'none'}",
    )


def without_own(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The variables without those that devenv itself has set for a hook, or by `shellenv`.

    They say what the files say already; taken for the user's they would outlive a switch.
    """
    name = environ.get("DEVENV_ENVIRONMENT")
    if not name or environ.get("COMPOSE_PROJECT_NAME") != name:
        return environ
    return {key: value for key, value in environ.items() if key not in _OWN_VARIABLES}


_OWN_VARIABLES = (
    "COMPOSE_PROJECT_NAME",
    "COMPOSE_FILE",
    "COMPOSE_PATH_SEPARATOR",
    "COMPOSE_PROFILES",
    "COMPOSE_ENV_FILES",
    OWN_GIT_DIRECTORY,
)
