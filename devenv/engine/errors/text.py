"""The last lines of an output."""

from __future__ import annotations

import re

TAIL_LINES = 20
_NOISE = re.compile(
    r'^(?:time="\S+" level=warning|\s*Image \S+ Buil|-{6,}$|#\d+ (?:DONE|CACHED|CANCELED|\.\.\.)'
    r"|#\d+ \[(?:\S+ )?internal\]|#\d+ (?:transferring|reading from stdin)|Sending build context"
    r"|Removing intermediate container|$| ---> )"
)


def tail(text: str) -> str:
    """The last TAIL_LINES lines."""
    return "\n".join(text.splitlines()[-TAIL_LINES:])


def quiet_tail(text: str) -> str:
    """The last lines, without those that only say how a build goes on."""
    return tail("\n".join(line for line in text.splitlines() if not _NOISE.match(line)))
