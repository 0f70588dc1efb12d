"""What a hook finds in its environment: the Compose environment that it runs for."""

from __future__ import annotations

from collections.abc import Mapping

from devenv.cli.exclusive import HOLDS
from devenv.cli.session import Session
from devenv.compose.names import EnvironmentName
from devenv.errors import DevenvError
from devenv.host.last_starts import LastStart


def hook_variables(
    session: Session, name: EnvironmentName, event: str, before: LastStart | None
) -> dict[str, str]:
    """The `DEVENV_*` variables, which a hook in a service gets too."""
    files = session.files
    branch = files.git.effective_branch if files.git is not None else None
    variables = {
        "DEVENV_HOOK": event,
        "DEVENV_ENVIRONMENT": name,
        "DEVENV_PROFILE": files.choice.name or "",
        "DEVENV_BRANCH": branch or "",
        "DEVENV_DIRECTORY": str(files.root),
        **files.own_variables,
    }
    if event == "after_switch" and before is not None:
        variables["DEVENV_BEFORE_PROFILE"] = before.profile or ""
        variables["DEVENV_BEFORE_BRANCH"] = before.branch or ""
    try:
        isolated = session.isolated
    except DevenvError:
        return variables
    return {**variables, **((isolated.variables or {}) if isolated is not None else {})}


def hook_environ(
    session: Session, name: EnvironmentName, variables: Mapping[str, str], *, holds: bool
) -> dict[str, str]:
    """All variables of a hook on this machine: devenv's own, Compose's, and the user's."""
    try:
        compose = session.selection.shell_variables()
    except DevenvError:  # before_down, with files that no longer load
        compose = {"COMPOSE_PROJECT_NAME": name}
    held = {HOLDS: name} if holds else {}
    return {**session.environ, **compose, **variables, **held}
