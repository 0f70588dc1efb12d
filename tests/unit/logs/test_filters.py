"""Searching blocks, levels, folds, and grep's context."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.compose.names import ServiceName
from devenv.state.log_filter import LineFilter
from devenv.state.log_levels import Level, continues, find_level, may_be_severe
from devenv.state.log_search import Query, SearchMode
from devenv.state.log_traces import find_folds
from devenv.state.logs import LogLine, LogStore

APP, DB = ServiceName("app"), ServiceName("db")


def store_of(texts: list[str]) -> LogStore:
    store = LogStore()
    store.append(LogLine(n, APP, text) for n, text in enumerate(texts))
    return store


words = st.text(alphabet="abAB .*é", max_size=6)


@given(st.lists(words, min_size=1, max_size=40), words.filter(bool), st.sampled_from(SearchMode))
def test_a_block_search_finds_what_a_line_search_finds(
    texts: list[str], needle: str, mode: SearchMode
) -> None:
    query = Query(needle, mode)
    (block,) = store_of(texts).blocks
    found = list(query.find_lines(block))
    if query.pattern is None:
        assert found == []
        return
    assert found == [n for n, text in enumerate(texts) if query.pattern.search(text)]


def test_spans_are_where_it_fits() -> None:
    assert Query("ab").spans("xABab") == [(1, 3), (3, 5)]
    assert Query("a+", SearchMode.REGEX).spans("xaay") == [(1, 3)]
    assert Query("(", SearchMode.REGEX).spans("(") == [] and Query("(").spans("(") == [(0, 1)]


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("2026-11-25 12:00:00 ERROR db: lost", Level.ERROR),
        ("[warn] slow", Level.WARN),
        ('{"time":1,"level":"info","msg":"error"}', Level.INFO),
        ('{"level":50,"msg":"x"}', Level.ERROR),
        ('{"level": 60}', Level.FATAL),
        ("ts=1 level=debug msg=x", Level.DEBUG),
        ("2026-11-25 12:00:00.000 UTC [1] LOG:  ready", Level.INFO),
        ("2026-11-25 12:00:00.000 UTC [1] FATAL:  no", Level.FATAL),
        ("Traceback (most recent call last):", Level.ERROR),
        ("ValueError: bad", Level.ERROR),
        ("Error: bad", Level.ERROR),
        ("java.lang.IllegalStateException: x", Level.ERROR),
        ("panic: runtime error", Level.FATAL),
        ("E1125 12:00:00.000 x.go:1] no", Level.ERROR),
        ("npm ERR! code 1", Level.ERROR),
        ("GET /errors 200", Level.NONE),
        ("no error found", Level.NONE),
        ("listening on 3000", Level.NONE),
        ("INFORMATION is power", Level.NONE),
    ],
)
def test_levels_of_common_loggers(text: str, level: Level) -> None:
    assert find_level(text.encode()) is level
    if level >= Level.ERROR:
        assert may_be_severe(b"x\n" + text.encode() + b"\n")


def test_frames_go_on_with_their_error() -> None:
    assert continues(b"    at foo (x.js:1:2)") and continues(b'  File "x.py", line 1')
    assert continues(b"Caused by: x") and not continues(b"GET /") and not continues(b"")


TRACE = [
    "Error: no",
    "    at a (x.js:1:2)",
    "    at b (x.js:2:2)",
    "    at c (x.js:3:2)",
    "after",
    "  indented, but no frame",
    "  nor this",
    "  nor that",
    "Traceback (most recent call last):",
    '  File "x.py", line 1, in f',
    "    g()",
    '  File "x.py", line 2, in g',
    "    h()",
    "ValueError: x",
]


def test_long_traces_fold_and_nothing_else() -> None:
    (block,) = store_of(TRACE).blocks
    assert find_folds(block) == {1: [2, 3], 9: [10, 11, 12]}


def test_a_trace_folds_though_another_service_speaks_between() -> None:
    store = LogStore()
    lines = [LogLine(2 * n, APP, text) for n, text in enumerate(TRACE[:5])]
    store.append([*lines, LogLine(3, DB, "checkpoint"), LogLine(5, DB, "done")])
    (block,) = store.blocks
    folds = find_folds(block)
    assert [block.plain(i) for i in (*folds, *folds[1])] == [t.encode() for t in TRACE[1:4]]


@given(
    st.lists(st.sampled_from(["a", "b", "ab", "c"]), max_size=40),
    st.integers(0, 3),
    st.booleans(),
    st.integers(1, 7),
)
def test_context_is_as_grep_has_it(texts: list[str], context: int, invert: bool, size: int) -> None:
    wanted: LineFilter[int] = LineFilter(re.compile("a"), invert=invert, context=context)
    out: list[int | None] = []
    items = [(n, "s", text) for n, text in enumerate(texts)]
    for at in range(0, len(items), size):
        out += wanted.take(items[at : at + size])
    hits = [n for n, text in enumerate(texts) if ("a" in text) != invert]
    near = sorted(
        {m for n in hits for m in range(n - context, n + context + 1) if 0 <= m < len(texts)}
    )
    expected: list[int | None] = []
    for number in near:
        last = next((n for n in reversed(expected) if n is not None), None)
        if context and last is not None and number > last + 1:
            expected.append(None)
        expected.append(number)
    assert out == expected and wanted.matched == len(hits)


def test_a_level_takes_the_trace_of_its_line_along() -> None:
    wanted: LineFilter[str] = LineFilter(level=Level.ERROR)
    lines = ["INFO ok", "  more", "ERROR bad", "    at x", "    at y", "INFO ok", "plain"]
    out = list(wanted.take((line, "s", line) for line in lines))
    assert out == ["ERROR bad", "    at x", "    at y"]
