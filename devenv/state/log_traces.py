"""Which lines of a block are frames of a stack trace that can be folded into one. Pure."""

from __future__ import annotations

import re

from devenv.state.log_block import Block

MIN_FOLDED = 3
"""A shorter trace is shown as it is."""
_FRAME = re.compile(
    rb"\s+(?:at |File \"|from \S+:\d+:in |/\S+\.\w+:\d+|\.\.\. \d+ more)|\s+\d+: \S+::"
)
_STARTS = (b"\n ", b"\n\t")


def find_folds(block: Block) -> dict[int, list[int]]:
    """First frame of each long trace -> the indices of its further lines.

    A trace is of one origin; lines of others may stand between.
    """
    text = block.text
    if not any(start in text for start in _STARTS):
        return {}
    folds: dict[int, list[int]] = {}
    running: dict[int, int] = {}
    lines = text.split(b"\n")
    for index, origin in enumerate(block.origins):
        line = lines[index]
        first = running.get(origin)
        if line[:1] not in (b" ", b"\t"):
            if first is not None:
                del running[origin]
        elif first is not None:
            folds[first].append(index)
        elif _FRAME.match(line):
            running[origin] = index
            folds[index] = []
    return {first: rest for first, rest in folds.items() if len(rest) + 1 >= MIN_FOLDED}
