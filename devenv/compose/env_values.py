"""The values that env files give: quotes, escapes and references, as Compose takes them.

Spec: compose-go dotenv/parser.go and template/template.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from devenv.compose.env_entries import (
    EntryKind,
    EnvEntry,
    EnvFault,
    EnvFaultKind,
    EnvReference,
    QuoteKind,
    ResolvedEnv,
    UnsetReference,
)
from devenv.compose.interpolation import Lookup, Reference, find_references, interpolate

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


def read_value(entry: EnvEntry) -> str:
    """The value without its quotes and escapes, before interpolation."""
    return entry.raw if entry.literal else read_template(entry.raw, entry.quote)[0]


def is_interpolated(entry: EnvEntry) -> bool:
    """Whether a `$` in the value means something to Compose."""
    return entry.quote is not QuoteKind.SINGLE and not entry.literal


def references(entry: EnvEntry) -> tuple[EnvReference, ...]:
    """The variables that the value refers to, those in defaults too, in their order."""
    if "$" not in entry.raw or not is_interpolated(entry):
        return ()
    template, offsets = read_template(entry.raw, entry.quote)
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
        template, offsets = read_template(entry.raw, entry.quote)
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
                faults.append(to_template_fault(entry, offsets[bad.start]))
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
            value = interpolate(read_template(entry.raw, entry.quote)[0], find).value
        else:
            value = read_value(entry)
        if value is not None:
            values[entry.name] = value
        yield value


def to_template_fault(entry: EnvEntry, offset: int) -> EnvFault:
    """A `${` that begins no variable, at an offset in the written value."""
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
def read_template(raw: str, quote: QuoteKind) -> tuple[str, range | list[int]]:
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
