"""What is watched: a session's model with its plan, loaded once and exchanged as a whole."""

from __future__ import annotations

from pathlib import Path

from devenv.cli.session import Session
from devenv.cli.watching import load_planner
from devenv.compose.model import Project
from devenv.compose.names import ServiceName
from devenv.compose.watch import WatchPlanner
from devenv.values import dataclass
from devenv.watch.sources import SKIPPED


@dataclass(frozen=True, slots=True)
class WatchModel:
    """A loaded model; a reload makes a new one."""

    session: Session
    project: Project
    planner: WatchPlanner

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
                roots.append(path)
        home = {str(Path("/")), str(Path.home())}
        return [root for root in dict.fromkeys(roots) if root not in home]

    def find_files(self) -> list[str]:
        """The files that the model itself is read from."""
        return [one.path for one in self.planner.inputs() if one.service is None]

    def find_services(self) -> tuple[ServiceName, ...]:
        """The services that something of this machine goes into, in the model's order."""
        found = (one.service for one in self.planner.inputs())
        return tuple(dict.fromkeys(name for name in found if name is not None))

    def find_sharing(self, name: ServiceName) -> list[ServiceName]:
        """The services that run the same image as this one's build, itself first."""
        services, project = self.project.services, self.project.name
        image = services[name].image or f"{project}-{name}"
        others = [
            other
            for other, service in services.items()
            if other != name
            and service.build is not None
            and (service.image or f"{project}-{other}") == image
        ]
        return [name, *others]


def load_watch_model(session: Session) -> WatchModel:
    """Raises DevenvError where the files do not load."""
    return WatchModel(session, session.project, load_planner(session))
