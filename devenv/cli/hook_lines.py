"""What hooks do as lines on stderr, each change once."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from devenv.cli.output import paint, print_note
from devenv.report.hooks import render_hook
from devenv.state.hooks import HookRun, HookStatus
from devenv.state.text import sanitize

_COLOURS = {HookStatus.DONE: "green", HookStatus.FAILED: "red", HookStatus.RUNNING: "yellow"}


class HookLines:
    """Prints what is new of the hooks that it is shown."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int], HookStatus] = {}

    def show(self, runs: Iterable[HookRun]) -> None:
        """All hooks as they are now; none: from here on they are other ones."""
        runs = tuple(runs)
        if not runs:
            self._seen.clear()
        counts: dict[str, int] = {}
        for run in runs:
            index = counts[run.event] = counts.get(run.event, -1) + 1
            before = self._seen.get((run.event, index), HookStatus.WAITING)
            self._seen[run.event, index] = run.status
            if run.status not in (before, HookStatus.WAITING):
                glyph, words = render_hook(run)
                sign = paint(glyph, _COLOURS.get(run.status, "bold"), sys.stderr)
                print_note(f"{sign} {sanitize(words)}")
