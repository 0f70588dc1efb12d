"""Keys, selection, and how the UI is left."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from textual.app import App
from textual.binding import Binding
from textual.pilot import Pilot
from textual.widgets import Input, TabbedContent
from textual.widgets._footer import FooterKey

from devenv.state.actions import ContainersObserved, OperationFinished
from devenv.state.effects import CancelOperation, RunOperation
from devenv.state.model import OperationKind
from devenv.tui.keys import find_front_bindings, load_bindings
from devenv.tui.screens import Help, Question
from devenv.tui.services import ServiceList
from devenv.tui.tabs import find_tabs
from devenv.tui.tabs.config import Tab as ConfigTab
from tests.tui import states
from tests.tui.harness import Harness, make, until

SIZE = (120, 36)


async def press(pilot: Pilot[str], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


def choose(harness: Harness, service: str) -> None:
    names = [row.name for row in harness.store.state.services]
    harness.app.query_one(ServiceList).highlighted = names.index(states.name(service))


async def test_engine_work_begins_after_the_first_frame() -> None:
    harness = make(states.empty())
    assert harness.ready == []
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert harness.ready == [states.NOW]


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("u", OperationKind.UP),
        ("r", OperationKind.RESTART),
        ("s", OperationKind.STOP),
        ("S", OperationKind.START),
    ],
)
async def test_operations_act_on_the_chosen_service_or_on_all(
    key: str, kind: OperationKind
) -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        await press(pilot, key)
        choose(harness, "app")
        await press(pilot, key)
        assert harness.drain() == [
            RunOperation(kind),
            RunOperation(kind, (states.name("app"),)),
        ]


async def test_nothing_is_asked_while_an_operation_runs_and_x_cancels_it() -> None:
    harness = make(states.starting())
    async with harness.app.run_test(size=SIZE) as pilot:
        await press(pilot, "r", "x")
        assert harness.drain() == [CancelOperation()]


async def test_down_asks_first() -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        await press(pilot, "d")
        await press(pilot, "enter")
        assert harness.drain() == []
        await press(pilot, "d")
        await press(pilot, "right")
        await press(pilot, "enter")
        assert harness.drain() == [RunOperation(OperationKind.DOWN)]


async def test_the_cursor_drives_the_tabs_and_escape_goes_back_to_all() -> None:
    harness = make(states.healthy(), states.lines())
    async with harness.app.run_test(size=SIZE) as pilot:
        tabs = harness.app.query_one(TabbedContent)
        assert tabs.border_title == "all services"
        await press(pilot, "j")
        assert tabs.border_title == "cache"
        await until(pilot, lambda: "1 line " in str(tabs.border_subtitle))
        await press(pilot, "down", "k")
        assert tabs.border_title == "cache"
        await press(pilot, "escape")
        assert tabs.border_title == "all services"
        await until(pilot, lambda: "6 lines" in str(tabs.border_subtitle))


async def test_the_choice_survives_new_services_and_falls_back_when_it_is_gone() -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        tabs = harness.app.query_one(TabbedContent)
        choose(harness, "mailer")
        await pilot.pause()
        more = (*harness.store.state.containers.values(), states.container("aaa"))
        harness.dispatch(ContainersObserved(more))
        await pilot.pause()
        assert tabs.border_title == "mailer"
        harness.dispatch(ContainersObserved(()))
        await pilot.pause()
        assert tabs.border_title == "all services"


async def test_a_click_chooses_a_service() -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.click("#services", offset=(4, 2))
        await pilot.pause()
        assert harness.app.query_one(TabbedContent).border_title == "db"


async def test_tab_keys_and_brackets() -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        for tab in find_tabs():
            await press(pilot, tab.KEY)
            assert harness.app.tabs.visible_tab.TITLE == tab.TITLE
        await press(pilot, "right_square_bracket")
        assert harness.app.tabs.visible_tab.TITLE == "Logs"
        await press(pilot, "left_square_bracket")
        assert harness.app.tabs.visible_tab.TITLE == find_tabs()[-1].TITLE


async def test_secrets_are_masked_until_v() -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        tab = next(tab for tab in harness.app.tabs.tabs if isinstance(tab, ConfigTab))
        await press(pilot, "v")
        assert not tab.reveal
        await press(pilot, "c")
        assert "hunter2" not in tab._text.plain
        await press(pilot, "v")
        assert "hunter2" in tab._text.plain
        await press(pilot, "v")
        assert "hunter2" not in tab._text.plain


async def test_letters_typed_into_the_filter_are_not_keys() -> None:
    harness = make(states.healthy(), states.lines())
    async with harness.app.run_test(size=SIZE) as pilot:
        await press(pilot, "slash", "q", "s", "d")
        assert harness.app.query_one(Input).value == "qsd"
        assert harness.drain() == []
        area = harness.app.query_one(TabbedContent)
        await until(pilot, lambda: "6 lines · /qsd 0 found" in str(area.border_subtitle))
        await press(pilot, "escape")
        await until(pilot, lambda: "6 lines · following" in str(area.border_subtitle))


async def test_the_search_ignores_case_and_colours() -> None:
    harness = make(states.healthy(), states.lines())
    async with harness.app.run_test(size=SIZE) as pilot:
        await press(pilot, "slash", *"LISTENING")
        await until(
            pilot,
            lambda: (
                "/LISTENING 1 of 1" in str(harness.app.query_one(TabbedContent).border_subtitle)
            ),
        )
        harness.app.query_one(Input).value = "notes 304 3"
        await pilot.pause()
        await until(
            pilot, lambda: "1 of 1" in str(harness.app.query_one(TabbedContent).border_subtitle)
        )


async def test_q_leaves_at_once_when_nothing_runs() -> None:
    harness = make(states.connected())
    async with harness.app.run_test(size=SIZE) as pilot:
        await press(pilot, "q")
    assert harness.app.return_value == "leave"


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("q", "enter"), "leave"),
        (("q", "right", "enter"), "stop"),
        (("ctrl+c", "ctrl+c"), "leave"),
        (("ctrl+q", "enter"), "leave"),
    ],
)
async def test_q_asks_when_the_environment_runs(keys: tuple[str, ...], answer: str) -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        for key in keys:
            await press(pilot, key)
    assert harness.app.return_value == answer


@pytest.mark.parametrize("keys", [("escape",), ("left", "enter")])
async def test_quitting_can_be_cancelled(keys: tuple[str, ...]) -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        await press(pilot, "q")
        assert [type(screen) for screen in harness.app.screen_stack][1:] == [Question]
        for key in keys:
            await press(pilot, key)
        assert len(harness.app.screen_stack) == 1
        assert harness.app.is_running


async def test_states_are_shown_while_a_question_is_open() -> None:
    harness = make(states.starting())
    async with harness.app.run_test(size=SIZE) as pilot:
        await press(pilot, "q")
        harness.dispatch(OperationFinished(OperationKind.UP))
        await pilot.pause()
        await press(pilot, "escape")
        drawn = harness.app._panes._drawn["#status"].plain
        assert drawn == " ◐ up: db health check under way"


async def test_help_lists_every_key_and_the_palette_every_action() -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        titles = {c.title for c in harness.app.get_system_commands(harness.app.screen)}
        assert {b.description for b in load_bindings() if b.key not in ("j", "k")} <= titles
        assert {"Quit", "Help", "Logs tab"} <= titles
        await press(pilot, "question_mark")
        assert isinstance(harness.app.screen, Help)
        said = {what for _, what in harness.app.screen._rows}
        own = {b.description for tab in find_tabs() for b in tab.BINDINGS if isinstance(b, Binding)}
        assert {b.description for b in load_bindings()} | own <= said and own
        await press(pilot, "escape")
        assert not isinstance(harness.app.screen, Help)


async def test_no_key_is_given_twice() -> None:
    front = {binding.key for binding in find_front_bindings(load_bindings())}
    assert front == {"b", "p", "x"}
    keys = [key for binding in load_bindings() for key in binding.key.split(",")]
    twice = {key for key in keys if keys.count(key) > 1}
    assert twice == {"p", "x"} < front


async def test_open_and_copy_take_the_first_published_address() -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        choose(harness, "app")
        await press(pilot, "o", "y")
        await harness.app.workers.wait_for_complete()
        assert harness.opened == ["http://localhost:3000"]
        assert harness.app.clipboard == "http://localhost:3000"
        choose(harness, "cache")
        await press(pilot, "o")
        assert harness.opened == ["http://localhost:3000"]


async def test_a_terminal_that_cannot_be_lent_is_said() -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        choose(harness, "app")
        await press(pilot, "e")
        (note,) = harness.app._notifications
        assert "devenv shell app" in note.message


@pytest.mark.parametrize(("fails", "said"), [(False, "exit code 7"), (True, "no docker")])
async def test_the_terminal_comes_back_after_a_shell(
    monkeypatch: pytest.MonkeyPatch, fails: bool, said: str
) -> None:
    """The suspension is left in the ordinary way even where the shell cannot be started."""
    harness = make(states.healthy())
    steps: list[str] = []

    @contextmanager
    def suspend(self: App[str]):  # type: ignore[no-untyped-def]
        steps.append("lent")
        yield
        steps.append("back")

    def run_shell(service: str) -> int:
        steps.append(service)
        if fails:
            raise FileNotFoundError("no docker")
        return 7

    monkeypatch.setattr(App, "suspend", suspend)
    ports = harness.app._ports
    object.__setattr__(ports, "run_shell", run_shell)
    async with harness.app.run_test(size=SIZE) as pilot:
        choose(harness, "app")
        await press(pilot, "E")
        assert steps == ["lent", "app", "back"]
        (note,) = harness.app._notifications
        assert said in note.message


async def test_on_a_wide_screen_the_logs_stay_in_view_beside_the_last_other_tab() -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=(200, 50)) as pilot:
        panes = harness.app.tabs

        async def shown(*titles: str) -> None:
            def is_so() -> bool:
                displayed = [tab.TITLE for tab in panes.tabs if tab.region.width > 0]
                return displayed == [tab.TITLE for tab in panes.visible_tabs] == list(titles)

            await until(pilot, is_so)

        await press(pilot)
        await shown("Logs", "Graph")
        await press(pilot, "c")
        await shown("Logs", "Config")
        await press(pilot, "v")
        assert panes.visible_tab.TITLE == "Config"
        await press(pilot, "l")
        await shown("Logs", "Config")
        # The tab beside answers its keys without coming to the front, once the lines, which have a
        # v of their own, have not the focus.
        await press(pilot, "escape")
        config = panes.find_tab("Config")
        assert isinstance(config, ConfigTab)
        seen = [config.reveal]
        await press(pilot, "v")
        seen.append(config.reveal)
        assert seen == [True, False] and panes.visible_tab.TITLE == "Logs"
        await pilot.resize_terminal(120, 36)
        await press(pilot)
        await shown("Logs")
        await pilot.resize_terminal(160, 40)
        await press(pilot)
        await shown("Logs", "Config")


async def test_a_click_opens_a_tab_and_runs_a_key_of_the_footer() -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.click("#--content-tab-tab-Graph")
        await press(pilot)
        assert harness.app.tabs.visible_tab.TITLE == "Graph"
        (restart,) = [k for k in harness.app.query(FooterKey) if k.description == "Restart"]
        await pilot.click(restart)
        await press(pilot)
        assert harness.drain() == [RunOperation(OperationKind.RESTART)]


async def test_y_copies_what_the_mouse_selected() -> None:
    harness = make(states.healthy())
    async with harness.app.run_test(size=SIZE) as pilot:
        await press(pilot, "g")
        await pilot.mouse_down("#tab-Graph Static", offset=(3, 0))
        await pilot.hover("#tab-Graph Static", offset=(7, 0))
        await pilot.mouse_up("#tab-Graph Static", offset=(7, 0))
        await press(pilot, "y")
        assert harness.app.clipboard.startswith("cach")
        await press(pilot, "y")
        assert harness.app.clipboard == "http://localhost:5432"
