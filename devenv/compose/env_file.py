"""Env files as Compose reads them: `.env`, `--env-file` and a service's `env_file`.

The authority is Compose itself, whose grammar is neither a shell's nor that of any other dotenv
library; this says the same, with the place of each thing, and where Compose would refuse.
A text comes as `FileState.text` has it: without its byte order mark, line ends as written.
Spec: compose-go dotenv/parser.go; for `format: raw`, docker/cli pkg/kvfile.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import lru_cache

from devenv.compose.interpolation import Lookup, Reference, find_references, interpolate
from devenv.values import dataclass

_MAX_STATEMENTS = 50_000
_MAX_RAW_LINE = 65_536
"""Bytes at which Compose refuses a line of a raw file, be it a comment."""
_BLANKS = "\t\v\f\r \x85\xa0"
"""What separates on a line."""
_SPACES = _BLANKS + "\n\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
_SPACES += "\u2028\u2029\u202f\u205f\u3000"
_SPACE_RUN = re.compile(f"[{_SPACES}]*")
_BLANK_RUN = re.compile(f"[{_BLANKS}]*")
_NAME_RUN = re.compile(rf"[A-Za-z0-9_.\-\[\]{_BLANKS}]*")
_EXPORT = re.compile(r"export[\t\n\f\r ]+")
_QUOTED = {
    '"': re.compile(r'"[^"\\]*+(?:\\[\s\S][^"\\]*+)*+"'),
    "'": re.compile(r"'[^'\\]*+(?:\\[\s\S][^'\\]*+)*+'"),
}
_ESCAPE = re.compile(r'\\(?:[abcfnrtv$"\\]|0[0-9]{0,3})')
_ESCAPED = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "$": "$$",  # kept from interpolation, which takes the second one away
    '"': '"',
    "\\": "\\",
}


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


@lru_cache(maxsize=64)
def parse_env_file(text: str) -> EnvFile:
    """The statements of an env file and its faults; never raises.

    Compose stops at the first fault that it refuses. Here reading goes on in the next line, so
    what follows such a fault is what was probably meant.
    """
    return _Scanner(text).scan()


@lru_cache(maxsize=64)
def parse_raw_env_file(text: str) -> EnvFile:
    """The same for a service's `env_file` of `format: raw`: no quotes, no comments, no `$`."""
    entries: list[EnvEntry] = []
    faults: list[EnvFault] = []
    start = 0
    for line, written in enumerate(text.split("\n"), 1):
        if len(entries) + len(faults) > _MAX_STATEMENTS:
            return EnvFile(tuple(entries), tuple(faults), whole=False)
        statement = written.removesuffix("\r").lstrip(_SPACES)
        begin = start + written.index(statement) if statement else start
        column = begin - start + 1
        line_start = start
        start += len(written) + 1
        if len(written) * 4 >= _MAX_RAW_LINE and len(written.encode()) >= _MAX_RAW_LINE:
            message = f"The line has {_MAX_RAW_LINE:,} bytes or more, which format raw cannot have."
            faults.append(EnvFault(EnvFaultKind.LINE_TOO_LONG, line, 1, line_start, message))
        if not statement or statement.startswith("#"):
            continue
        name, separator, value = statement.partition("=")
        if not name:
            message = "A value has no name before it."
            faults.append(EnvFault(EnvFaultKind.EMPTY_NAME, line, column, begin, message))
        elif " " in name or "\t" in name:
            message = "A variable's name has a blank in it or after it."
            faults.append(EnvFault(EnvFaultKind.SPACE_IN_NAME, line, column, begin, message))
        else:
            end = begin + len(statement)
            name_end = begin + len(name)
            value_start = name_end + len(separator)
            kind = EntryKind.ASSIGNMENT if separator else EntryKind.PASS_THROUGH
            value_column = column + value_start - begin
            entries.append(
                EnvEntry(
                    name=name,
                    kind=kind,
                    quote=QuoteKind.NONE,
                    raw=value,
                    exported=False,
                    line=line,
                    column=column,
                    value_line=line,
                    value_column=value_column,
                    start=begin,
                    end=end,
                    name_start=begin,
                    name_end=name_end,
                    value_start=value_start,
                    value_end=end,
                    separator=separator,
                    literal=True,
                )
            )
            nul = value.find("\0")
            if nul >= 0:
                faults.append(
                    EnvFault(
                        EnvFaultKind.NUL,
                        line,
                        value_column + nul,
                        value_start + nul,
                        "A NUL character stands in the value.",
                        refused=False,
                        name=name,
                    )
                )
    return EnvFile(tuple(entries), tuple(faults))


