"""How a report shows a finding's path, and the source line that belongs to it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from devenv.checks.facts import FileState


@dataclass(frozen=True, slots=True)
class FindingPaths:
    """Absolute paths to those of reports, and to the texts that were checked."""

    directory: str
    """The project directory, to which reported paths are relative."""
    files: Mapping[str, FileState] = field(default_factory=dict)

    def show(self, path: str) -> str:
        """The path relative to the project directory, with `/` between its parts."""
        return os.path.relpath(path, self.directory).replace(os.sep, "/")

    def source_line(self, path: str, line: int) -> str | None:
        """The text of a line, without its end; None where the file or the line is not there."""
        state = self.files.get(path)
        lines = (state.text or "").split("\n") if state else []
        return lines[line - 1].rstrip("\r") if 1 <= line <= len(lines) else None
