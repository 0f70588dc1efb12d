"""The hook that failed last in an environment, in devenv's memory, for whoever asks later."""

from __future__ import annotations

import json

from devenv.cli.session import Session
from devenv.compose.names import EnvironmentName
from devenv.host import paths
from devenv.host.documents import forget_documents, load_document, remember_document
from devenv.host.memory import open_existing, open_memory
from devenv.state.hooks import HookRun
from devenv.values import dataclass

_KIND = "hook"


@dataclass(frozen=True, slots=True)
class HookFailure:
    """What is known of it."""

    event: str
    text: str
    message: str


def _owner(session: Session, name: EnvironmentName) -> str:
    return f"{name} on {session.endpoint.url}"


def remember_failure(session: Session, name: EnvironmentName, run: HookRun) -> None:
    """Keep it until a hook of the environment runs well, or it is started or removed."""
    message = run.problem.message if run.problem is not None else run.detail
    text = json.dumps([run.event, run.text, message])
    with open_memory(paths.state_directory(session.environ), lambda _: None) as memory:
        remember_document(memory, _owner(session, name), _KIND, text)


def forget_failure(session: Session, name: EnvironmentName) -> None:
    """It is over; without a memory there is nothing to forget."""
    if load_failure(session, name) is not None:
        with open_memory(paths.state_directory(session.environ), lambda _: None) as memory:
            forget_documents(memory, _owner(session, name), _KIND)


def load_failure(session: Session, name: EnvironmentName) -> HookFailure | None:
    """The hook that failed; None where none did."""
    with open_existing(paths.state_directory(session.environ)) as memory:
        text = load_document(memory, _owner(session, name), _KIND)
    try:
        return None if text is None else HookFailure(*map(str, json.loads(text)))
    except (ValueError, TypeError):
        return None
