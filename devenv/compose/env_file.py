"""Env files as Compose reads them: `.env`, `--env-file` and a service's `env_file`.

The authority is Compose itself, whose grammar is neither a shell's nor that of any other dotenv
library; this says the same, with the place of each thing, and where Compose would refuse.
A text comes as `FileState.text` has it: without its byte order mark, line ends as written.
Spec: compose-go dotenv/parser.go; for `format: raw`, docker/cli pkg/kvfile.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from devenv.compose.env_entries import (
    EntryKind,
    EnvEntry,
    EnvFault,
    EnvFaultKind,
    EnvFile,
    QuoteKind,
)
from devenv.compose.env_values import (
    is_interpolated,
    read_template,
    to_template_fault,
)
from devenv.compose.interpolation import interpolate

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
        template, offsets = read_template(entry.raw, entry.quote)
        nul = template.find("\0")
        if nul >= 0:
            place = entry.value_start + offsets[nul]
            message = f"A NUL character stands in the value of {entry.name}."
            self._add_fault(EnvFaultKind.NUL, place, message, entry.name, refused=False)
        if is_interpolated(entry):
            result = interpolate(template, lambda name: "")
            for bad in result.bad:
                if not bad.nested:
                    self._faults.append(to_template_fault(entry, offsets[bad.start]))

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
