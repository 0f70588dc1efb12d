"""An ignore file's text as patterns, and which paths of a build context they leave out.

Spec: Dockerfile reference, .dockerignore; moby/patternmatcher ignorefile.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from e2b_dockerfile_utils import PatternMatcher


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """Patterns in order, the last match winning; `fault` where the builder refuses one."""

    patterns: tuple[str, ...] = ()
    fault: str | None = None
    fault_line: int | None = None

    def excludes(self, path: str) -> bool:
        """Whether a path (relative to the context, with `/`) is left out of the context."""
        if not self.patterns or self.fault is not None:
            return False
        return _matcher(self.patterns).matches(posixpath.normpath(path))


@lru_cache(maxsize=256)
def parse_ignore_file(text: str) -> IgnoreFile:
    """The patterns of an ignore file, cleaned as Docker cleans them.

    A `#` begins a comment only in the first column; blanks around a pattern are dropped, and so
    are a leading `/` and whatever makes a path longer than it must be.
    """
    patterns: list[str] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if line.startswith("#"):
            continue
        pattern = line.strip()
        if not pattern:
            continue
        negated = pattern.startswith("!")
        if negated:
            pattern = pattern[1:].strip()
        if pattern:
            pattern = posixpath.normpath(pattern)
            if len(pattern) > 1 and pattern.startswith("/"):
                pattern = pattern.lstrip("/") or "/"
        cleaned = f"!{pattern}" if negated else pattern
        try:
            _matcher((cleaned,))
        except ValueError as error:
            return IgnoreFile(tuple(patterns), str(error), number)
        patterns.append(cleaned)
    return IgnoreFile(tuple(patterns))


@lru_cache(maxsize=256)
def _matcher(patterns: tuple[str, ...]) -> PatternMatcher:
    from e2b_dockerfile_utils import PatternMatcher

    return PatternMatcher(list(patterns))


def choose_ignore_file(
    context: str, dockerfile: str, exists: Callable[[str], bool], *, buildkit: bool = True
) -> str | None:
    """The ignore file of a build: `NAME.dockerignore` beside the Dockerfile, else the context's.

    The classic builder knows only the context's own. None where there is none.
    """
    beside = f"{dockerfile}.dockerignore"
    if buildkit and exists(beside):
        return beside
    own = posixpath.join(context, ".dockerignore")
    return own if exists(own) else None
