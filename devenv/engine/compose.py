"""Docker Compose as a program: finding it, its version, and the command lines for a selection.

Running it is `process`; what its errors mean is `errors`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from devenv.errors import EngineUnavailable
from devenv.values import dataclass

MINIMUM_COMPOSE = (2, 30, 0)
"""The lowest Compose version that devenv works with (`!override`, `config --environment`)."""

_PLUGIN_DIRECTORIES = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
    "/opt/homebrew/lib/docker/cli-plugins",
    "/Applications/Docker.app/Contents/Resources/cli-plugins",
)
_INSTALL = (
    "install the Compose plugin (https://docs.docker.com/compose/install/), "
    "or: pip install 'devenv-compose[compose]'"
)


@dataclass(frozen=True, slots=True)
class ComposeCli:
    """The Compose binary, run directly: that saves the start of the docker CLI each time."""

    path: str
    version: str

    def argv(self, *arguments: str) -> tuple[str, ...]:
        return (self.path, *arguments)


@dataclass(frozen=True, slots=True)
class Selection:
    """What devenv hands to Compose: where, which files, which Compose profiles, which variables."""

    directory: Path
    name: str | None = None
    """The Compose project name; None until the model has said it."""
    files: tuple[Path, ...] = ()
    """Empty where Compose's own discovery finds the same."""
    env_files: tuple[Path, ...] = ()
    profiles: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    """The profile's `[env]`, less what the shell sets."""

    def arguments(self) -> tuple[str, ...]:
        """Global options, in the order in which Compose documents them."""
        parts: list[str] = []
        if self.name:
            parts += ["--project-name", self.name]
        if self.files:
            parts += ["--project-directory", str(self.directory)]
        for file in self.files:
            parts += ["--file", str(file)]
        for file in self.env_files:
            parts += ["--env-file", str(file)]
        for profile in self.profiles:
            parts += ["--profile", profile]
        return tuple(parts)

    def environ(self, base: Mapping[str, str]) -> dict[str, str]:
        """The process environment of a Compose child."""
        return {**base, **dict(self.variables), "COMPOSE_MENU": "0", "COMPOSE_ANSI": "never"}

    def shell_variables(self) -> dict[str, str]:
        """The variables that give a plain `docker compose` the same environment."""
        variables = dict(self.variables)
        if self.name:
            variables["COMPOSE_PROJECT_NAME"] = self.name
        if self.files:
            separator = ":" if not any(":" in str(file) for file in self.files) else "|"
            variables["COMPOSE_FILE"] = separator.join(str(file) for file in self.files)
            if separator != ":":
                variables["COMPOSE_PATH_SEPARATOR"] = separator
        if self.profiles:
            variables["COMPOSE_PROFILES"] = ",".join(self.profiles)
        if self.env_files:
            variables["COMPOSE_ENV_FILES"] = ",".join(str(file) for file in self.env_files)
        return variables


def plain_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The process environment of a Compose child that reads no files, such as `exec` run in `/`.

    A COMPOSE_FILE of the shell would be looked for there.
    """
    own = ("COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR", "COMPOSE_PROFILES", "COMPOSE_ENV_FILES")
    return {key: value for key, value in environ.items() if key not in own}


def parse_version(text: str) -> tuple[int, int, int] | None:
    """The version in a text such as `v2.40.3-desktop.1`, or None."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def find_compose(environ: Mapping[str, str], cache_file: Path | None = None) -> ComposeCli:
    """The Compose plugin if it is new enough, else the binary beside this Python or on PATH.

    `cache_file` remembers versions by path, size and modification time: asking costs 40 ms.
    Raises EngineUnavailable where there is none, or only ones that are too old.
    """
    known = _load_versions(cache_file)
    too_old: list[str] = []
    for candidate in _candidates(environ):
        try:
            status = candidate.stat()
        except OSError:
            continue
        key = f"{candidate}|{status.st_size}|{status.st_mtime_ns}"
        text = known.get(key) or _ask_version(candidate, environ)
        version = parse_version(text)
        if version is None:
            continue
        if known.get(key) != text:
            _save_versions(cache_file, {**known, key: text})
        if version >= MINIMUM_COMPOSE:
            return ComposeCli(str(candidate), text.removeprefix("v"))
        too_old.append(f"{candidate} is {text}")
    wanted = ".".join(map(str, MINIMUM_COMPOSE))
    if too_old:
        raise EngineUnavailable(
            f"Docker Compose is too old: {too_old[0]}, devenv needs {wanted} or later.",
            fix=_INSTALL,
        )
    raise EngineUnavailable("Docker Compose is not installed.", fix=_INSTALL)


def find_buildx_plugin(environ: Mapping[str, str]) -> str | None:
    """The program of the buildx plugin. Without it Compose builds with the classic builder."""
    paths = (Path(directory) / "docker-buildx" for directory in plugin_directories(environ))
    return next((str(path) for path in paths if os.access(path, os.X_OK)), None)


def plugin_directories(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Where the docker CLI looks for its plugins, the user's own directory first."""
    config = environ.get("DOCKER_CONFIG") or str(Path(environ.get("HOME", "~")) / ".docker")
    return (str(Path(config) / "cli-plugins"), *_PLUGIN_DIRECTORIES)


def _candidates(environ: Mapping[str, str]) -> list[Path]:
    found = [Path(directory) / "docker-compose" for directory in plugin_directories(environ)]
    found.append(Path(sys.executable).parent / "docker-compose")
    on_path = shutil.which("docker-compose", path=environ.get("PATH"))
    if on_path:
        found.append(Path(on_path))
    return [path for path in found if os.access(path, os.X_OK)]


def _ask_version(path: Path, environ: Mapping[str, str]) -> str:
    try:
        completed = subprocess.run(
            [str(path), "version", "--short"],
            capture_output=True,
            text=True,
            timeout=20,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return completed.stdout.strip() if completed.returncode == 0 else ""


def _load_versions(cache_file: Path | None) -> dict[str, str]:
    if cache_file is None:
        return {}
    import json

    try:
        known = json.loads(cache_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _save_versions(cache_file: Path | None, known: Mapping[str, str]) -> None:
    if cache_file is None:
        return
    import json

    try:
        cache_file.write_text(json.dumps(known), encoding="utf-8")
    except OSError:
        return  # a cache that cannot be written only costs time
