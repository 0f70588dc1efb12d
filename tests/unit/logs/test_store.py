"""The log store: order, bound, late lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devenv.compose.names import ServiceName
from devenv.state.logs import LogLine, LogStore, Origin

APP = ServiceName("app")


def line(time_ns: int, text: str = "x") -> LogLine:
    return LogLine(time_ns, APP, text)


def texts(store: LogStore) -> list[str]:
    return [entry.text for entry in store.lines()]


batches = st.lists(
    st.lists(st.tuples(st.integers(0, 40), st.text(max_size=5)), max_size=30), max_size=12
)


@given(batches, st.sampled_from([1 << 27, 64]))
def test_lines_are_ordered_by_time_whenever_they_come(
    given_batches: list[list[tuple[int, str]]], block_bytes: int
) -> None:
    """Lines of equal time keep the order of their arrival, across any number of blocks."""
    store = LogStore()
    store._block_bytes = block_bytes
    arrived: list[LogLine] = []
    for batch in given_batches:
        rows = [LogLine(time, APP, f"{len(arrived) + n}") for n, (time, _) in enumerate(batch)]
        arrived += rows
        store.append(rows)
        wanted = sorted(arrived, key=lambda entry: entry.time_ns)
        assert [(e.time_ns, e.text) for e in store.lines()] == [(e.time_ns, e.text) for e in wanted]
        assert store.line_count == len(arrived) == store.received
        assert store.size_bytes == sum(block.size_bytes for block in store.blocks)


@given(st.lists(st.text(max_size=300), max_size=300))
def test_the_bound_holds_and_what_was_dropped_is_counted(given_texts: list[str]) -> None:
    limit = 64 * 1024
    store = LogStore(limit)
    for number, text in enumerate(given_texts):
        store.append([line(number, f"{number} {text}")])
        assert store.size_bytes <= limit
    kept = list(store.lines())
    assert store.dropped + len(kept) == len(given_texts)
    assert [entry.time_ns for entry in kept] == list(range(store.dropped, len(given_texts)))


def test_oldest_lines_go_in_blocks_and_late_ones_are_late() -> None:
    store = LogStore(100_000)
    for number in range(5000):
        store.append([line(number, f"line {number}")])
    assert 0 < store.dropped < 5000 and store.size_bytes <= 100_000
    assert store.oldest_ns == store.dropped == store.complete_since_ns
    before = store.dropped
    store.append([line(store.oldest_ns + 5, "late")])
    assert "late" in texts(store)[:10] and store.dropped == before


def test_a_line_of_ten_megabytes_and_bytes_that_are_no_text() -> None:
    store = LogStore()
    number = store.number(Origin(APP))
    store.append_rows(
        [(1, number, b"x" * 10_000_000), (2, number, b"\0a\xff\xfe\0b"), (3, number, b"")]
    )
    assert [len(text) for text in texts(store)] == [10_000_000, 4, 0]
    assert texts(store)[1] == "a\ufffd\ufffdb"
    store.append([line(4, "next")])
    assert texts(store)[-1] == "next"


def test_colours_are_kept_beside_the_plain_text() -> None:
    store = LogStore()
    number = store.number(Origin(APP))
    store.append_rows([(1, number, b"\x1b[31mred\x1b[0m plain"), (2, number, b"none")])
    block = store.blocks[0]
    assert block.text == b"red plain\nnone\n"
    assert block.styled == {0: b"\x1b[31mred\x1b[0m plain"}
    assert texts(store) == ["\x1b[31mred\x1b[0m plain", "none"]


def test_arrivals_come_once_in_the_order_they_came() -> None:
    store = LogStore(arrivals=True)
    store.append([line(4, "a"), line(5, "b")])
    assert [text for _, _, text in store.take_arrivals()] == [b"a", b"b"]
    store.append([line(1, "late")])
    assert [text for _, _, text in store.take_arrivals()] == [b"late"]
    assert store.take_arrivals() == [] and store.newest_ns == 5 and not store.blocks


def test_a_reader_is_woken_once() -> None:
    store, woken = LogStore(), []
    store.wake_once(lambda: woken.append(1))
    store.append([line(1)])
    store.append([line(2)])
    assert woken == [1]
