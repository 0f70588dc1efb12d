"""Text from containers, files and labels made harmless for a terminal."""

from __future__ import annotations

import re

_MAX_SGR = 64
"""Longer colour sequences are no colours."""
_SGR = rf"\x1b\[[0-9;:]{{0,{_MAX_SGR}}}m"
_ESCAPES = re.compile(
    rf"(?P<sgr>{_SGR})"
    r"|\x1b\][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC: titles, hyperlinks, clipboard
    r"|\x1b[PX^_][^\x1b\x9c]*(?:\x1b\\|\x9c)?"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: cursor moves, modes
    r"|\x1b[ -/]*[0-~]?"  # two-character sequences
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"  # C0 without tab and newline, DEL, C1
    r"|[\u202a-\u202e\u2066-\u2069]"  # bidirectional overrides
)
_NEEDS_WORK = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_CONTROLS = bytes(number for number in (*range(0x20), 0x7F) if number != 9)
_HIDING = frozenset({"5", "6", "8"})
"""SGR parameters that blink or hide what is written."""


def sanitize(text: str, *, keep_colours: bool = False) -> str:
    """`text` with every escape sequence and control character removed.

    Tabs and newlines stay; `keep_colours` also keeps SGR sequences (colour, bold), but none that
    blinks or hides text.
    """
    if not _NEEDS_WORK.search(text):
        return text
    if keep_colours:
        return _ESCAPES.sub(lambda found: _shown_sgr(found["sgr"]) if found["sgr"] else "", text)
    return _ESCAPES.sub("", text)


def _shown_sgr(sequence: str) -> str:
    """An SGR sequence without the parameters that blink or hide."""
    if not _HIDING.intersection(sequence):
        return sequence
    words = sequence[2:-1].split(";")
    kept: list[str] = []
    at = 0
    while at < len(words):
        # 38;5;N and 38;2;R;G;B hold numbers that are no parameters of their own.
        size = 1
        if words[at] in ("38", "48", "58"):
            size = {"5": 3, "2": 5}.get(words[at + 1] if at + 1 < len(words) else "", 1)
        if words[at].partition(":")[0].lstrip("0") not in _HIDING:
            kept += words[at : at + size]
        at += size
    return f"\x1b[{';'.join(kept)}m" if kept else ""


def last_overwritten(text: str) -> str:
    """What a terminal shows of a line that carriage returns have written over: the last piece."""
    if "\r" not in text:
        return text
    return next((piece for piece in reversed(text.split("\r")) if piece.strip()), "")


def clean_line(raw: bytes) -> tuple[bytes, bytes | None]:
    """A log line as plain UTF-8 without escapes, and with colours where it has any.

    Invalid UTF-8 becomes U+FFFD, a newline a blank; a progress bar is its last state.
    """
    text = last_overwritten(raw.decode(errors="replace")).replace("\n", " ")
    plain = sanitize(text).encode(errors="replace")
    if "\x1b" not in text:
        return plain, None
    styled = sanitize(text, keep_colours=True).encode(errors="replace")
    return plain, styled if styled != plain else None


def clean_lines(lines: list[bytes]) -> tuple[list[bytes], dict[int, bytes]]:
    """`clean_line` of each, and index -> the coloured text of those that have colours.

    One look at the whole batch tells the usual case: nothing to clean.
    """
    joined = b"".join(lines)
    if joined.isascii() and len(joined.translate(None, _CONTROLS)) == len(joined):
        return lines, {}
    plain: list[bytes] = []
    styled: dict[int, bytes] = {}
    for index, raw in enumerate(lines):
        clean, coloured = clean_line(raw)
        plain.append(clean)
        if coloured is not None:
            styled[index] = coloured
    return plain, styled
