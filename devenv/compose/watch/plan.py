"""The decision: for a changed path, one entry for each service that it touches.

Order for one service: the model's own files, the Dockerfile and ignore files, rules of
`develop.watch`, results of the build that the container sees, mounts, copies; else nothing.
"""

from __future__ import annotations

import posixpath

from devenv.compose.layers import Layers
from devenv.compose.model import Project
from devenv.compose.names import ServiceName
from devenv.compose.watch.builds import load_builds
from devenv.compose.watch.inputs import list_inputs
from devenv.compose.watch.kinds import UNATTENDED_FOLDERS, is_of_git, is_temporary
from devenv.compose.watch.places import env_file_place
from devenv.compose.watch.service import ServicePlanner
from devenv.compose.watch.startup import Startup, find_sync_folder, resolve_startup
from devenv.compose.watch.tools.effect import is_within
from devenv.compose.watch.values import Input, Place, PlannedChange, WatchAction, WatchFacts


class WatchPlanner:
    """The plans of one merged model. Builds, mounts and commands are looked at once."""

    def __init__(self, project: Project, layers: Layers, facts: WatchFacts) -> None:
        self._layers = layers
        self._document = project.document
        self._facts = facts
        self._directory = layers.directory
        images: dict[str, str] = {}
        for name, service in project.services.items():
            if service.build is not None:
                images.setdefault(service.image or f"{project.name}-{name}", name)
        builds = load_builds(project.services, images, facts)
        self._services = []
        for name, service in project.services.items():
            owner = images.get(service.image or "") if service.build is None else name
            build = builds.get(ServiceName(owner)) if owner else None
            self._services.append(ServicePlanner(project, layers, facts, service, build, builds))
        self._env_files = _find_env_files(layers)
        self._anchors = {*facts.model_files, *facts.model_directories, *self._env_files}
        for service_planner in self._services:
            self._anchors |= service_planner.anchors()

    def plan(self, path: str, *, is_directory: bool = False) -> tuple[PlannedChange, ...]:
        """What a change of an absolute path means; services in the model's order.

        One entry for each service that is touched; one with service None where none is, or
        where the whole model changed. A path may be deleted or not yet there.
        """
        path = posixpath.normpath(path)
        whole = self._plan_model(path)
        if whole:
            return whole
        if is_temporary(path):
            return (self._nothing(path, "an editor's temporary file"),)
        found = [service.plan(path, is_directory=is_directory) for service in self._services]
        touched = tuple(one for one in found if one.action is not WatchAction.IGNORE)
        if touched:
            return touched
        if is_of_git(path):
            return (self._nothing(path, "belongs to git itself"),)
        told = [one for one in found if one.reason]
        if not told:
            return (self._nothing(path, "no service reads it"),)
        # What lies nearest: an ignore file or stage that leaves it out, not a far-off context.
        first = max(told, key=lambda one: (one.because is not None, one.because is not None))
        reason = first.reason if len(told) == 1 else f"{first.service}: {first.reason}"
        return (self._nothing(path, reason, first.because),)

    @property
    def has_initial_sync(self) -> bool:
        """Whether a rule of any service asks for `initial_sync`."""
        return any(rule.is_initial for one in self._services for rule in one.rules)

    def wants_directory(self, path: str) -> bool:
        """Whether a directory must be watched and walked: a change in it may mean something.

        A folder of dependencies that a bind mount merely shows is not: `node_modules` of the host
        is live whatever happens in it, and nobody has to act.
        """
        path = posixpath.normpath(path)
        if is_of_git(path):
            return False
        if any(is_within(anchor, path) for anchor in self._anchors):
            return True
        found = [service.plan(path, is_directory=True) for service in self._services]
        wanted = [one for one in found if one.action is not WatchAction.IGNORE]
        if posixpath.basename(path) in UNATTENDED_FOLDERS:
            return any(one.action is not WatchAction.LIVE for one in wanted)
        return bool(wanted) or any(service.keeps_below(path) for service in self._services)

    def startup(self, name: ServiceName) -> Startup:
        """How the service's container begins, and as whom."""
        return resolve_startup(self._find(name), self._layers, self._document)

    def sync_folder(self, one: Input) -> str | None:
        """The directory of the container into which a change of an input is copied; or None."""
        if one.service is None:
            return None
        planner = self._find(one.service)
        return find_sync_folder(planner, one, is_directory=self._facts.is_directory(one.path))

    def _find(self, name: ServiceName) -> ServicePlanner:
        return next(one for one in self._services if one.service.name == name)

    def inputs(self) -> tuple[Input, ...]:
        """Everything that the model and its services are made of, in the model's order."""
        whole = tuple(
            Input(None, path, what) for path, what in sorted(self._facts.model_files.items())
        )
        return whole + tuple(
            one for service in self._services for one in list_inputs(service, self._layers)
        )

    def _plan_model(self, path: str) -> tuple[PlannedChange, ...]:
        """`reload` for the files that the merged model is made of."""
        users = self._env_files.get(path)
        if users is not None:
            return tuple(
                PlannedChange(
                    path,
                    ServiceName(name),
                    WatchAction.RELOAD,
                    "an env file of the service: its variables are read again",
                    because=env_file_place(self._layers, name, path),
                )
                for name in users
            )
        what = self._facts.model_files.get(path)
        if what is None:
            folder, name = posixpath.split(path)
            if folder in self._facts.model_directories and name.endswith(".toml"):
                what = "profile"
        if what is None:
            return ()
        reason = f"{what}: the model is computed again, services whose configuration changed follow"
        return (PlannedChange(path, None, WatchAction.RELOAD, reason, because=Place(path)),)

    def _nothing(self, path: str, reason: str, because: Place | None = None) -> PlannedChange:
        return PlannedChange(path, None, WatchAction.IGNORE, reason, because=because)


def _find_env_files(layers: Layers) -> dict[str, list[str]]:
    """Absolute path of an `env_file` or `label_file` -> the services that name it."""
    from devenv.compose.layers import entries, items, resolve_path, scalar

    found: dict[str, list[str]] = {}
    for name in layers.service_names():
        for key in ("env_file", "label_file"):
            for entry in layers.find_all("services", name, key):
                for node in items(entry.value) or [entry.value]:
                    written = scalar(node)
                    if written is None:
                        pairs = entries(node)
                        written = next(
                            (scalar(v) for k, v in pairs if str(k.value) == "path"), None
                        )
                    if written and "$" not in written:
                        path = resolve_path(entry.path, layers.directory, written)
                        users = found.setdefault(path, [])
                        if name not in users:
                            users.append(name)
    return found
