"""Which services run with another configuration than the files say now, and which keys differ."""

from __future__ import annotations

from collections.abc import Mapping

from devenv.cli.session import Session
from devenv.compose.borrowed import comparable_hashes
from devenv.compose.drift import find_differences
from devenv.compose.model import Project
from devenv.compose.names import ServiceName
from devenv.compose.plan import Explain
from devenv.errors import DevenvError
from devenv.host import paths
from devenv.state.drift import Drift, find_unexplained
from devenv.state.model import State
from devenv.state.services import resolve_services
from devenv.state.text import sanitize
from devenv.values import replace


def load_hashes(session: Session) -> dict[ServiceName, str]:
    """Compose's hashes of the session's model that can be held against those of containers; empty
    where Compose does not say."""
    try:
        return comparable_hashes(session.project.document, session.hashes)
    except DevenvError:
        return {}


def remember_started(session: Session, project: Project, hashes: Mapping[ServiceName, str]) -> None:
    """Keep the configuration that is about to be started; without a memory it is forgotten."""
    from devenv.host.memory import open_memory
    from devenv.host.started_models import remember_models

    with open_memory(paths.state_directory(session.environ), lambda _: None) as memory:
        remember_models(memory, session.endpoint.url, project, hashes)


def load_drift(session: Session, project: Project, service: ServiceName, digest: str) -> Drift:
    """How a service of the model differs from the configuration behind a hash."""
    from devenv.host.memory import open_existing
    from devenv.host.started_models import load_kept

    with open_existing(paths.state_directory(session.environ)) as memory:
        kept = load_kept(memory, session.endpoint.url, project.name, service, digest)
    raw = (project.document.get("services") or {}).get(service)
    if kept is None or raw is None:
        return Drift(digest, ())
    lines = (sanitize(one.text) for one in find_differences(kept, raw))
    return Drift(digest, tuple(lines))


def add_drift(session: Session, state: State) -> State:
    """The state with what is known of stale services, for a command that looks once."""
    project = state.project
    if project is None or not state.containers:
        return state
    seen = replace(state, hashes=load_hashes(session))
    seen = replace(seen, services=resolve_services(seen))
    drifts = {
        service: load_drift(session, project, service, digest)
        for service, digest in find_unexplained(seen, state)
    }
    return replace(seen, drifts=drifts)


def explain_with(session: Session, project: Project) -> Explain:
    """What tells a plan which keys of a service differ from what runs."""

    def explain(service: ServiceName, digest: str) -> list[str]:
        drift = load_drift(session, project, service, digest)
        return [difference.partition(": ")[0] for difference in drift.differences]

    return explain
