"""Which text of a Compose file has become the value that Compose refuses without naming it.

Compose says `no port specified: :<empty>`; this finds the entry under `ports` that is that, once
the variables that Compose calls unset are blank. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from devenv.compose.interpolation import find_references, interpolate
from devenv.compose.layers import child, entries, items, parse_nodes, scalar, source_of
from devenv.values import dataclass

_ANY = "\0"


@dataclass(frozen=True, slots=True)
class Written:
    """A scalar as it is written; line and column from 1."""

    text: str
    line: int
    column: int
    service: str | None = None
    certain: bool = False
    """Whether nothing in it is unknown: it is the refused text, and not only may be."""


def find_refused(
    text: str, lists: Sequence[str], refused: str, unset: Collection[str]
) -> tuple[Written, ...]:
    """Every entry of these lists of a service, such as `ports`, that can be the refused text.

    `unset` are the variables that Compose says are blank; what others stand for is not known.
    """
    found = []
    services = child("", parse_nodes(text), "services")
    for name, service in entries(services.value) if services else ():
        for key in lists:
            entry = child("", service, key)
            for item in items(entry.value) if entry else ():
                words = scalar(item)
                if words is None:
                    continue
                value = interpolate(words, lambda one: None if one in unset else _ANY).value
                if _can_be(value, refused):
                    at = source_of("", item)
                    place = (at.line or 1, at.column or 1)
                    found.append(Written(words, *place, str(name.value), _ANY not in value))
    return tuple(found)


def find_scalar(text: str, keys: Sequence[str]) -> str | None:
    """What is written at a key path, before interpolation; None for what is no scalar."""
    node = parse_nodes(text)
    for key in keys:
        entry = child("", node, key)
        if entry is None:
            return None
        node = entry.value
    return scalar(node)


def blank_names(text: str, unset: Collection[str]) -> tuple[str, ...]:
    """The variables of a text that are unset, in their order."""
    names = dict.fromkeys(one.name for one in find_references(text))
    return tuple(name for name in names if name in unset)


def _can_be(value: str, refused: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in value.split(_ANY))
    return re.fullmatch(pattern, refused, re.DOTALL) is not None
