"""Which keys of a service differ from its start, and that no secret is kept or shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from devenv.compose.drift import find_differences, keep_service, parse_kept
from devenv.compose.names import ServiceName
from devenv.compose.secrets import MASK
from devenv.host.memory import open_memory
from devenv.host.started_models import KEPT_EACH, load_kept, remember_models
from devenv.state import actions as do
from devenv.state.drift import Drift, render_drift
from devenv.state.effects import Effect, ExplainDrift
from devenv.state.model import Operation, OperationKind, ServiceState, ServiceStatus, State
from devenv.state.reduce import reduce
from tests.unit.projects import make_container, make_project, make_state

RAW: dict[str, Any] = {
    "image": "app:1",
    "command": ["serve", "--port", "80"],
    "environment": {"MODE": "dev", "DB_PASSWORD": "hunter2", "URL": "pg://u:pw@db/x", "N": None},
    "ports": [{"target": 80, "published": "8080"}],
    "privileged": False,
    "deploy": {"replicas": 2, "resources": {"limits": {"memory": "1"}}},
    "build": {"context": "."},
    "depends_on": {"db": {"condition": "service_started"}},
    "profiles": ["x"],
    "scale": 2,
    "pull_policy": "always",
}


def _texts(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [one.text for one in find_differences(keep_service(before), after)]


def test_nothing_differs_from_itself() -> None:
    assert _texts(RAW, RAW) == []


def test_each_key_that_differs() -> None:
    after = {
        **RAW,
        "image": "app:2",
        "command": ["serve"],
        "environment": {"MODE": "test", "DB_PASSWORD": "hunter3", "URL": "pg://u:pw2@db/x"},
        "ports": [{"target": 80, "published": "9090"}],
        "privileged": True,
    }
    assert _texts(RAW, after) == [
        "command[1]: --port → (none)",
        "command[2]: 80 → (none)",
        f"environment.DB_PASSWORD: {MASK} → {MASK}",
        "environment.MODE: dev → test",
        "environment.N: null → (none)",
        f"environment.URL: {MASK} → {MASK}",
        "image: app:1 → app:2",
        "ports[0].published: 8080 → 9090",
        "privileged: false → true",
    ]


def test_what_compose_does_not_hash_is_no_difference() -> None:
    after = {
        **RAW,
        "build": {"context": "other"},
        "depends_on": {},
        "profiles": [],
        "scale": 5,
        "pull_policy": "missing",
        "deploy": {"replicas": 9, "resources": {"limits": {"memory": "1"}}},
    }
    assert _texts(RAW, after) == []


def test_no_secret_is_kept() -> None:
    kept = keep_service(RAW).to_json()
    assert "hunter2" not in kept
    assert "pw" not in kept
    again = keep_service(RAW).to_json()
    assert kept != again  # another salt: equal secrets cannot be told by looking


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda part: (
        st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=4), part, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=6), _VALUES, max_size=4))
def test_json_there_and_back(raw: dict[str, Any]) -> None:
    kept = keep_service(raw)
    assert parse_kept(kept.to_json()) == kept
    assert find_differences(kept, raw) == ()


def test_damaged_memory_is_as_none() -> None:
    for text in ("", "[]", "{}", '{"salt": 1, "leaves": 3}'):
        assert parse_kept(text) is None


def test_models_are_kept_by_hash_and_bounded(tmp_path: Path) -> None:
    name = ServiceName("app")
    with open_memory(tmp_path, print) as memory:
        for index in range(KEPT_EACH + 4):
            project = make_project({"app": {"image": f"app:{index}"}})
            remember_models(memory, "unix", project, {name: f"hash{index}"})
        kept = load_kept(memory, "unix", "shop", "app", f"hash{KEPT_EACH + 3}")
        assert kept is not None
        [difference] = find_differences(kept, {"image": "app:x"})
        assert difference.text == f"image: app:{KEPT_EACH + 3} → app:x"
        assert load_kept(memory, "unix", "shop", "app", "hash0") is None
        assert load_kept(memory, "tcp", "shop", "app", f"hash{KEPT_EACH + 3}") is None


APP = ServiceName("app")


def _after(*actions: do.Action) -> tuple[State, list[Effect]]:
    state = make_state()
    effects: list[Effect] = []
    for action in actions:
        state, asked = reduce(state, action)
        effects += asked
    return state, [effect for effect in effects if isinstance(effect, ExplainDrift)]


def _drift(state: State) -> tuple[str, ...] | None:
    service = state.service(APP)
    assert service is not None
    return service.drift


LOADED = do.ModelLoaded(make_project({"app": {"image": "app"}}))
RUNNING = do.ContainerChanged(make_container("app", config_hash="old"))
HASHES = do.HashesLoaded({APP: "new"})


def test_a_stale_service_is_explained_once_in_either_order() -> None:
    asked: list[Effect] = [ExplainDrift(APP, "old")]
    for order in ((LOADED, RUNNING, HASHES), (LOADED, HASHES, RUNNING)):
        state, effects = _after(*order, RUNNING, HASHES)
        assert effects == asked
        assert _drift(state) == ()
        explained = do.DriftExplained(APP, Drift("old", ("image: a → b", "user: 1 → 2")))
        state, _ = reduce(state, explained)
        assert _drift(state) == ("image: a → b", "user: 1 → 2")
        service = state.service(APP)
        assert service is not None
        assert render_drift(service) == "stale: image, user"


def test_another_edit_or_another_container_is_explained_again() -> None:
    recreated = do.ContainerChanged(make_container("app", config_hash="new"))
    state, effects = _after(LOADED, RUNNING, HASHES, do.HashesLoaded({APP: "newer"}))
    assert len(effects) == 2
    state, _ = reduce(state, do.HashesLoaded({APP: "new"}))
    state, _ = reduce(state, recreated)
    assert _drift(state) is None


def test_what_does_not_run_or_has_no_hash_is_not_stale() -> None:
    stopped = do.ContainerChanged(make_container("app", config_hash="old", state="exited"))
    foreign = do.ContainerChanged(make_container("app", config_hash=""))
    for container in (stopped, foreign):
        state, effects = _after(LOADED, container, HASHES)
        assert effects == []
        assert _drift(state) is None


def test_an_old_explanation_is_not_shown_for_another_container() -> None:
    explained = do.DriftExplained(APP, Drift("older", ("image: a → b",)))
    state, _ = _after(LOADED, RUNNING, HASHES, explained)
    assert _drift(state) == ()


def test_a_row_names_three_keys() -> None:
    lines = tuple(f"environment.K{index}: a → b" for index in range(5))
    service = ServiceState(APP, ServiceStatus.RUNNING, drift=lines)
    assert render_drift(service) == (
        "stale: environment.K0, environment.K1, environment.K2 and 2 more"
    )


def test_a_recreation_of_all_that_was_stale_applies_the_change_of_the_files() -> None:
    changed = do.ModelLoaded(make_project({"app": {"image": "app:2"}}))
    began = do.OperationStarted(Operation(OperationKind.RECREATE, (APP,), 5.0))
    ended = do.OperationFinished(OperationKind.RECREATE, None, 6.0)
    recreated = do.ContainerChanged(make_container("app", config_hash="new"))
    state, _ = _after(LOADED, RUNNING, changed, HASHES)
    assert state.model_changed
    for order in ((began, recreated, ended), (began, ended, recreated)):
        after = state
        for action in order:
            after, _ = reduce(after, action)
        assert not after.model_changed
    still, _ = _after(LOADED, RUNNING, changed, HASHES, began, ended)
    assert still.model_changed
