"""A timeline as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from devenv.state.timeline_document import timeline_to_json
from devenv.state.timeline_values import Timeline


def render(timeline: Timeline, comparison: Sequence[str] = (), *, width: int = 0) -> str:
    """One object; `comparison` holds sentences where one was asked for."""
    del width
    document = timeline_to_json(timeline)
    if comparison:
        document["comparison"] = list(comparison)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
