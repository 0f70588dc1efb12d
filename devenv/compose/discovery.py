"""Which Compose files a directory has, by Compose's own rules. Pure: asks `exists` for paths.

Order: `compose` in devenv.toml (the one a team writes down for devenv), then COMPOSE_FILE of
the process, then COMPOSE_FILE of the env file, then the usual names in the directory and its
parents. Spec: compose-go cli/options.go (`WithConfigFileEnv`, `WithDefaultConfigPath`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from devenv.values import dataclass

FILE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDE_NAMES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
"""compose-go asks for .yml first here, and for .yaml first among the base files."""

OWN_GIT_DIRECTORY = "DEVENV_GIT_DIR"
"""The variable that devenv sets for the Compose files: the git directory that all worktrees of the
repository share. Not set outside git."""

_ASSIGNMENT = re.compile(
    r"^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*[=:][ \t]*"
    r"""(?:"(?P<double>[^"\n]*)"|'(?P<single>[^'\n]*)'|(?P<bare>[^\n]*?))[ \t]*(?:(?<=\s)\#.*)?$""",
    re.MULTILINE,
)
_REFERENCE = re.compile(r"\$(?:\{(?P<braced>\w+)(?::?-(?P<default>[^}]*))?\}|(?P<plain>\w+))")


@dataclass(frozen=True, slots=True)
class EnvValue:
    """A variable's value in an env file, and its line there."""

    value: str
    line: int


def find_default_files(start: Path, exists: Callable[[Path], bool]) -> tuple[Path, ...]:
    """The Compose file nearest to `start` upwards, with its override file; empty for none.

    Of several in one directory the first of FILE_NAMES counts, and any one override file goes
    with any base file: both as in Compose, which warns about it.
    """
    for directory in (start, *start.parents):
        for name in FILE_NAMES:
            if exists(directory / name):
                override = next((n for n in OVERRIDE_NAMES if exists(directory / n)), None)
                found = (directory / name,)
                return (*found, directory / override) if override else found
    return ()


def split_compose_file(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The paths in COMPOSE_FILE, split at COMPOSE_PATH_SEPARATOR (default `:`).

    Empty entries are left out; Compose refuses them with an error about a directory.
    """
    separator = environ.get("COMPOSE_PATH_SEPARATOR") or ":"
    value = environ.get("COMPOSE_FILE") or ""
    return tuple(part for part in value.split(separator) if part)


def read_env_value(text: str, name: str, environ: Mapping[str, str]) -> EnvValue | None:
    """The value that an env file's text gives to one of Compose's own variables, or None.

    The last assignment counts. `$NAME`, `${NAME}` and `${NAME:-default}` take the process's
    value, then that of the lines above. Values over several lines are not read: a list of
    files has none.
    """
    known: dict[str, str] = {}
    found: EnvValue | None = None

    def expand(match: re.Match[str]) -> str:
        key = match["braced"] or match["plain"]
        return environ.get(key) or known.get(key) or match["default"] or ""

    for match in _ASSIGNMENT.finditer(text.replace("\r\n", "\n")):
        if match["single"] is not None:
            value = match["single"]
        else:
            value = _REFERENCE.sub(expand, match["double"] or match["bare"] or "")
        known[match["name"]] = value
        if match["name"] == name:
            line = match.string.count("\n", 0, match.start("name")) + 1
            found = EnvValue(value, line)
    return found