def read_value(entry: EnvEntry) -> str:
    """The value without its quotes and escapes, before interpolation."""
    return entry.raw if entry.literal else _read(entry.raw, entry.quote)[0]


def is_interpolated(entry: EnvEntry) -> bool:
    """Whether a `$` in the value means something to Compose."""
    return entry.quote is not QuoteKind.SINGLE and not entry.literal


def references(entry: EnvEntry) -> tuple[EnvReference, ...]:
    """The variables that the value refers to, those in defaults too, in their order."""
    if "$" not in entry.raw or not is_interpolated(entry):
        return ()
    template, offsets = _read(entry.raw, entry.quote)
    return tuple(_place(entry, one, offsets) for one in find_references(template))


def resolve_env_values(
    entries: Iterable[EnvEntry], lookup: Lookup, known: Mapping[str, str] | None = None
) -> ResolvedEnv:
    """The values of entries from top to bottom, on top of those `known` from files before.

    `lookup` comes first in references and for pass-through names: the process environment for
    Compose's own env files; for a service's `env_file`, that and those files, then the
    service's `environment:`. References find what stands above, and never what stands below.
    """
    values: dict[str, str] = dict(known or {})
    faults: list[EnvFault] = []
    unset: list[UnsetReference] = []

    def find(name: str) -> str | None:
        value = lookup(name)
        return values.get(name) if value is None else value

    for entry in entries:
        if entry.kind is EntryKind.PASS_THROUGH:
            value = find(entry.name)
            if value is not None:
                values[entry.name] = value
            continue
        if not is_interpolated(entry):
            values[entry.name] = read_value(entry)
            continue
        template, offsets = _read(entry.raw, entry.quote)
        result = interpolate(template, find)
        values[entry.name] = result.value
        unset += [UnsetReference(entry, _place(entry, one, offsets)) for one in result.unset]
        for reference in result.required:
            place = _place(entry, reference, offsets)
            message = f"{entry.name} requires {reference.name}, which has no value here."
            faults.append(
                EnvFault(
                    EnvFaultKind.REQUIRED_UNSET,
                    place.line,
                    place.column,
                    place.start,
                    message,
                    name=reference.name,
                )
            )
        for bad in result.bad:
            if bad.nested:
                faults.append(_bad_template(entry, offsets[bad.start]))
    return ResolvedEnv(values, tuple(faults), tuple(unset))


def iter_env_values(
    entries: Iterable[EnvEntry], lookup: Lookup, known: Mapping[str, str] | None = None
) -> Iterator[str | None]:
    """What each statement gives its name, in order; as `resolve_env_values`, without its faults."""
    values: dict[str, str] = dict(known or {})

    def find(name: str) -> str | None:
        value = lookup(name)
        return values.get(name) if value is None else value

    for entry in entries:
        value: str | None
        if entry.kind is EntryKind.PASS_THROUGH:
            value = find(entry.name)
        elif is_interpolated(entry):
            value = interpolate(_read(entry.raw, entry.quote)[0], find).value
        else:
            value = read_value(entry)
        if value is not None:
            values[entry.name] = value
        yield value


