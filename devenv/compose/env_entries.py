"""The statements of env files, what is wrong in them, and the variables that they refer to."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from devenv.values import dataclass


class QuoteKind(StrEnum):
    """How a value is written."""

    NONE = "none"
    SINGLE = "single"
    DOUBLE = "double"


class EntryKind(StrEnum):
    """What a statement of an env file does."""

    ASSIGNMENT = "assignment"
    PASS_THROUGH = "pass-through"
    """A bare name: its value is that of the process, and without one it is left out."""


class EnvFaultKind(StrEnum):
    """What is wrong with a statement."""

    UNTERMINATED_QUOTE = "unterminated quote"
    BAD_NAME = "bad character in a name"
    SPACE_IN_NAME = "space in a name"
    NOTHING_EXPORTED = "export without a name"
    BAD_TEMPLATE = "bad template"
    REQUIRED_UNSET = "required variable not set"
    EMPTY_NAME = "variable without a name"
    NUL = "NUL character"
    LINE_TOO_LONG = "line too long"


@dataclass(frozen=True, slots=True)
class EnvFault:
    """What is wrong at a place; line and column count from 1, `start` is a character offset."""

    kind: EnvFaultKind
    line: int
    column: int
    start: int
    message: str
    refused: bool = True
    """Whether `docker compose config` refuses the file; others fail in `up`, in a container."""
    name: str = ""
    """The variable concerned, where there is one."""


@dataclass(frozen=True, slots=True)
class EnvEntry:
    """A statement. Lines and columns count from 1; all else are character offsets in the text."""

    name: str
    kind: EntryKind
    quote: QuoteKind
    raw: str
    """The value as written, with its quotes and without a comment; "" for a pass-through."""
    exported: bool
    line: int
    column: int
    value_line: int
    value_column: int
    start: int
    """Of the statement: of `export`, or of the name."""
    end: int
    """After the value, or after the name of a pass-through."""
    name_start: int
    name_end: int
    value_start: int
    value_end: int
    separator: str = "="
    """`=`, `:`, or "" for a pass-through."""
    comment: str = ""
    """What follows the value on its last line, from the `#` on."""
    comment_start: int = -1
    after_quote: bool = False
    """It begins right after another value's closing quote, on the same line."""
    literal: bool = False
    """From a file of `format: raw`: the value is what is written, quotes and all."""


@dataclass(frozen=True, slots=True)
class EnvFile:
    """An env file: statements in their order, and what is wrong whatever the variables are."""

    entries: tuple[EnvEntry, ...] = ()
    faults: tuple[EnvFault, ...] = ()
    whole: bool = True
    """False where the rest was left unread, because it has more statements than anyone writes."""

    @property
    def refused(self) -> bool:
        """Whether Compose refuses the file, whatever the variables are."""
        return any(fault.refused for fault in self.faults)

    def names(self) -> tuple[str, ...]:
        """The names that it has something to say of, each once, in their order."""
        return tuple(dict.fromkeys(entry.name for entry in self.entries if entry.name))


@dataclass(frozen=True, slots=True)
class UnsetReference:
    """A plain reference to a name that is not set where it stands; Compose takes "" for it."""

    entry: EnvEntry
    reference: EnvReference


@dataclass(frozen=True, slots=True)
class EnvReference:
    """A variable that an entry's value refers to, where it stands in the text."""

    name: str
    operator: str
    """As in `Reference.operator`."""
    line: int
    column: int
    start: int
    end: int
    nested: bool = False
    """In the default of another reference."""
    has_fallback: bool = False
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class ResolvedEnv:
    """Values after interpolation. They may be secrets: never show them unasked."""

    values: Mapping[str, str]
    """With those that were known before; the last statement of a name counts."""
    faults: tuple[EnvFault, ...] = ()
    """For what Compose refuses because of the variables' values; the file's own not repeated."""
    unset: tuple[UnsetReference, ...] = ()
