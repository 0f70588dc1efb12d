"""Text from containers, files and labels made harmless for a terminal."""

from __future__ import annotations

import re

_SGR = r"\x1b\[[0-9;:]*m"
_ESCAPES = re.compile(
    rf"(?P<sgr>{_SGR})"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC: titles, hyperlinks, clipboard
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\)?"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: cursor moves, modes
    r"|\x1b[ -/]*[0-~]?"  # two-character sequences
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"  # C0 without tab and newline, DEL, C1
    r"|[\u202a-\u202e\u2066-\u2069]"  # bidirectional overrides
)
_NEEDS_WORK = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def sanitize(text: str, *, keep_colours: bool = False) -> str:
    """`text` with every escape sequence and control character removed.

    Tabs and newlines stay; `keep_colours` also keeps SGR sequences (colour, bold).
    """
    if not _NEEDS_WORK.search(text):
        return text
    if keep_colours:
        return _ESCAPES.sub(lambda found: found["sgr"] or "", text)
    return _ESCAPES.sub("", text)