class _Scanner:
    """One pass over a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line = 1
        self._line_start = 0
        self._counted = 0
        self._entries: list[EnvEntry] = []
        self._faults: list[EnvFault] = []

    def scan(self) -> EnvFile:
        text = self._text
        position = 0
        quote_end = -1
        """Where the value that was read last ended, if it was quoted."""
        while True:
            start = _end(_SPACE_RUN, text, position)
            whole = start >= len(text)
            if whole or len(self._entries) + len(self._faults) > _MAX_STATEMENTS:
                return EnvFile(tuple(self._entries), tuple(self._faults), whole)
            if text[start] == "#":
                position = self._find_line_end(start)
                continue
            after_quote = quote_end >= 0 and "\n" not in text[quote_end:start]
            position, quote_end = self._scan_statement(start, after_quote)

    def _scan_statement(self, start: int, after_quote: bool) -> tuple[int, int]:
        """Read a statement; where the next may begin, and where a quoted value ended or -1."""
        text = self._text
        name_start = start
        exported = _EXPORT.match(text, start)
        if exported:
            name_start = _end(_BLANK_RUN, text, start + len("export"))
            if name_start == len(text):
                message = "Nothing follows `export`."
                self._add_fault(EnvFaultKind.NOTHING_EXPORTED, start, message)
                return name_start, -1
        stop = self._find_name_end(name_start)
        if stop < len(text) and text[stop] not in "=:\n":
            message = f"The character {text[stop]!r} cannot stand in a variable's name."
            self._add_fault(EnvFaultKind.BAD_NAME, stop, message)
            return self._find_line_end(stop), -1
        if stop == len(text):
            # Compose takes a last word without a line end for the value of an empty name.
            return self._add_last_word(start, name_start, bool(exported), after_quote), -1
        name = text[name_start:stop].rstrip(_SPACES)
        name_end = name_start + len(name)
        if " " in name:
            message = "A variable's name has a space in it."
            self._add_fault(EnvFaultKind.SPACE_IN_NAME, name_start + name.index(" "), message)
            return self._find_line_end(stop), -1
        separator = text[stop]
        if separator == "\n":
            if name:
                self._add_entry(
                    start, name_start, name_end, name_end, name_end, "", bool(exported), after_quote
                )
            return stop + 1, -1
        value_start = _end(_BLANK_RUN, text, stop + 1)
        if text[value_start : value_start + 1] in _QUOTED:
            found = _QUOTED[text[value_start]].match(text, value_start)
            if found is None:
                self._add_fault(
                    EnvFaultKind.UNTERMINATED_QUOTE,
                    value_start,
                    f"The quote that opens the value of {name or 'a variable'} is never closed.",
                    name,
                )
                return self._find_line_end(value_start), -1
            value_end = next_position = found.end()
            quote_end = value_end
            line_end = self._find_line_end(value_end)
            comment_start = _end(_BLANK_RUN, text, value_end)
            if text[comment_start : comment_start + 1] != "#":
                comment_start = -1
        else:
            line_end = next_position = self._find_line_end(value_start)
            quote_end = -1
            mark = text.find(" #", value_start, line_end)
            comment_start = mark + 1 if mark >= 0 else -1
            value = text[value_start : mark if mark >= 0 else line_end].rstrip(_SPACES)
            value_end = value_start + len(value)
        entry = self._add_entry(
            start,
            name_start,
            name_end,
            value_start,
            value_end,
            separator,
            bool(exported),
            after_quote,
            (comment_start, line_end),
        )
        if not name:
            message = "A value has no name before it."
            self._add_fault(EnvFaultKind.EMPTY_NAME, start, message, refused=False)
        self._check_value(entry)
        return next_position, quote_end

    def _find_name_end(self, position: int) -> int:
        """The first character that cannot be part of a name or a blank, or the text's end."""
        text = self._text
        while True:
            position = _end(_NAME_RUN, text, position)
            if position == len(text) or text[position] < "\x80":
                return position
            if unicodedata.category(text[position])[0] not in "LN":
                return position
            position += 1

    def _add_last_word(self, start: int, name_start: int, exported: bool, after_quote: bool) -> int:
        text = self._text
        value = text[name_start:].rstrip(_SPACES)
        end = name_start + len(value)
        self._add_entry(start, name_start, name_start, name_start, end, "", exported, after_quote)
        self._add_fault(
            EnvFaultKind.EMPTY_NAME,
            name_start,
            "No line end follows the last word of the file, "
            "so Compose takes it for the value of a variable without a name.",
            refused=False,
        )
        return len(text)

    def _check_value(self, entry: EnvEntry) -> None:
        if "$" not in entry.raw and "\\" not in entry.raw and "\0" not in entry.raw:
            return
        template, offsets = _read(entry.raw, entry.quote)
        nul = template.find("\0")
        if nul >= 0:
            place = entry.value_start + offsets[nul]
            message = f"A NUL character stands in the value of {entry.name}."
            self._add_fault(EnvFaultKind.NUL, place, message, entry.name, refused=False)
        if is_interpolated(entry):
            result = interpolate(template, lambda name: "")
            for bad in result.bad:
                if not bad.nested:
                    self._faults.append(_bad_template(entry, offsets[bad.start]))

    def _find_line_end(self, position: int) -> int:
        end = self._text.find("\n", position)
        return len(self._text) if end < 0 else end

    def _place(self, position: int) -> tuple[int, int]:
        """Line and column of a place on the last line that was asked for, or further down."""
        text = self._text
        if position > self._counted:
            newlines = text.count("\n", self._counted, position)
            if newlines:
                self._line += newlines
                self._line_start = text.rfind("\n", 0, position) + 1
            self._counted = position
        return self._line, position - self._line_start + 1

    def _add_fault(
        self, kind: EnvFaultKind, start: int, message: str, name: str = "", *, refused: bool = True
    ) -> None:
        line, column = self._place(start)
        self._faults.append(EnvFault(kind, line, column, start, message, refused, name))

    def _add_entry(
        self,
        start: int,
        name_start: int,
        name_end: int,
        value_start: int,
        value_end: int,
        separator: str,
        exported: bool,
        after_quote: bool,
        comment: tuple[int, int] = (-1, -1),
    ) -> EnvEntry:
        text = self._text
        line, column = self._place(name_start)
        value_line, value_column = self._place(value_start)
        raw = text[value_start:value_end]
        name = text[name_start:name_end]
        quote = QuoteKind.NONE
        if separator and raw[:1] in _QUOTED:
            quote = QuoteKind.DOUBLE if raw[0] == '"' else QuoteKind.SINGLE
        comment_start, line_end = comment
        entry = EnvEntry(
            name=name,
            kind=EntryKind.ASSIGNMENT if separator or not name else EntryKind.PASS_THROUGH,
            quote=quote,
            raw=raw,
            exported=exported,
            line=line,
            column=column,
            value_line=value_line,
            value_column=value_column,
            start=start,
            end=max(value_end, name_end),
            name_start=name_start,
            name_end=name_end,
            value_start=value_start,
            value_end=value_end,
            separator=separator,
            comment=text[comment_start:line_end].rstrip(_SPACES) if comment_start >= 0 else "",
            comment_start=comment_start,
            after_quote=after_quote,
        )
        self._entries.append(entry)
        return entry


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    """Where a run that may be empty ends."""
    found = pattern.match(text, position)
    return found.end() if found else position


