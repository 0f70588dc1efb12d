"""Which lines the log view shows, block by block."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devenv.compose.names import ServiceName
from devenv.state.log_search import Query, SearchMode
from devenv.state.logs import LogLine, LogStore
from devenv.tui.log_rows import Criteria, LogRows, Part

APP, DB = ServiceName("app"), ServiceName("db")
words = st.text(alphabet="abABK .é", min_size=1, max_size=5)


def hits(rows: LogRows) -> list[tuple[Part, list[int]]]:
    return [(part.block, list(part.hits)) for part in rows._parts]  # type: ignore[misc]


@given(
    st.lists(st.lists(words, max_size=30), min_size=1, max_size=4),
    st.lists(words, min_size=1, max_size=4),
    st.sampled_from(SearchMode),
    st.booleans(),
    st.booleans(),
)
def test_what_is_typed_on_finds_what_a_new_search_finds(
    texts: list[list[str]], typed: list[str], mode: SearchMode, one: bool, hurried: bool
) -> None:
    """However far each search came before the next letter, and with lines that come meanwhile."""
    logs = LogStore(1 << 20)
    logs._block_bytes = 64
    rows = LogRows(logs)
    services = frozenset({APP}) if one else None
    needle = ""
    number = 0
    for batch, letters in zip((*texts, *[[]] * len(typed)), typed, strict=False):
        logs.append(LogLine(number := number + 1, (APP, DB)[len(t) % 2], t) for t in batch)
        needle += letters
        rows.choose(Criteria(services=services, query=Query(needle, mode)))
        ticks = iter(range(1_000_000))
        rows.update(lambda ticks=ticks: float(next(ticks)), 1.0 if hurried else 1e9)  # type: ignore[misc]
    while rows.update(lambda: 0.0, 1.0):
        pass
    fresh = LogRows(logs)
    fresh.choose(rows.criteria)
    fresh.update(lambda: 0.0, 1.0)
    assert hits(rows) == hits(fresh)


def test_a_search_that_goes_on_keeps_no_block_that_the_store_has_dropped() -> None:
    logs = LogStore(64 * 1024)
    rows = LogRows(logs)
    logs.append(LogLine(n, APP, f"line {n} " + "x" * 100) for n in range(500))
    rows.update(lambda: 0.0, 1.0)
    rows.choose(Criteria(query=Query("line")))
    rows.update(lambda: 0.0, 1.0)
    rows.choose(Criteria(query=Query("line 1")))
    old = set(map(id, logs.blocks))
    logs.append(LogLine(n, APP, f"line {n} " + "x" * 100) for n in range(500, 3000))
    ticks = iter(range(1_000_000))
    assert rows.update(lambda: float(next(ticks)), 1.0)
    assert not old & set(rows._wider)
