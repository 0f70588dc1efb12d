"""Which services of the Compose files the selection leaves out."""

from __future__ import annotations

from devenv.cli.session import Session
from devenv.compose.graph import resolve_closure
from devenv.compose.model import Project
from devenv.compose.names import ServiceName
from devenv.errors import DevenvError
from devenv.state.model import InactiveService


def load_inactive(session: Session) -> tuple[InactiveService, ...]:
    """The services that the profile leaves out, by name.

    Empty where the model does not load with every Compose profile active: what is wrong in a
    service that nobody asked for is for the checks to say.
    """
    project = session.project
    try:
        everything = session.load_everything()
    except DevenvError:
        everything = project
    return find_inactive(project, everything, session.profile_services)


def find_inactive(
    project: Project, everything: Project, named: tuple[ServiceName, ...]
) -> tuple[InactiveService, ...]:
    """What `project` has less than `everything`, and what `named` and their dependencies leave
    out; `named` empty: nothing."""
    wanted = resolve_closure(project, named) if named else frozenset(project.services)
    found = [
        InactiveService(name, () if name in project.services else service.profiles)
        for name, service in {**everything.services, **project.services}.items()
        if name not in wanted
    ]
    return tuple(sorted(found, key=lambda one: one.name))
