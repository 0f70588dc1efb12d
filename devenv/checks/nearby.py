"""What somebody may have meant who wrote a path that is not there."""

from __future__ import annotations

import posixpath
from difflib import get_close_matches

from devenv.checks.facts import Facts


def nearest_name(path: str, facts: Facts) -> str | None:
    """The name beside `path` that is most like it; None where none is, or none was gathered."""
    parent = facts.file(posixpath.dirname(path))
    near = get_close_matches(posixpath.basename(path), parent.entries, n=1)
    return near[0] if near else None
