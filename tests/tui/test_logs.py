"""The log view: search, filters, folds, marks, copy, and speed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input, TabbedContent

from devenv.compose.names import ServiceName
from devenv.state.logs import LogLine, Origin
from devenv.tui.log_render import TimeMode, parse_json, render_time
from devenv.tui.log_view import LogView
from devenv.tui.screens import Details
from tests.tui import states
from tests.tui.harness import Harness, make, until
from tests.tui.test_shown import screen_text

SIZE = (120, 36)
SECOND = 1_000_000_000
TRACE = [
    "Error: connection refused",
    "    at connect (db.js:1:2)",
    "    at query (db.js:2:2)",
    "    at notes (notes.js:3:2)",
]


def story() -> list[LogLine]:
    """A start with JSON, a stack trace, colours, levels and three services."""
    start = int(states.NOW) * SECOND - 60 * SECOND

    def line(seconds: float, service: str, text: str, source: str = "stdout") -> LogLine:
        return LogLine(start + int(seconds * SECOND), states.name(service), text, source)

    return [
        line(0, "db", "2026-11-25 12:00:00 UTC [1] LOG:  listening on IPv4 port 5432"),
        line(0.5, "db", "2026-11-25 12:00:00 UTC [1] LOG:  database system is ready"),
        line(1, "cache", "1:M 25 Nov 12:00:01 * Ready to accept connections"),
        line(2, "app", '{"level":"info","time":1,"msg":"listening","port":3000}'),
        line(3, "app", "\x1b[32mGET\x1b[0m /notes 200 3 ms"),
        line(4, "app", '{"level":"warn","msg":"slow query","took_ms":812,"table":"notes"}'),
        *(line(5 + n / 1000, "app", text, "stderr") for n, text in enumerate(TRACE)),
        line(6, "app", "──── shop-app-1 started again after exit code 1 ────", "devenv"),
        line(7, "app", '{"level":"info","time":1,"msg":"listening","port":3000}'),
        line(8, "worker", "wrapped text that is longer than the view is wide: " + "abc " * 30),
        line(9, "app", "GET /notes 200 2 ms"),
    ]


def subtitle(harness: Harness) -> str:
    return str(harness.app.screen_stack[0].query_one(TabbedContent).border_subtitle)


async def press(pilot: Pilot[str], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


async def test_search_goes_through_the_matches_and_around_the_end() -> None:
    harness = make(states.healthy(), story())
    async with harness.app.run_test(size=SIZE) as pilot:
        await press(pilot, "slash", *"notes")
        await until(pilot, lambda: "/notes 4 of 4" in subtitle(harness))
        await press(pilot, "enter", "n")
        await until(pilot, lambda: "/notes 1 of 4" in subtitle(harness))
        await press(pilot, "N", "N")
        await until(pilot, lambda: "/notes 3 of 4" in subtitle(harness))
        await press(pilot, "escape")
        await until(
            pilot, lambda: "notes" not in subtitle(harness) and "following" in subtitle(harness)
        )


async def test_only_matches_with_context_and_the_ways_to_search() -> None:
    harness = make(states.healthy(), story())
    async with harness.app.run_test(size=SIZE) as pilot:
        await press(pilot, "slash", *"LISTENING", "enter", "ampersand")
        await until(
            pilot, lambda: "3 lines" in subtitle(harness) and "/LISTENING" in subtitle(harness)
        )
        assert "slow query" not in screen_text(harness)
        await press(pilot, "plus")
        await until(
            pilot, lambda: "±1" in subtitle(harness) and "database system" in screen_text(harness)
        )
        await press(pilot, "minus", "ctrl+t")
        await until(
            pilot, lambda: "0 lines" in subtitle(harness) and "literal" in subtitle(harness)
        )
        await press(pilot, "ctrl+t")
        harness.app.query_one(Input).value = "GET|level.:.warn"
        await until(pilot, lambda: "3 lines" in subtitle(harness))
        await until(pilot, lambda: "regex" in subtitle(harness))
        harness.app.query_one(Input).value = "("
        await until(pilot, lambda: "is no pattern" in subtitle(harness))


async def test_levels_take_their_traces_along_and_e_goes_to_errors() -> None:
    harness = make(states.healthy(), story())
    async with harness.app.run_test(size=SIZE) as pilot:
        view = harness.app.query_one(LogView)
        await press(pilot, "l", "e")
        assert view.cursor is not None
        assert view.cursor.block.plain(view.cursor.index) == TRACE[0].encode()
        await press(pilot, "L", "L", "L")
        await until(pilot, lambda: "warn and above" in subtitle(harness))
        text = screen_text(harness)
        assert "slow query" in text and "3 frames" in text and "GET" not in text


async def test_json_is_readable_and_enter_shows_all() -> None:
    harness = make(states.healthy(), story())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "slow query took_ms=812 table=notes" in screen_text(harness)
        view = harness.app.query_one(LogView)
        await press(pilot, "l", "slash", *"slow", "enter")
        assert '"msg":"slow query"' in screen_text(harness)
        await press(pilot, "enter")
        assert isinstance(harness.app.screen, Details)
        assert '  "took_ms": 812,' in harness.app.screen._text
        await press(pilot, "y", "escape")
        assert '"took_ms": 812' in harness.app.clipboard
        await press(pilot, "escape", "l", "e", "down", "enter")
        assert view.cursor is not None and isinstance(harness.app.screen, Details)
        assert [row.strip() for row in harness.app.screen._text.splitlines()] == [
            row.strip() for row in TRACE[1:]
        ]


async def test_traces_fold_and_open() -> None:
    harness = make(states.healthy(), story())
    async with harness.app.run_test(size=SIZE) as pilot:
        await press(pilot, "l")
        assert "▸ 3 frames" in screen_text(harness) and "notes.js" not in screen_text(harness)
        await press(pilot, "z")
        assert "notes.js" in screen_text(harness)


async def test_marks_and_the_cursor() -> None:
    harness = make(states.healthy(), story())
    async with harness.app.run_test(size=SIZE) as pilot:
        view = harness.app.query_one(LogView)
        await press(pilot, "l", "home", "down", "m")
        marked = view.cursor
        assert "●" in screen_text(harness)
        await press(pilot, "end")
        await until(pilot, lambda: "following" in subtitle(harness))
        await press(pilot, "apostrophe")
        await until(pilot, lambda: view.cursor == marked and "f follows" in subtitle(harness))
        harness.logs.append([LogLine(1, states.name("db"), "late line")])
        await until(pilot, lambda: "late line" in screen_text(harness))
        assert view.marks == [view.cursor]
        await press(pilot, "m")
        assert not len(view.marks)


async def test_select_copy_save_and_page() -> None:
    harness = make(states.healthy(), story())
    saved: dict[str, str] = {}

    def save(path: str, lines: Iterator[str]) -> str:
        if path in saved:
            raise FileExistsError(17, "File exists")
        saved[path] = "".join(lines)
        return f"/src/{path}"

    object.__setattr__(harness.app._ports, "save_lines", save)
    async with harness.app.run_test(size=SIZE) as pilot:
        await press(pilot, "l", "home", "v", "down", "down")
        await until(pilot, lambda: "3 selected" in subtitle(harness))
        await press(pilot, "y")
        copied = harness.app.clipboard.splitlines()
        assert len(copied) == 3 and copied[2].endswith(
            "cache | 1:M 25 Nov 12:00:01 * Ready to accept connections"
        )
        await press(pilot, "escape", "l", "W", "enter")
        await press(pilot, "W", "enter")
        notes = [note.message for note in harness.app._notifications]
        assert "Saved /src/devenv-logs.txt" in notes
        assert "Not saved: devenv-logs.txt: File exists" in notes
        assert saved["devenv-logs.txt"].count("\n") == 14 - 2
        assert "\x1b" not in saved["devenv-logs.txt"]


def test_times() -> None:
    assert render_time(65 * SECOND, TimeMode.SINCE_START, 0, 60 * SECOND) == "   +5.000s"
    assert render_time(5000 * SECOND, TimeMode.SINCE_START, 0, 0) == "       +1h"
    assert render_time(60 * SECOND, TimeMode.AGE, 180.0, 0) == "  2m"
    assert len(render_time(1, TimeMode.CLOCK, 0, 0)) == 12


@pytest.mark.parametrize("raw", [b"{", b"{}x", b"[1]", b"{" * 5000 + b"}", b'{"a":1', b"null"])
def test_what_is_no_json_object_is_shown_as_it_is(raw: bytes) -> None:
    assert parse_json(raw) is None


async def test_times_are_cycled() -> None:
    harness = make(states.healthy(), story())
    async with harness.app.run_test(size=SIZE) as pilot:
        view = harness.app.query_one(LogView)
        assert view.shown_times is TimeMode.OFF
        seen = []
        await press(pilot, "l")
        for _ in range(4):
            await press(pilot, "t")
            seen.append(view.shown_times)
        assert seen == [*TimeMode]


async def test_a_million_lines_are_searched_while_one_types() -> None:
    """No key is dropped; benchmarks/logs.py measures how long it takes."""
    harness = make(states.healthy())
    number = harness.logs.number(Origin(ServiceName("app")))
    for at in range(0, 1_000_000, 50_000):
        harness.logs.append_rows(
            [
                (n, number, b"line %d of a usual width, as loggers write them" % n)
                for n in range(at, at + 50_000)
            ]
        )
    async with harness.app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: "1,000,000 lines" in subtitle(harness))
        await press(pilot, "slash")
        await pilot.press(*"999999")
        assert harness.app.query_one(Input).value == "999999"
        await until(pilot, lambda: "/999999 1 of 1" in subtitle(harness))
        await until(pilot, lambda: "line 999999 of" in screen_text(harness))


@pytest.mark.parametrize("width", [80, 60])
async def test_narrow(width: int) -> None:
    harness = make(states.healthy(), story())
    async with harness.app.run_test(size=(width, 24)) as pilot:
        await press(pilot, "l", "w")
        assert "GET /notes" in screen_text(harness)


SnapCompare = Callable[..., bool]


@pytest.mark.parametrize(
    ("size", "keys", "said"),
    [
        pytest.param((140, 36), ("l", "t", "slash", *"notes", "enter"), "4 of 4", id="search"),
        pytest.param((80, 24), ("l", "w"), "12 lines", id="80x24-wrapped"),
        pytest.param((120, 36), ("l", "e", "down", "enter"), "f follows", id="details"),
    ],
)
def test_log_screen(
    snap_compare: SnapCompare,
    size: tuple[int, int],
    keys: tuple[str, ...],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    harness = make(states.healthy(), story())

    async def drive(pilot: Pilot[str]) -> None:
        await press(pilot, *keys)
        await until(pilot, lambda: said in subtitle(harness))

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert snap_compare(harness.app, terminal_size=size, run_before=drive)


async def test_wrapped_rows_hold_every_character_beside_the_scroll_bar() -> None:
    text = "".join(f"{n:03}" for n in range(200))
    lines = [LogLine(n, states.name("app"), text) for n in range(30)]
    harness = make(states.healthy(), lines)
    async with harness.app.run_test(size=(80, 24)) as pilot:
        view = harness.app.query_one(LogView)
        await press(pilot, "l", "w", "home")
        await until(pilot, lambda: view.criteria.wrap_width == view._text_width)
        rows = [view.render_line(y).text[view._head_width :].rstrip() for y in range(40)]
        assert text in "".join(rows)


async def test_the_first_letter_after_the_slash_is_part_of_the_search() -> None:
    """Both may be waiting before either is looked at: `d` alone would ask to remove containers."""
    harness = make(states.healthy(), story())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        for key in ("slash", "d", "b"):
            harness.app.post_message(Key(key, {"slash": "/"}.get(key, key)))
        await pilot.pause()
        await until(pilot, lambda: harness.app.query_one(Input).value == "db")
        assert len(harness.app.screen_stack) == 1


async def test_lines_too_fast_to_show_are_counted_while_they_are() -> None:
    harness = make(states.healthy(), story())
    async with harness.app.run_test(size=SIZE) as pilot:
        await pilot.pause(0.1)
        harness.logs.append(LogLine(2**62 + n, states.name("app"), f"n{n}") for n in range(500))
        await until(pilot, lambda: "too fast to show" in subtitle(harness))
        view = harness.app.query_one(LogView)
        view._unseen_at -= 10
        harness.logs.append([LogLine(2**62 + 501, states.name("app"), "calm")])
        await until(pilot, lambda: "too fast" not in subtitle(harness))
