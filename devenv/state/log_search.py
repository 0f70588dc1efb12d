"""What is looked for in log lines, block by block: literal, ignoring case, or a pattern. Pure."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from enum import StrEnum
from functools import cached_property

from devenv.state.log_block import Block
from devenv.values import dataclass

_DENSE = 8
"""Where one of so many lines fits, taking all lines apart is quicker than finding each place."""


class SearchMode(StrEnum):
    """How the words of a search are meant."""

    IGNORE_CASE = "ignore case"
    LITERAL = "literal"
    REGEX = "regex"


@dataclass(frozen=True)
class Query:
    """One search; an empty text finds nothing. A pattern that is none finds nothing too."""

    text: str
    mode: SearchMode = SearchMode.IGNORE_CASE

    def __bool__(self) -> bool:
        return bool(self.text)

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        """The search as a pattern; None where the user's is none."""
        text = self.text if self.mode is SearchMode.REGEX else re.escape(self.text)
        flags = re.IGNORECASE if self.mode is SearchMode.IGNORE_CASE else 0
        try:
            return re.compile(text, flags)
        except re.error:
            return None

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where it fits in a plain text: starts and ends."""
        if not self.text or self.pattern is None:
            return []
        return [m.span() for m in self.pattern.finditer(text) if m.end() > m.start()]

    def narrows(self, other: Query) -> bool:
        """Whether only lines that fit `other` can fit this one: a letter more was typed."""
        return (
            bool(other.text)
            and self.mode is other.mode
            and self.mode is not SearchMode.REGEX
            and other.text in self.text
            and other.text.isascii() == self.text.isascii()
        )

    def find_lines(self, block: Block, among: Sequence[int] | None = None) -> array[int]:
        """The indices of the lines that fit, ascending; no others than `among` can."""
        if not self.text or (among is not None and not among):
            return array("H")
        if self._needs_pattern:
            return self._find_pattern(block)
        needle, text = self.text.encode(), block.text
        if among is not None and len(among) * _DENSE <= len(block):
            lines = [block.plain(index) for index in among]
            if self._lowers:
                needle, lines = needle.lower(), [line.lower() for line in lines]
            pairs = zip(among, lines, strict=True)
            return array("H", [index for index, line in pairs if needle in line])
        if self._lowers:
            needle, text = needle.lower(), text.lower()
        count = text.count(needle)
        if not count or b"\n" in needle:
            return array("H")
        if count * _DENSE > len(block):
            lines = text.split(b"\n")
            return array("H", [i for i, line in enumerate(lines) if needle in line])
        found = array("H")
        at = text.find(needle)
        while at >= 0:
            index = block.line_at(at)
            found.append(index)
            at = text.find(needle, block.ends[index])
        return found

    @property
    def _lowers(self) -> bool:
        return self.mode is SearchMode.IGNORE_CASE and self.text.lower() != self.text.upper()

    @property
    def _needs_pattern(self) -> bool:
        # Byte-wise lower case keeps places; it is right as long as the needle is ASCII.
        return self.mode is SearchMode.REGEX or (self._lowers and not self.text.isascii())

    def _find_pattern(self, block: Block) -> array[int]:
        if self.pattern is None:
            return array("H")
        search = self.pattern.search
        lines = block.text.decode().split("\n")[:-1]
        return array("H", [i for i, line in enumerate(lines) if search(line)])
