"""How a report shows a finding's path, and the source line that belongs to it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from devenv.checks.facts import FileState
from devenv.compose.secrets import MASK, mask_text
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
        lines = (state.text or "").split("\n") if state else []
        if not 1 <= line <= len(lines):
            return None
        return mask_source_line(path, lines[line - 1].rstrip("\r"))


def mask_source_line(path: str, text: str) -> str:
    """A line of a file with what may be secret masked."""
    return _mask_env_line(text) if _ENV_NAME.search(path) else _mask_line(text)


def _mask_env_line(text: str) -> str:
    """The line of an env file without its value: a value of several lines is masked whole."""
    if text.lstrip().startswith("#"):
        return mask_text(text)
    name, separator, value = text.partition("=")
    if separator:
        return name + separator + (MASK if value.strip() else value)
    return text if re.fullmatch(r"\s*(?:export\s+)?[\w.\-]*\s*", text) else MASK


def _mask_line(text: str) -> str:
    from devenv.compose.secrets import is_secret_name

    found = _COMPOSE_VALUE.match(text)
    if found and is_secret_name(found[2]) and "${" not in found[3]:
        return found[1] + MASK
    return mask_text(text)
