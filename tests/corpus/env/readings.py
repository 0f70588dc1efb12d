"""The env files of the corpus, and what Compose and devenv read from one.

Each file has three readings: for interpolation (`--env-file`), for a service (`env_file`), and
for a service with `format: raw`. A reading is the values, or None where Compose refuses.
"""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from devenv.compose.env_file import parse_env_file, parse_raw_env_file
from devenv.compose.env_values import resolve_env_values
from devenv.engine.compose import find_compose

HERE = Path(__file__).parent
FILES = HERE / "files"
RECORD = HERE / "outcomes.json"
SHELL = {"SHELL_VAR": "from-shell", "EMPTY_VAR": ""}
"""What the shell of every reading sets, beside PATH and HOME."""
OWN = {"OWN": "environment"}
"""`environment:` of the service that reads the file."""
PLAIN = "services: {web: {image: devenv-offline/base}}\n"


def load_names() -> list[str]:
    """The names of the corpus, sorted."""
    return sorted(path.stem for path in FILES.glob("*.env"))


def load_bytes(name: str) -> bytes:
    """A file of the corpus."""
    return (FILES / f"{name}.env").read_bytes()


def load_text(content: bytes) -> str:
    """A file's text as `FileState.text` has it."""
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="replace")


class RealReader:
    """Readings of the real binary, in a directory of their own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        compose = find_compose(os.environ)
        self.version = compose.version
        self._argv = compose.argv()
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self._environ = {**kept, **SHELL}
        self._empty = directory / "empty.env"
        self._empty.write_bytes(b"")
        self._usual = set(self._lines(self._empty) or ())

    def read_interpolation(self, content: bytes) -> list[str] | None:
        """The lines of the project's environment that the file adds, sorted."""
        path = self._directory / "file.env"
        path.write_bytes(content)
        lines = self._lines(path)
        return None if lines is None else sorted(set(lines) - self._usual)

    def _lines(self, path: Path) -> list[str] | None:
        (self._directory / "compose.yaml").write_text(PLAIN)
        said = self._run("--env-file", str(path), "config", "--environment")
        return None if said is None else said.split("\n")

    def read_service(self, content: bytes, *, raw: bool = False) -> dict[str, str] | None:
        """The variables that a container would get from the file, without OWN."""
        found = self.read_services([content], raw=raw)
        return None if found is None else found[0]

    def read_services(
        self, contents: Sequence[bytes], *, raw: bool = False
    ) -> list[dict[str, str]] | None:
        """The same for several files at once; None where Compose refuses any of them."""
        services = {}
        for index, content in enumerate(contents):
            (self._directory / f"{index}.env").write_bytes(content)
            file = {"path": f"{index}.env", **({"format": "raw"} if raw else {})}
            services[f"s{index}"] = {"image": "x", "environment": OWN, "env_file": [file]}
        (self._directory / "compose.yaml").write_text(json.dumps({"services": services}))
        said = self._run("--env-file", str(self._empty), "config", "--format", "json")
        if said is None:
            return None
        read = json.loads(said)["services"]
        return [
            {
                name.replace("$$", "$"): (value or "").replace("$$", "$")
                for name, value in (read[f"s{index}"].get("environment") or {}).items()
                if name not in OWN
            }
            for index in range(len(contents))
        ]

    def starts(self, content: bytes) -> bool:
        """Whether `up` starts a container with the file as its `env_file`."""
        (self._directory / "up.env").write_bytes(content)
        service = {"image": "devenv-offline/base", "command": ["true"], "env_file": ["up.env"]}
        (self._directory / "compose.yaml").write_text(json.dumps({"services": {"web": service}}))
        project = ("--project-name", f"envfile{uuid.uuid4().hex[:10]}")
        quiet = ("--env-file", str(self._empty))
        try:
            return self._run(*quiet, *project, "up", "--detach") is not None
        finally:
            (self._directory / "compose.yaml").write_text(PLAIN)
            self._run(*quiet, *project, "down", "--timeout", "0", "--remove-orphans")

    def _run(self, *arguments: str) -> str | None:
        done = subprocess.run(
            (*self._argv, *arguments),
            cwd=self._directory,
            env={**self._environ, "COMPOSE_PROGRESS": "quiet"}
            if "up" in arguments or "down" in arguments
            else self._environ,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return done.stdout.decode(errors="replace") if done.returncode == 0 else None


def predict_interpolation(content: bytes) -> list[str] | None:
    """The same as `RealReader.read_interpolation`, worked out by devenv; no empty lines."""
    file = parse_env_file(load_text(content))
    result = resolve_env_values(file.entries, SHELL.get)
    if file.refused or result.faults:
        return None
    values = {name: value for name, value in result.values.items() if name not in SHELL}
    lines = {line for name, value in values.items() for line in f"{name}={value}".split("\n")}
    return sorted(lines - {""})


def predict_service(content: bytes, *, raw: bool = False) -> dict[str, str] | None:
    """The same as `RealReader.read_service`, worked out by devenv."""
    text = load_text(content)
    file = parse_raw_env_file(text) if raw else parse_env_file(text)
    lookup: Mapping[str, str] = {**OWN, **SHELL}
    result = resolve_env_values(file.entries, lookup.get, OWN)
    if file.refused or result.faults or (raw and "\ufffd" in text):
        return None
    return {name: value for name, value in result.values.items() if name not in OWN}
