"""How a report shows a finding's path, and the source line that belongs to it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from devenv.checks.facts import FileState
from devenv.compose.env_mask import mask_env_text
from devenv.compose.secrets import MASK, mask_text
from devenv.report.text_diff import split_lines
from devenv.values import dataclass, field

_ENV_NAME = re.compile(r"(?:^|/)(?:\.env(?:\..*)?|[^/]*\.env)$")
_COMPOSE_VALUE = re.compile(r"^(\s*(?:-\s*)?[\"']?([A-Za-z_][\w.]*)[\"']?\s*[:=]\s*)(\S.*)$")


@dataclass(frozen=True, slots=True)
class FindingPaths:
    """Absolute paths to those of reports, and to the texts that were checked."""

    directory: str
    """The project directory, to which reported paths are relative."""
    files: Mapping[str, FileState] = field(default_factory=dict)
    repository: str | None = None
    """The top directory of the checkout; None outside of git."""
    profiles: tuple[str, ...] = ()
    """All profiles that were checked: a finding of all of them need not list them."""
    env_files: frozenset[str] = frozenset()
    """The env files that Compose reads, whatever their names are."""
    width: int | None = None
    """Columns of the terminal; None for a pipe, where nothing is shortened."""

    def show(self, path: str) -> str:
        """The path relative to the project directory, with `/` between its parts."""
        return os.path.relpath(path, self.directory).replace(os.sep, "/")

    def show_in_repository(self, path: str) -> str:
        """The path relative to the top of the checkout."""
        return os.path.relpath(path, self.repository or self.directory).replace(os.sep, "/")

    def source_line(self, path: str, line: int) -> str | None:
        """The text of a line with what may be secret masked; None where it is not there."""
        state = self.files.get(path)
        text = (state.text or "") if state else ""
        is_env = self.is_env_file(path)
        lines = (mask_env_text(text) if is_env else text).split("\n")
        if not 1 <= line <= len(lines) or not text:
            return None
        shown = lines[line - 1].rstrip("\r")
        return shown if is_env else _mask_line(shown)

    def mask_lines(self, path: str, text: str) -> list[str]:
        """A text's lines, split at line feeds, with what may be secret masked."""
        if self.is_env_file(path):
            return split_lines(mask_env_text(text))
        return [_mask_line(line) for line in split_lines(text)]

    def is_env_file(self, path: str) -> bool:
        """Whether a file's lines are variables: it is known as such, or named like one."""
        return path in self.env_files or bool(_ENV_NAME.search(path))


def _mask_line(text: str) -> str:
    from devenv.compose.secrets import is_secret_name

    found = _COMPOSE_VALUE.match(text)
    if found and is_secret_name(found[2]) and "${" not in found[3]:
        return found[1] + MASK
    return mask_text(text)