def _bad_template(entry: EnvEntry, offset: int) -> EnvFault:
    line, column = _line_and_column(entry, offset)
    message = f"The `${{` in the value of {entry.name} begins no variable that Compose can read."
    start = entry.value_start + offset
    return EnvFault(EnvFaultKind.BAD_TEMPLATE, line, column, start, message, name=entry.name)


def _place(entry: EnvEntry, reference: Reference, offsets: range | list[int]) -> EnvReference:
    start = offsets[reference.start]
    line, column = _line_and_column(entry, start)
    return EnvReference(
        name=reference.name,
        operator=reference.operator,
        line=line,
        column=column,
        start=entry.value_start + start,
        end=entry.value_start + offsets[reference.end - 1] + 1,
        nested=reference.nested,
        has_fallback=reference.has_fallback,
        is_required=reference.is_required,
    )


def _line_and_column(entry: EnvEntry, offset: int) -> tuple[int, int]:
    """The place of a character of `raw`."""
    newlines = entry.raw.count("\n", 0, offset)
    if not newlines:
        return entry.value_line, entry.value_column + offset
    return entry.value_line + newlines, offset - entry.raw.rfind("\n", 0, offset)


@lru_cache(maxsize=4096)
def _read(raw: str, quote: QuoteKind) -> tuple[str, range | list[int]]:
    """A value without quotes and escapes, and the offset in `raw` of each of its characters."""
    if quote is QuoteKind.NONE:
        return raw, range(len(raw))
    inner = raw[1:-1]
    if "\\" not in inner:
        return inner, range(1, len(inner) + 1)
    places: list[int] = []
    read: list[str] = []
    for part, offset in _unquote(inner, raw[0]):
        read.append(part)
        places.extend(range(offset, offset + len(part)))
    text = "".join(read)
    if quote is QuoteKind.SINGLE:
        return text, places
    expanded: list[str] = []
    offsets: list[int] = []
    position = 0
    for found in _ESCAPE.finditer(text):
        expanded.append(text[position : found.start()])
        offsets += places[position : found.start()]
        value = _unescape(found[0])
        expanded.append(value)
        offsets += [places[found.start()]] * len(value)
        position = found.end()
    expanded.append(text[position:])
    offsets += places[position:]
    return "".join(expanded), offsets


def _unquote(inner: str, quote: str) -> Iterator[tuple[str, int]]:
    """Pieces of a quoted value with the backslash before its quote character left out."""
    position = 0
    while (slash := inner.find("\\", position)) >= 0:
        escapes_quote = inner[slash + 1 : slash + 2] == quote
        yield inner[position:slash], position + 1
        yield inner[slash + escapes_quote : slash + 2], slash + escapes_quote + 1
        position = slash + 2
    yield inner[position:], position + 1


def _unescape(escape: str) -> str:
    """What an escape sequence stands for; Compose takes the zero out of one that is no octal."""
    if escape[1] in _ESCAPED:
        return _ESCAPED[escape[1]]
    if escape[1] != "0":
        return escape
    digits = escape[2:]
    if len(digits) == 3 and not set(digits) & set("89") and int(digits, 8) <= 0xFF:
        return chr(int(digits, 8))
    return "\\" + digits
