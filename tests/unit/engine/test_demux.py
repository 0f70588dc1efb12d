"""The log decoder gives the same lines whatever the chunks."""

from __future__ import annotations

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.engine.demux import Demux, LogLine, parse_timestamp

STAMP = b"2024-02-29T12:00:00.000000123Z"
NS = 1709208000_000000123


def frame(text: bytes, kind: int = 1) -> bytes:
    return struct.pack(">B3xL", kind, len(text)) + text


def decode(demux: Demux, chunks: list[bytes]) -> list[LogLine]:
    out: list[LogLine] = []
    for chunk in chunks:
        out += demux.feed(chunk)
    return out + demux.finish()


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[a:b] for a, b in itertools.pairwise(ends)]


texts = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(
        [b"a\n", b"\n", b"x" * 64 + b"\n", b"y" * 130, STAMP + b" a\n", STAMP, b"\r\n"]
    ),
)


@given(
    st.lists(st.tuples(texts, st.sampled_from([1, 2])), max_size=12),
    st.lists(st.integers(0, 5000)),
    st.booleans(),
)
def test_framed_chunking_makes_no_difference(
    frames: list[tuple[bytes, int]], places: list[int], stamps: bool
) -> None:
    data = b"".join(frame(text, kind) for text, kind in frames)
    whole = decode(Demux(timestamps=stamps, max_line_bytes=64), [data])
    assert decode(Demux(timestamps=stamps, max_line_bytes=64), cut(data, places)) == whole
    if not stamps:
        for name, wanted in (("stdout", 1), ("stderr", 2)):
            sent = b"".join(text for text, kind in frames if kind == wanted)
            got = b"".join(line for stream, _, line in whole if stream == name)
            assert got == sent.replace(b"\n", b"")


@given(st.binary(max_size=600), st.lists(st.integers(0, 600)))
def test_raw_chunking_makes_no_difference(data: bytes, places: list[int]) -> None:
    def demux() -> Demux:
        return Demux(tty=True, timestamps=False, max_line_bytes=64)

    assert decode(demux(), cut(data, places)) == decode(demux(), [data])


@given(st.binary(max_size=100), st.lists(st.integers(0, 90000)))
def test_large_frames(tail: bytes, places: list[int]) -> None:
    data = frame(STAMP + b" " + b"z" * 70000 + b"\n") + frame(STAMP + b" " + tail)
    assert decode(Demux(), cut(data, places)) == decode(Demux(), [data])


def test_time_is_split_off_and_not_repeated_inside_a_line() -> None:
    piece = b"1" * 16384
    data = frame(STAMP + b" " + piece) + frame(STAMP + b" two\n") + frame(STAMP + b" err\n", 2)
    assert decode(Demux(), [data]) == [("stdout", NS, piece + b"two"), ("stderr", NS, b"err")]


def test_tty_lines_lose_the_carriage_return() -> None:
    assert decode(Demux(tty=True), [STAMP + b" hi\r\n"]) == [("stdout", NS, b"hi")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (STAMP, NS),
        (b"1970-01-01T00:00:01Z", 1_000_000_000),
        (b"1970-01-01T01:00:00.5+01:00", 500_000_000),
        (b"1970-01-01 00:00:00Z", None),
        (b"nonsense", None),
    ],
)
def test_timestamps(text: bytes, expected: int | None) -> None:
    assert parse_timestamp(text) == expected


def test_what_a_process_left_without_a_newline_is_a_line_of_its_own() -> None:
    """Seen on a real engine: the next run's first line follows in the log without a newline."""
    data = frame(STAMP + b" last words") + frame(STAMP + b" the next run\n")
    assert decode(Demux(), [data]) == [
        ("stdout", NS, b"last words"),
        ("stdout", NS, b"the next run"),
    ]


def test_a_long_line_of_a_tty_container_loses_the_times_of_its_pieces() -> None:
    """As a real engine sends it; the `local` driver leaves out the newline at the end."""
    piece, stamp = b"x" * 16384, STAMP + b" "
    other = b"printed " + STAMP + b" by the program"
    for end in (b"\r\n", b"\r"):
        data = stamp + piece + stamp + piece + stamp + b"rest" + end + stamp + other + b"\r\n"
        for size in (len(data), 1000):
            chunks = [data[at : at + size] for at in range(0, len(data), size)]
            assert decode(Demux(tty=True), chunks) == [
                ("stdout", NS, piece + piece + b"rest"),
                ("stdout", NS, other),
            ]


STAMPED = st.builds(
    lambda nanos, text: b"2024-02-29T12:00:0%d.%09dZ %b" % (nanos % 3, nanos, text),
    st.integers(0, 999_999_999),
    st.sampled_from(
        [b"a line\n", b"\n", b"no newline", b"x" * 300 + b"\n", b"\x01\0\0\0\n", b"\r\n"]
    ),
)


@given(
    st.lists(st.tuples(STAMPED | texts, st.sampled_from([1, 1, 1, 2])), max_size=30),
    st.lists(st.integers(0, 5000), max_size=4),
)
def test_frames_taken_all_at_once_are_those_taken_one_by_one(
    frames: list[tuple[bytes, int]], places: list[int]
) -> None:
    data = b"".join(frame(text, kind) for text, kind in frames)
    slow = Demux(max_line_bytes=256)
    slow._whole_lines = lambda buffer, out: 0  # type: ignore[method-assign]
    assert decode(Demux(max_line_bytes=256), cut(data, places)) == decode(slow, [data])
