"""Whether a YAML text nests deeper than a parser that calls itself can follow.

libyaml's composer ends the process at some ten thousand levels; no error can be caught then.
"""

from __future__ import annotations

import re

import yaml

MAX_LEVELS = 500
"""A Compose file that a person wrote has some ten."""
_FLOW_MARKS = 3000
"""Fewer brackets cannot open so many levels that the composer fails."""
_DEEP_LINE = re.compile(r"^ {400}|(?:[-?:][ \t]+){100}", re.MULTILINE)
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def nests_too_deep(text: str) -> bool:
    """Whether a text has more than `MAX_LEVELS` levels; a usual text is not read for it."""
    if text.count("[") + text.count("{") < _FLOW_MARKS and not _DEEP_LINE.search(text):
        return False
    level = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, yaml.CollectionStartEvent):
                level += 1
                if level > MAX_LEVELS:
                    return True
            elif isinstance(event, yaml.CollectionEndEvent):
                level -= 1
    except (yaml.YAMLError, ValueError):
        return False  # what follows is not read by anybody
    return False
