"""A unified diff of two texts in which other lines are shown than those that are compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher


def split_lines(text: str) -> list[str]:
    """The lines of a text without their line feeds; a line feed at the end adds none."""
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def render_diff(
    before: Sequence[str],
    after: Sequence[str],
    shown_before: Sequence[str],
    shown_after: Sequence[str],
    *,
    old_name: str,
    new_name: str,
    context: int = 3,
) -> Iterator[str]:
    """The lines of a unified diff; nothing where the texts are alike.

    `shown_…` has for each line what is printed for it, such as the line without its secrets. Lines
    that differ only in what is not shown are still there, one as gone and one as new.
    """
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    first = True
    for group in matcher.get_grouped_opcodes(context):
        if first:
            yield f"--- {old_name}"
            yield f"+++ {new_name}"
            first = False
        old_start, old_end = group[0][1], group[-1][2]
        new_start, new_end = group[0][3], group[-1][4]
        yield f"@@ -{_range(old_start, old_end)} +{_range(new_start, new_end)} @@"
        for tag, a, b, c, d in group:
            if tag == "equal":
                yield from (f" {line}" for line in shown_before[a:b])
                continue
            yield from (f"-{line}" for line in shown_before[a:b])
            yield from (f"+{line}" for line in shown_after[c:d])


def _range(start: int, end: int) -> str:
    """A hunk's lines as `diff -u` writes them."""
    length = end - start
    if length == 1:
        return str(start + 1)
    return f"{start if length == 0 else start + 1},{length}"
