"""What an environment shares with the others, for commands that only look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devenv.cli.session import Session
from devenv.engine.containers_now import observe_once
from devenv.errors import DevenvError
from devenv.state.containers import Container

if TYPE_CHECKING:
    from devenv.compose.shared import SharedPlan


def find_shared(session: Session) -> SharedPlan | None:
    """What this environment shares; None where it shares nothing, or its files do not load."""
    try:
        if not session.files.settings.isolation.shared:
            return None
        isolated = session.isolated
    except DevenvError:
        return None
    return isolated.shared if isolated is not None else None


async def observe_shared(session: Session, plan: SharedPlan | None) -> tuple[Container, ...]:
    """The containers of the services that an environment shares, by service and number."""
    if plan is None:
        return ()
    found = await observe_once(session.client, plan.name)
    return tuple(container for container in found if container.service in plan.services)
