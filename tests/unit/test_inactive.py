"""Services that the profile leaves out: which they are, and how the state shows them."""

from __future__ import annotations

from typing import Any

from devenv.cli.inactive import find_inactive
from devenv.compose.names import ServiceName
from devenv.state import actions as do
from devenv.state.model import InactiveService, Operation, OperationKind, ServiceStatus, State
from devenv.state.reduce import reduce
from tests.unit.projects import make_container, make_project, make_state

APP, DB, MAILER, TOOLS = map(ServiceName, ("app", "db", "mailer", "tools"))
ALL: dict[str, Any] = {
    "db": {},
    "app": {"depends_on": {"db": {"condition": "service_started"}}},
    "tools": {"profiles": ["debug", "nightly"]},
    "mailer": {"profiles": ["mail"]},
}
ACTIVE = {name: ALL[name] for name in ("db", "app")}


def run(*actions: do.Action) -> State:
    state = make_state()
    for action in actions:
        state, _ = reduce(state, action)
    return state


def rows(state: State) -> list[tuple[str, str, str]]:
    return [(one.name, one.status.value, one.detail) for one in state.services]


def test_what_other_compose_profiles_enable_is_left_out() -> None:
    found = find_inactive(make_project(ACTIVE), make_project(ALL), ())
    assert found == (
        InactiveService(MAILER, ("mail",)),
        InactiveService(TOOLS, ("debug", "nightly")),
    )


def test_what_the_profiles_services_and_their_dependencies_do_not_name_is_left_out() -> None:
    found = find_inactive(make_project(ALL), make_project(ALL), (APP,))
    assert found == (InactiveService(MAILER), InactiveService(TOOLS))
    assert find_inactive(make_project(ACTIVE), make_project(ACTIVE), ()) == ()


def test_left_out_services_come_last_and_say_what_would_enable_them() -> None:
    inactive = do.InactiveFound(find_inactive(make_project(ACTIVE), make_project(ALL), ()))
    state = run(
        do.ModelLoaded(make_project(ACTIVE)), do.ContainerChanged(make_container("zulu")), inactive
    )
    assert rows(state)[2:] == [
        ("zulu", "running", "running, not in this profile"),
        ("mailer", "not in profile", "Compose profile: mail"),
        ("tools", "not in profile", "Compose profiles: debug, nightly"),
    ]


def test_a_left_out_service_with_a_container_or_a_start_shows_that() -> None:
    project = make_project(ALL)
    inactive = do.InactiveFound((InactiveService(MAILER), InactiveService(TOOLS)))
    state = run(do.ModelLoaded(project), inactive, do.ContainerChanged(make_container("mailer")))
    assert ("mailer", "running", "") in rows(state)
    assert rows(state)[-1] == ("tools", "not in profile", "the profile's services do not name it")
    starting = do.OperationStarted(Operation(OperationKind.UP, (TOOLS,)))
    state = run(do.ModelLoaded(project), inactive, starting)
    tools = state.service(TOOLS)
    assert tools is not None and tools.status is ServiceStatus.STARTING
