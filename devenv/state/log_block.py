"""A block of log lines in columns: immutable, sorted, and searched as one joined text."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import itemgetter

from devenv.state.text import clean_lines

BLOCK_LINES = 2048
BLOCK_BYTES = 256 * 1024
LINE_BYTES = 15
"""What a line costs beside its text: its end, time, origin, newline."""
BLOCK_OVERHEAD_BYTES = 2048

Row = tuple[int, int, bytes, bytes | None]
"""Time in ns, number of the origin, plain text, coloured text where it differs."""
by_time = itemgetter(0)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some thousand lines, by time. `text` holds them plain, each with a newline at its end."""

    text: bytes
    ends: array[int]
    """Where each line's text ends in `text`."""
    times: array[int]
    """Ascending, ns."""
    origins: array[int]
    styled: dict[int, bytes]
    """Index -> text with its colours, for the lines that have any."""
    counts: Counter[int]
    """Origin -> how many of the lines are its own."""
    size_bytes: int

    def __len__(self) -> int:
        return len(self.ends)

    def start(self, index: int) -> int:
        """Where a line's text starts in `text`."""
        return self.ends[index - 1] + 1 if index else 0

    def plain(self, index: int) -> bytes:
        """A line's text without colours."""
        return self.text[self.start(index) : self.ends[index]]

    def line_at(self, offset: int) -> int:
        """The index of the line that holds a place of `text`."""
        return bisect_left(self.ends, offset)

    def rows(self) -> list[Row]:
        """The lines as rows again."""
        texts = self.text.split(b"\n")
        styled = self.styled
        return [
            (time, origin, text, styled.get(index))
            for index, (time, origin, text) in enumerate(
                zip(self.times, self.origins, texts[:-1], strict=True)
            )
        ]


def make_rows(origin: Sequence[int], times: Sequence[int], raw: list[bytes]) -> list[Row]:
    """Rows of lines as they came; their text is cleaned here."""
    plain, styled = clean_lines(raw)
    if not styled:
        return [(t, o, text, None) for t, o, text in zip(times, origin, plain, strict=True)]
    return [
        (time, number, text, styled.get(index))
        for index, (time, number, text) in enumerate(zip(times, origin, plain, strict=True))
    ]


def build_block(rows: Sequence[Row]) -> Block:
    """A block of rows that are sorted by time."""
    times, origins, texts, styles = zip(*rows, strict=True)
    styled = {index: style for index, style in enumerate(styles) if style is not None}
    text = b"\n".join(texts) + b"\n"
    lengths = [len(part) + 1 for part in texts]
    ends = array("I", [end - 1 for end in accumulate(lengths)])
    size = len(text) + LINE_BYTES * len(rows) + BLOCK_OVERHEAD_BYTES
    size += sum(len(style) + 100 for style in styled.values())
    return Block(text, ends, array("q", times), array("H", origins), styled, Counter(origins), size)


def cut_rows(rows: Sequence[Row], most_bytes: int = BLOCK_BYTES) -> Iterator[Sequence[Row]]:
    """Sorted rows in portions of one block each, of about `most_bytes` of text."""
    at = 0
    while at < len(rows):
        part = rows[at : at + BLOCK_LINES]
        if sum(map(_text_size, part)) > most_bytes:
            sizes = accumulate(map(_text_size, part))
            part = part[: next(n for n, size in enumerate(sizes, 1) if size > most_bytes)]
        yield part
        at += len(part)


def _text_size(row: Row) -> int:
    return len(row[2])
