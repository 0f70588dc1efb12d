"""Whether there is somebody to ask before a start."""

from __future__ import annotations

import sys
from collections.abc import Mapping


def can_ask(environ: Mapping[str, str]) -> bool:
    """A terminal for the question and for the answer, and no CI job behind it."""
    return not environ.get("CI") and sys.stdin.isatty() and sys.stderr.isatty()
