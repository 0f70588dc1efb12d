"""Source lines cut to fit, and the columns that a caret marks."""

from __future__ import annotations

import re
import unicodedata

from devenv.state.text import sanitize

_TOKEN = re.compile(r"\"[^\"]*\"|'[^']*'|[^\s,\[\]{}\"']+")
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def flatten(text: str, *, keep: str = "") -> str:
    """The text without escape sequences, on one line; `keep` holds characters that may stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        one if one in keep or unicodedata.category(one) not in _INVISIBLE else " "
        for one in sanitize(text)
    )


def token_columns(line: str, at: int) -> int:
    """How many characters the word at a position has: at least 1."""
    found = _TOKEN.match(line, at)
    return max(1, len(found[0])) if found else 1


def cut_excerpt(line: str, at: int, length: int, room: int) -> tuple[str, int, int]:
    """The part of a line around a position that fits in `room` columns.

    Also the columns before the position, and those that `length` characters from it take.
    What a terminal would not show, or would obey, is a blank.
    """
    flat = "".join(" " if unicodedata.category(one) in _INVISIBLE else one for one in line)
    widths = [_width(one) for one in flat]
    start = 0
    if sum(widths[:at]) >= room - 10:
        start, left = at, room // 2
        while start > 0 and left >= widths[start - 1]:
            start -= 1
            left -= widths[start]
    head = "…" if start else ""
    end, left = start, room - len(head)
    while end < len(flat) and left - widths[end] >= (end + 1 < len(flat)):
        left -= widths[end]
        end += 1
    tail = "…" if end < len(flat) else ""
    before = len(head) + sum(widths[start:at])
    marked = sum(widths[at : min(at + length, end)])
    return head + flat[start:end] + tail, before, max(1, marked)


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
