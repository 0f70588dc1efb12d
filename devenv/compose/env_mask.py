"""Env files as they may be shown: each line without the value that stands on it."""

from __future__ import annotations

import re
from functools import lru_cache

from devenv.compose.env_entries import EnvEntry, EnvFaultKind
from devenv.compose.env_file import parse_env_file, parse_raw_env_file
from devenv.compose.secrets import MASK, mask_text

_BARE_NAME = re.compile(r"\s*(?:export\s+)?[\w.\-]*\s*")


@lru_cache(maxsize=16)
def mask_env_text(text: str, *, is_raw: bool = False) -> str:
    """The text with every value masked and its quotes kept; it has as many lines as before.

    Comments keep their words, less what looks like a secret in them. What follows a quote that
    is never closed, or one that closes within a line, may all be the value: all of it is masked.
    """
    file = parse_raw_env_file(text) if is_raw else parse_env_file(text)
    opened = [f.start for f in file.faults if f.kind is EnvFaultKind.UNTERMINATED_QUOTE]
    opened += [entry.start for entry in file.entries if entry.after_quote]
    known = min(opened, default=len(text))
    parts: list[str] = []
    position = 0
    for entry in file.entries:
        if not position <= entry.start < known:
            continue
        parts += [_between(text[position : entry.start]), text[entry.start : entry.value_start]]
        parts.append(_masked(entry))
        position = max(entry.end, entry.value_end)
    parts.append(_between(text[position:known]))
    rest = text[known:].split("\n")
    parts.append("\n".join(MASK if line.strip() else line for line in rest))
    return "".join(parts)


def mask_env_line(text: str) -> str:
    """One line without its value, where what stands around it is not known."""
    if text.lstrip().startswith("#"):
        return mask_text(text)
    name, separator, value = text.partition("=")
    if separator:
        return name + separator + (MASK if value.strip() else value)
    return text if _BARE_NAME.fullmatch(text) else MASK


def _masked(entry: EnvEntry) -> str:
    """The value's lines, each masked; quotes stay, since they are what repairs change."""
    if not entry.raw:
        return ""
    quote = entry.raw[0] if not entry.literal and entry.raw[0] in "\"'" else ""
    inner = entry.raw[len(quote) : len(entry.raw) - len(quote)]
    lines = inner.split("\n")
    return quote + "\n".join(MASK if line.strip() else line for line in lines) + quote


def _between(text: str) -> str:
    """What stands between values: blanks, comments, and what belongs to a fault."""
    lines = text.split("\n")
    return "\n".join(line if not line.strip() else _rest(line) for line in lines)


def _rest(line: str) -> str:
    mark = line.find("#")
    if mark >= 0 and not line[:mark].strip():
        return mask_text(line)
    return mask_env_line(line)
