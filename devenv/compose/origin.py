"""What is known of where a value of the merged model comes from."""

from __future__ import annotations

from enum import StrEnum

from devenv.errors import Source
from devenv.values import dataclass

Keys = tuple[str | int, ...]
"""The keys of a value; items of lists by their index."""


class OriginKind(StrEnum):
    """How well the origin is known."""

    WRITTEN = "written"
    DEFAULT = "default"
    """No file sets it: Compose does."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class VariableOrigin:
    """A variable that a value went through."""

    name: str
    where: str
    """`the shell`, `the profile's [env]`, `not set`, or empty for `source`."""
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of one value; `source` is None unless it is written."""

    kind: OriginKind
    source: Source | None = None
    note: str = ""
    overrode: tuple[Source, ...] = ()
    """The places whose values it hides, the next one first."""
    variables: tuple[VariableOrigin, ...] = ()
    appended: bool = False
    """Whether the list around it is joined from several files."""


UNKNOWN = Origin(OriginKind.UNKNOWN)
