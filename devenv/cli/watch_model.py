"""What is watched: a session's model with its plan, loaded once and exchanged as a whole."""

from __future__ import annotations

import os
from pathlib import Path

from devenv.cli.session import Session
from devenv.cli.watching import load_planner
from devenv.compose.images import image_of, resolve_build_key
from devenv.compose.model import Project
from devenv.compose.names import ServiceName
from devenv.compose.watch import WatchPlanner
from devenv.host.check_files import FileReader
from devenv.values import dataclass
from devenv.watch.sources import SKIPPED


@dataclass(frozen=True, slots=True)
class WatchModel:
    """A loaded model; a reload makes a new one."""

    session: Session
    project: Project
    planner: WatchPlanner
    reader: FileReader
    """What the plan depends on, as it was read."""

    def renewed(self) -> WatchModel:
        """The same merged model with a plan of the files as they are now."""
        reader = FileReader()
        planner = load_planner(self.session, reader)
        return WatchModel(self.session, self.project, planner, reader)

    @property
    def directory(self) -> Path:
        return self.session.files.directory

    @property
    def stop_seconds(self) -> int:
        """How long a container may take to stop: `[watch] stop_timeout`."""
        return max(0, round(self.session.files.settings.watch.stop_timeout_seconds))

    @property
    def stop_options(self) -> tuple[str, ...]:
        """The same for Compose."""
        return ("--timeout", str(self.stop_seconds))

    def find_roots(self) -> list[str]:
        """The directories in which something is read: contexts, mounts, rules."""
        roots = []
        for one in self.planner.inputs():
            path = one.path
            while any(c in path for c in "*?[") or not Path(path).is_dir():
                parent = str(Path(path).parent)
                if parent == path:
                    break
                path = parent
            if one.service is not None and Path(path).name not in SKIPPED:
                roots += [path, os.path.realpath(path)]
        home = {str(Path("/")), str(Path.home())}
        return [root for root in dict.fromkeys(roots) if root not in home]

    def find_files(self) -> list[str]:
        """The files that the model itself is read from."""
        return [one.path for one in self.planner.inputs() if one.service is None]

    def find_services(self) -> tuple[ServiceName, ...]:
        """The services that something of this machine goes into, in the model's order."""
        found = (one.service for one in self.planner.inputs())
        return tuple(dict.fromkeys(name for name in found if name is not None))

    def find_sharing(self, name: ServiceName) -> tuple[ServiceName, ...]:
        """The services of the same build, itself among them: those that are built first, then
        those that only run its image; each in the model's order.

        Their images may have names of their own: one build serves them all.
        """
        key = resolve_build_key(self.project, self._find_owner(name))
        if key is None:
            return (name,)
        built = [
            one for one in self.project.services if resolve_build_key(self.project, one) == key
        ]
        names = {self.image_of(one) for one in built}
        users = [
            one
            for one, service in self.project.services.items()
            if service.build is None and service.image in names
        ]
        return (*built, *users)

    def find_lane(self, name: ServiceName) -> ServiceName:
        """The service that stands for all of the same build."""
        return self.find_sharing(name)[0]

    def _find_owner(self, name: ServiceName) -> ServiceName:
        """The service whose build makes the image that a service runs."""
        services = self.project.services
        if services[name].build is None:
            for other, service in services.items():
                if service.build is not None and self.image_of(other) == services[name].image:
                    return other
        return name

    def is_built(self, name: ServiceName) -> bool:
        """Whether the image of a service is built here, be it as another one's."""
        return self.project.services[self._find_owner(name)].build is not None

    def image_of(self, name: ServiceName) -> str:
        """The name of a service's image."""
        return image_of(self.project, name)


def load_watch_model(session: Session) -> WatchModel:
    """Raises DevenvError where the files do not load."""
    reader = FileReader()
    return WatchModel(session, session.project, load_planner(session, reader), reader)
