"""The screen as a picture. Look at a changed one before `pytest --snapshot-update`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from devenv.state.model import State
from tests.tui import states
from tests.tui.harness import make

SnapCompare = Callable[..., bool]


@pytest.mark.parametrize(
    ("build", "size", "theme", "keys"),
    [
        pytest.param(states.empty, (120, 36), None, (), id="first-frame"),
        pytest.param(states.starting, (120, 36), None, (), id="starting"),
        pytest.param(states.healthy, (120, 36), None, (), id="healthy"),
        pytest.param(states.healthy, (80, 24), None, ("down",), id="healthy-80x24"),
        pytest.param(states.failed, (120, 36), None, (), id="failed"),
        pytest.param(states.failed, (80, 24), None, (), id="failed-80x24"),
        pytest.param(states.engine_lost, (120, 36), None, (), id="engine-lost"),
        pytest.param(states.model_failed, (120, 36), None, (), id="model-failed"),
        pytest.param(states.failed, (120, 36), "textual-light", ("g",), id="light-graph"),
        pytest.param(states.healthy, (120, 36), None, ("c",), id="config"),
        pytest.param(states.healthy, (120, 36), None, ("p",), id="profile"),
        pytest.param(states.healthy, (120, 36), None, ("q",), id="quit"),
        pytest.param(states.healthy, (200, 50), None, (), id="healthy-200x50"),
        pytest.param(states.failed, (200, 50), None, ("g", "down"), id="failed-200x50-graph"),
        pytest.param(states.healthy, (120, 36), "textual-light", ("down",), id="light-chosen"),
        pytest.param(states.failed, (200, 50), "high-contrast", (), id="high-contrast-200x50"),
        pytest.param(states.checked, (80, 24), "high-contrast", ("C",), id="high-contrast-80x24"),
        pytest.param(states.checked, (120, 36), None, ("C",), id="checks"),
        pytest.param(states.checked, (80, 24), None, ("C",), id="checks-80x24"),
        pytest.param(states.with_env, (120, 36), None, ("V",), id="env"),
        pytest.param(states.with_env, (80, 24), None, ("V",), id="env-80x24"),
    ],
)
def test_screen(
    snap_compare: SnapCompare,
    build: Callable[[], State],
    size: tuple[int, int],
    theme: str | None,
    keys: tuple[str, ...],
) -> None:
    app = make(build(), states.lines()).app
    if theme:
        app.theme = theme
    assert snap_compare(app, terminal_size=size, press=keys)


@pytest.mark.parametrize(
    ("size", "theme", "keys"),
    [
        pytest.param((120, 36), None, ("T",), id="all"),
        pytest.param((120, 36), "textual-light", ("T", "D"), id="light-details"),
        pytest.param((80, 24), None, ("T", "down"), id="80x24-one"),
    ],
)
def test_timeline(
    snap_compare: SnapCompare, size: tuple[int, int], theme: str | None, keys: tuple[str, ...]
) -> None:
    app = make(states.started(), states.lines()).app
    if theme:
        app.theme = theme
    assert snap_compare(app, terminal_size=size, press=keys)


@pytest.mark.parametrize(
    ("size", "theme", "keys"),
    [
        pytest.param((120, 36), None, ("U",), id="start-order"),
        pytest.param((80, 24), None, ("U", "greater_than_sign", "greater_than_sign"), id="80x24"),
        pytest.param((200, 50), None, ("U", "less_than_sign"), id="200x50-block"),
        pytest.param((240, 40), "textual-light", ("U", *["down"] * 4), id="240x40-light-replicas"),
    ],
)
def test_stats(
    snap_compare: SnapCompare, size: tuple[int, int], theme: str | None, keys: tuple[str, ...]
) -> None:
    app = make(states.measured(), states.lines()).app
    if theme:
        app.theme = theme
    assert snap_compare(app, terminal_size=size, press=keys)


def test_stats_without_colours(snap_compare: SnapCompare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make(states.measured(), states.lines()).app
    assert snap_compare(app, terminal_size=(120, 30), press=("U", "down"))


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)], ids="{0[0]}x{0[1]}".format)
def test_screen_without_colours(
    snap_compare: SnapCompare, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make(states.failed(), states.lines()).app
    assert snap_compare(app, terminal_size=size, press=("down",))
