"""An ignore file's text as patterns, and which paths of a build context they leave out.

Spec: Dockerfile reference, .dockerignore; moby/patternmatcher ignorefile.
"""

from __future__ import annotations

import posixpath
import re
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from devenv.values import dataclass

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
    control: int | None = None
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
        is_tried = not negated or any(not one.startswith("!") for one in patterns)
        fault = _find_fault(pattern, is_tried=is_tried)
        if fault is not None:
            return IgnoreFile(tuple(patterns), fault, number)
        patterns.append(cleaned)
        if control is None and _CONTROL.search(pattern):
            control = number
    if control is not None and "".join(patterns).isascii():
        return IgnoreFile(tuple(patterns), "it has a control character within", control)
    return IgnoreFile(tuple(patterns))


def _find_fault(pattern: str, *, is_tried: bool) -> str | None:
    """Why the builder refuses a cleaned pattern, less its `!`; None where it takes it.

    Some patterns fail only when a path is held against them: `is_tried` tells that one is.
    """
    if not pattern:
        return "`!` stands alone"
    if is_tried and (found := _REFUSED_ESCAPE.search(pattern)):
        return f"there is no escape {found[1]} (write `/` between directories)"
    try:
        _matcher((pattern,))
    except ValueError:
        return "a bracket is not closed or empty, or a backslash ends it"
    return None


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
"""BuildKit sends patterns as a header of its own protocol, which has no place for these. Where a
pattern is not ASCII it sends all of them encoded, and then they pass (measured, Engine 28.5)."""
_REFUSED_ESCAPE = re.compile(
    r"(?<!\\)(?:\\\\)*(\\(?:[^\x00-\x7f]|[89]|[1-7](?![0-7])|[ceg-moqpuxyCE-PRT-VX-Z]))"
)
"""What Go's regular expressions know no meaning of; measured letter by letter, Engine 28.5."""
_CLASSES = {
    "d": "0-9",
    "w": "0-9A-Za-z_",
    "s": "\t\n\f\r ",
    "digit": "0-9",
    "word": "0-9A-Za-z_",
    "space": "\t\n\v\f\r ",
    "alpha": "A-Za-z",
    "alnum": "0-9A-Za-z",
    "upper": "A-Z",
    "lower": "a-z",
    "xdigit": "0-9A-Fa-f",
}
_GO_ONLY = re.compile(
    r"\[\[:(?P<named>\w+):\]\]|(?P<kept>\\\\|\[\^?(?:\\.|[^\]\\])*\])|"
    r"\\(?P<short>[dDwWsS])|\\(?P<octal>[0-7]{2,3})"
)


def _from_go(pattern: str) -> str:
    """A pattern without what only Go's regular expressions have: `\\d`, `\\61`, `[[:digit:]]`."""

    def rewrite(found: re.Match[str]) -> str:
        if found["octal"]:
            return chr(int(found["octal"], 8))
        name = found["short"] or found["named"] or ""
        members = _CLASSES.get(name) or _CLASSES.get(name.lower() if len(name) == 1 else "")
        if found["kept"] or members is None:
            return found[0]
        return f"[{'^' if name.isupper() else ''}{members}]"

    return _GO_ONLY.sub(rewrite, pattern)


def is_pattern(text: str) -> bool:
    """Whether a builder takes the text for a file name pattern, as in a COPY."""
    try:
        _matcher((text,))
    except ValueError:
        return False
    return True


@lru_cache(maxsize=256)
def _matcher(patterns: tuple[str, ...]) -> PatternMatcher:
    from e2b_dockerfile_utils import PatternMatcher

    # The library takes a leading `#` for a comment; here the comments are gone already.
    guarded = [f"./{one}" if one.startswith("#") else _from_go(one) for one in patterns]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # `[a&&b]` is no set operation in Go
        return PatternMatcher(guarded)


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
