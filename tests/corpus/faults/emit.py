"""Writes a Compose document as text in several styles, and says on which line each key stands.

The places are counted while writing, so that they owe nothing to the reader that is tested.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Keys = tuple[str | int, ...]
_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*")
_WORDS_WITH_A_MEANING = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")


@dataclass(frozen=True)
class Raw:
    """A text that is written as it is: `*anchor`, `!override [...]`."""

    text: str


@dataclass
class Written:
    """A text and the line of each key and list item in it."""

    lines: list[str] = field(default_factory=list)
    places: dict[Keys, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    def add(self, line: str, *keys: Keys) -> None:
        self.lines.append(line)
        for one in keys:
            self.places.setdefault(one, len(self.lines))


def write_block(document: Mapping[str, Any], *, quoted: bool = False) -> Written:
    """One key or item on each line."""
    written = Written()
    _block(written, document, "", (), quoted)
    return written


def write_flow(document: Mapping[str, Any]) -> Written:
    """Each service's whole body on the line of its name."""
    written = Written()
    for name, value in document.items():
        if name != "services":
            written.add(f"{_scalar(name)}: {_flow(value)}", *_below(value, (name,)))
            continue
        written.add("services:", ("services",))
        for service, body in value.items():
            keys = _below(body, ("services", service))
            written.add(f"  {_scalar(service)}: {_flow(body)}", *keys)
    return written


def write_json(document: Mapping[str, Any]) -> Written:
    """JSON, one key or item on each line."""
    written = Written()
    _json(written, document, "", (), "", "")
    return written


def _block(written: Written, value: Mapping[str, Any], indent: str, at: Keys, quoted: bool) -> None:
    for key, item in value.items():
        keys = (*at, key)
        name = json.dumps(key) if quoted else _scalar(key)
        if key == "<<":
            name = "<<"
        if isinstance(item, Mapping) and item:
            anchor = item.get("&")
            body = {k: v for k, v in item.items() if k != "&"}
            written.add(f"{indent}{name}:" + (f" &{anchor}" if anchor else ""), keys)
            _block(written, body, indent + "  ", keys, quoted)
        elif isinstance(item, list) and item:
            written.add(f"{indent}{name}:", keys)
            for number, one in enumerate(item):
                _item(written, one, indent + "  ", (*keys, number), quoted)
        else:
            written.add(f"{indent}{name}: {_scalar(item, quoted)}".rstrip(), keys)


def _item(written: Written, item: Any, indent: str, keys: Keys, quoted: bool) -> None:
    if not isinstance(item, Mapping):
        written.add(f"{indent}- {_scalar(item, quoted)}", keys)
        return
    inner = Written()
    _block(inner, item, "", (), quoted)
    for number, line in enumerate(inner.lines):
        own = [(*keys, *one) for one, place in inner.places.items() if place == number + 1]
        written.add(f"{indent}{'- ' if number == 0 else '  '}{line}", *own)
        if number == 0:
            written.places.setdefault(keys, len(written.lines))


def _json(written: Written, value: Any, indent: str, keys: Keys, start: str, end: str) -> None:
    if isinstance(value, Mapping) and value:
        written.add(f"{indent}{start}{{", keys)
        for number, (key, item) in enumerate(value.items()):
            comma = "," if number + 1 < len(value) else ""
            _json(written, item, indent + "  ", (*keys, key), f"{json.dumps(key)}: ", comma)
        written.add(f"{indent}}}{end}")
    elif isinstance(value, list) and value:
        written.add(f"{indent}{start}[", keys)
        for number, item in enumerate(value):
            comma = "," if number + 1 < len(value) else ""
            _json(written, item, indent + "  ", (*keys, number), "", comma)
        written.add(f"{indent}]{end}")
    else:
        written.add(f"{indent}{start}{json.dumps(value)}{end}", keys)


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(one) for one in value) + "]"
    return _scalar(value, quoted=isinstance(value, str))


def _below(value: Any, keys: Keys) -> list[Keys]:
    found = [keys]
    pairs: list[tuple[str | int, Any]] = []
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    for key, item in pairs:
        found += _below(item, (*keys, key))
    return found


def _scalar(value: Any, quoted: bool = False) -> str:
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, str):
        safe = _PLAIN.fullmatch(value) and value.lower() not in _WORDS_WITH_A_MEANING
        return value if safe and not quoted else json.dumps(value)
    return json.dumps(value)
