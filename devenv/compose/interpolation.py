"""The `$NAME` and `${NAME:-default}` templates of Compose files and of their env files.

Parses a text into pieces with their places, and works a text's value out of them. What stands
for which value is the caller's: `lookup` gives it, None for a name that is not set.
Spec: compose-spec 12-interpolation.md; compose-go template/template.go (v2.10.1 and later,
where a default is worked out only if it is used).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from devenv.values import dataclass

Lookup = Callable[[str], str | None]

_MAX_DEPTH = 50
"""Of defaults within defaults; what lies deeper is taken as it is written."""
# Go folds the case of these two as well.
_NAME = "[_A-Za-z\u017f\u212a][_A-Za-z0-9\u017f\u212a]*"
_START = re.compile(
    rf"\$(?:(?P<escaped>\$)|(?P<plain>{_NAME})"
    rf"|\{{(?:(?P<name>{_NAME})(?:(?P<end>\}})|(?P<operator>:?[-+?])))?)"
)
_BRACES = re.compile(r"[{}]")


@dataclass(frozen=True, slots=True)
class Reference:
    """A variable in a template; `start` and `end` are character offsets in the whole text."""

    name: str
    start: int
    end: int
    operator: str = ""
    """"" for a plain one, or one of `:-`, `-`, `:?`, `?`, `:+`, `+`."""
    argument: tuple[Piece, ...] = ()
    """What stands after the operator."""
    argument_text: str = ""
    nested: bool = False
    """Whether it stands in another one's argument, so that it may not count at all."""

    @property
    def is_required(self) -> bool:
        """Whether Compose refuses the text where the variable is not set."""
        return self.operator in (":?", "?")

    @property
    def has_fallback(self) -> bool:
        """Whether the text says what holds where the variable is not set."""
        return self.operator in (":-", "-", ":+", "+")


@dataclass(frozen=True, slots=True)
class BadTemplate:
    """A `${` that begins no variable; Compose refuses the text where it is reached."""

    start: int
    nested: bool = False


Piece = str | Reference | BadTemplate


@dataclass(frozen=True, slots=True)
class Interpolated:
    """A text's value, and what was met on the way."""

    value: str
    unset: tuple[Reference, ...] = ()
    """Plain references to names that are not set: Compose warns, and takes an empty text."""
    required: tuple[Reference, ...] = ()
    """References that Compose refuses because the variable is not set, or is empty."""
    bad: tuple[BadTemplate, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether Compose refuses the text."""
        return bool(self.required or self.bad)


@lru_cache(maxsize=8192)
def parse_template(text: str) -> tuple[Piece, ...]:
    """The pieces of a text, in their order; a text without `$` is one piece."""
    return tuple(_parse(text, 0, 0))


def find_references(text: str) -> tuple[Reference, ...]:
    """Every reference in a text, those in the arguments of others after their owner."""
    if "$" not in text:
        return ()
    return tuple(_walk(parse_template(text)))


def interpolate(text: str, lookup: Lookup) -> Interpolated:
    """The value of a text, worked out as Compose does; never raises."""
    if "$" not in text:
        return Interpolated(text)
    unset: list[Reference] = []
    required: list[Reference] = []
    bad: list[BadTemplate] = []

    def value_of(pieces: tuple[Piece, ...]) -> str:
        return "".join(piece if isinstance(piece, str) else take(piece) for piece in pieces)

    def take(piece: Reference | BadTemplate) -> str:
        if isinstance(piece, BadTemplate):
            bad.append(piece)
            return ""
        value = lookup(piece.name)
        counts = value if piece.operator[:1] == ":" else value is not None
        match piece.operator[-1:]:
            case "-":
                return (value or "") if counts else value_of(piece.argument)
            case "+":
                return value_of(piece.argument) if counts else value or ""
            case "?":
                if not counts:
                    required.append(piece)
            case _:
                if value is None:
                    unset.append(piece)
        return value or ""

    value = value_of(parse_template(text))
    return Interpolated(value, tuple(unset), tuple(required), tuple(bad))


def _walk(pieces: tuple[Piece, ...]) -> Iterator[Reference]:
    for piece in pieces:
        if isinstance(piece, Reference):
            yield piece
            yield from _walk(piece.argument)


def _parse(text: str, base: int, depth: int) -> Iterator[Piece]:
    """The pieces of a text that stands at offset `base` of the whole one."""
    position = 0
    line_end = last_brace = -1
    while (found := _START.search(text, position)) is not None:
        start = found.start()
        if start > position:
            yield text[position:start]
        position = found.end()
        name = found["plain"] or found["name"]
        if found["escaped"]:
            yield "$"
        elif found["plain"] or found["end"]:
            yield Reference(name, base + start, base + position, nested=depth > 0)
        else:
            if start > line_end:  # an argument ends on the line where it begins
                line_end = text.find("\n", start)
                line_end = len(text) if line_end < 0 else line_end
                last_brace = text.rfind("}", start, line_end)
            if not found["operator"] or last_brace < position:
                yield BadTemplate(base + start, depth > 0)
                position = start + 2
                continue
            end = _closing_brace(text, start, last_brace)
            argument = text[position:end]
            within: tuple[Piece, ...] = (argument,)
            if depth < _MAX_DEPTH and "$" in argument:
                within = tuple(_parse(argument, base + position, depth + 1))
            position = end + 1
            yield Reference(
                name, base + start, base + position, found["operator"], within, argument, depth > 0
            )
    if position < len(text):
        yield text[position:]


def _closing_brace(text: str, start: int, last: int) -> int:
    """The brace that closes the one after `start`; the line's last one where none is found.

    Compose does not look at the character right after an opening brace.
    """
    opened = 0
    skipped = -1
    for found in _BRACES.finditer(text, start, last + 1):
        place = found.start()
        if place == skipped:
            continue
        if found[0] == "{":
            opened += 1
            skipped = place + 1
        else:
            opened -= 1
            if opened == 0:
                return place
    return last
