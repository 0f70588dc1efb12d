"""Merging streams by time, and going on after a break."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devenv.state.log_merge import Ascending, LogMerger, Resume
from devenv.state.logs import RawRow

SECOND = 1_000_000_000


@given(
    st.lists(st.lists(st.integers(0, 50), max_size=20), min_size=1, max_size=4),
    st.lists(st.integers(1, 6), min_size=1),
)
def test_streams_of_any_pace_are_merged_without_loss(
    streams: list[list[int]], sizes: list[int]
) -> None:
    merger = LogMerger(None)
    rows: dict[str, list[RawRow]] = {
        f"s{n}": [(time, n, b"%d" % i) for i, time in enumerate(sorted(times))]
        for n, times in enumerate(streams)
    }
    for name in rows:
        merger.open(name, 0)
    out: list[RawRow] = []
    step = 0
    left = {name: list(stream) for name, stream in rows.items()}
    while left:
        for name in list(left):
            size = sizes[step % len(sizes)]
            step += 1
            if not left[name]:
                merger.close(name)
                del left[name]
                continue
            merger.put(name, left[name][:size], 0)
            left[name] = left[name][size:]
            out += merger.take(0)
    out += merger.take(0)
    assert [row[0] for row in out] == sorted(row[0] for row in out)
    for n, stream in enumerate(rows.values()):
        assert [row for row in out if row[1] == n] == stream
    assert merger.idle


def test_a_quiet_stream_is_not_waited_for_longer_than_the_patience() -> None:
    merger = LogMerger(0.1)
    merger.open("quiet", 0)
    merger.open("busy", 0)
    merger.put("busy", [(5, 0, b"x")], 0)
    assert merger.take(0.05) == []
    assert merger.take(0.11) == [(5, 0, b"x")]


@given(
    st.lists(st.integers(0, 3 * SECOND), min_size=1, max_size=60),
    st.lists(st.integers(1, 9), min_size=1, max_size=30),
    st.lists(st.booleans(), min_size=1, max_size=20),
    st.sampled_from([0, 1, 1000]),
    st.integers(0, 5),
)
def test_a_broken_stream_goes_on_without_loss_or_double(
    steps: list[int], sizes: list[int], breaks: list[bool], jitter: int, before: int
) -> None:
    """The engine gives the lines of its file that are not before `since`, in the file's order;
    stdout and stderr may be a little out of order. Without jitter, older lines may have been
    left out by a tail."""
    file: list[int] = []
    time = SECOND
    for number, step in enumerate(steps):
        time += step
        file.append(time - (jitter if number % 3 == 2 else 0))
    tail = min(before, len(file) - 1) if jitter == 0 and len(set(file)) == len(file) else 0
    resume, got, at = Resume(whole=not tail), [], 0
    stream = list(enumerate(file))[tail:]
    for turn, size in enumerate([*sizes, *[5] * len(file)]):
        if turn and breaks[turn % len(breaks)] and turn < len(sizes):
            since = resume.start()
            stream = [(n, t) for n, t in enumerate(file) if since is None or t >= since]
            at = 0
        batch = stream[at : at + size]
        at += size
        if batch:
            skip = resume.take([t for _, t in batch])
            got += [n for n, _ in batch[skip:]]
    assert got == list(range(tail, len(file)))


@given(st.lists(st.integers(0, 10 * SECOND), max_size=50), st.integers(1, 7))
def test_a_stream_ascends_and_keeps_its_order(times: list[int], size: int) -> None:
    ascending, keys = Ascending(), []
    for at in range(0, len(times), size):
        keys += ascending.order(times[at : at + size], 0)
    assert len(keys) == len(times) and keys == sorted(keys)
    if times == sorted(times):
        assert keys == times


def test_after_the_clock_was_set_back_lines_stand_behind_the_newest() -> None:
    ascending = Ascending()
    hour = 3600 * SECOND
    assert ascending.order([2 * hour], 0) == [2 * hour]
    assert ascending.order([hour, hour + 5], 3 * hour) == [3 * hour, 3 * hour]
    assert ascending.stepped_ns == hour
    assert ascending.order([3 * hour + 1], 0) == [3 * hour + 1]
    assert ascending.stepped_ns == 0
