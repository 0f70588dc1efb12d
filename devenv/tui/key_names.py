"""`[keys]` of devenv.toml: names of keys, and which action gets which."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches

from textual.binding import Binding
from textual.keys import Keys, format_key

from devenv.errors import ConfigError, Source
from devenv.values import replace

RESERVED: Mapping[str, str] = {
    "ctrl+c": "always leaves devenv",
    "ctrl+q": "always leaves devenv",
    "ctrl+p": "opens the palette",
    "tab": "moves the focus",
    "shift+tab": "moves the focus",
    "enter": "opens what has the focus",
    "ctrl+i": "is Tab in a terminal",
    "ctrl+j": "is Enter in a terminal",
    "ctrl+m": "is Enter in a terminal",
    **dict.fromkeys(
        ("up", "down", "left", "right", "pageup", "pagedown", "home", "end"),
        "moves the cursor or scrolls",
    ),
}
"""Keys that a widget or the app takes before any action could get them."""
_MODIFIERS = ("ctrl", "alt", "shift", "super", "hyper", "meta")
_ALIASES = {
    "esc": "escape",
    "return": "enter",
    "del": "delete",
    "ins": "insert",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "page_up": "pageup",
    "page_down": "pagedown",
}
_NAMED = frozenset(key.value for key in Keys if not key.value.startswith(("<", "ctrl", "shift+")))


def resolve_bindings(
    defaults: Sequence[Binding], keys: Mapping[str, str], source: Callable[[str], Source | None]
) -> tuple[Binding, ...]:
    """The bindings with the keys that `[keys]` gives them: `action -> "key"` or `"key, key"`.

    An empty text takes the action's keys away; it stays in the palette. `source` tells where an
    action is set. Raises ConfigError: an action or a key that does not exist, a key that cannot be
    given away, and two actions on one key.
    """
    known = [binding.id or "" for binding in defaults]
    parsed: dict[str, tuple[str, ...]] = {}
    for name, text in keys.items():
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise ConfigError(
                f"The terminal UI has no action {name!r}.",
                source=source(name),
                fix=f"did you mean {near[0]!r}?" if near else f"actions: {', '.join(known)}",
            )
        parsed[name] = tuple(_parse_key(part, name, source(name)) for part in _split(text))
    bindings = tuple(_rebind(binding, parsed) for binding in defaults)
    _refuse_conflicts(bindings, parsed, source)
    return bindings


def _split(text: str) -> list[str]:
    """The keys of a comma-separated text, in which `,` alone is the comma key."""
    return (
        [text.strip()] if text.strip() == "," else [p.strip() for p in text.split(",") if p.strip()]
    )


def _rebind(binding: Binding, parsed: Mapping[str, tuple[str, ...]]) -> Binding:
    chosen = parsed.get(binding.id or "")
    if chosen is None:
        return binding
    keys = ",".join(chosen)
    return replace(binding, key=keys, key_display=None, show=binding.show and bool(keys))


def _refuse_conflicts(
    bindings: Iterable[Binding],
    parsed: Mapping[str, tuple[str, ...]],
    source: Callable[[str], Source | None],
) -> None:
    owners: dict[str, str] = {}
    for binding in bindings:
        name = binding.id or ""
        for key in binding.key.split(",") if binding.key else ():
            other = owners.setdefault(key, name)
            if other == name or not {other, name}.intersection(parsed):
                continue  # both as they come: one is a tab's, while that is in front
            changed = name if name in parsed else other
            kept = other if changed == name else name
            raise ConfigError(
                f"{changed!r} and {kept!r} would both be on {format_keys(key)}.",
                source=source(changed),
                fix=f"choose another key, or give {kept!r} another one in [keys] too",
            )


def _parse_key(text: str, name: str, source: Source | None) -> str:
    """The key as Textual calls it. Raises ConfigError."""
    *modifiers, last = text.split("+") if text not in ("+", "") else [text]
    modifiers = [word.strip().lower() for word in modifiers]
    if last == "" and text.endswith("++"):
        modifiers, last = modifiers[:-1], "+"
    wrong = next((word for word in modifiers if word not in _MODIFIERS), None)
    key = None if wrong is not None else _parse_last(last.strip(), modifiers)
    if key is None:
        word = wrong or last
        near = get_close_matches(word.lower(), [*_MODIFIERS, *_NAMED], n=1)
        raise ConfigError(
            f"There is no key {text!r}.",
            source=source,
            fix=f"did you mean {near[0]!r}?" if near else 'such as "r", "R", "?", "ctrl+r", "f5"',
        )
    if key in RESERVED:
        raise ConfigError(
            f"{name!r} cannot be on {format_keys(key)}: that key {RESERVED[key]}.",
            source=source,
            fix="choose another key",
        )
    return key


def _parse_last(last: str, modifiers: Sequence[str]) -> str | None:
    if len(last) == 1:
        if modifiers == ["shift"] and last.isalpha():
            return last.upper()
        word = last.lower() if modifiers else last
        if not last.isalnum():
            word = unicodedata.name(last, "").lower().replace("-", "_").replace(" ", "_")
            word = _ASCII.get(word, word)
        if not word:
            return None
    else:
        word = _ALIASES.get(last.lower(), last.lower())
        if word not in _NAMED:
            return None
    return "+".join([*sorted(modifiers, key=_MODIFIERS.index), word])


_ASCII = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
"""Where Textual's name is not Unicode's."""


def format_keys(keys: str) -> str:
    """Textual's names, comma-separated, as people write them: `^r`, `?`, `shift+f5`."""
    return " ".join(_format(key) for key in keys.split(",") if key)


def _format(key: str) -> str:
    *modifiers, last = key.split("+")
    shown = {"escape": "esc"}.get(last) or format_key(last)
    others = [word for word in modifiers if word != "ctrl"]
    return "+".join([*others, f"^{shown}" if "ctrl" in modifiers else shown])
