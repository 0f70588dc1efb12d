"""The ordering shapes, and how one is run through the real Compose.

Outcomes: `refused` by `config`; `failed` in `up`; `hung` when `up` has not ended within
HANG_SECONDS; `good`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devenv.engine.compose import find_compose

HERE = Path(__file__).parent
RECORD = HERE / "outcomes.json"
HANG_SECONDS = 12.0
MACROS = {
    "SLEEP": "image: devenv-offline/base, init: true, command: [sleep, infinity]",
    "ONCE": 'image: devenv-offline/base, command: ["true"]',
    "OK": 'healthcheck: {test: [CMD, "true"], interval: 1s}',
}
IMAGES = {
    "devenv-offline/order-checked": (
        'FROM devenv-offline/base\nHEALTHCHECK --interval=1s CMD true\nCMD ["sleep", "infinity"]\n'
    ),
    "devenv-offline/order-unchecked": (
        'FROM devenv-offline/base\nHEALTHCHECK NONE\nCMD ["sleep", "infinity"]\n'
    ),
}
BUILT_BY_SHAPES = ("devenv-offline/order-built", "order-a", "order-b")


@dataclass(frozen=True, slots=True)
class Shape:
    """A project of the corpus: its files by name; `runtime` where no text tells the outcome."""

    name: str
    files: Mapping[str, str]
    runtime: bool = False

    def write(self, directory: Path) -> None:
        """Write the files below an existing directory."""
        for name, text in self.files.items():
            (directory / name).write_text(text, encoding="utf-8")


def load_shapes() -> list[Shape]:
    """All shapes, in the order of the file."""
    text = (HERE / "shapes.txt").read_text(encoding="utf-8")
    shapes = []
    for block in re.split(r"^=== ", text, flags=re.M)[1:]:
        head, _, body = block.partition("\n")
        name, _, note = head.partition(" ")
        first, *others = re.split(r"^--- (.+)\n", body, flags=re.M)
        files = {"compose.yaml": first, **dict(zip(others[::2], others[1::2], strict=True))}
        shapes.append(Shape(name, {k: _expand(v) for k, v in files.items()}, note == "(runtime)"))
    return shapes


def _expand(text: str) -> str:
    words = "|".join(MACROS)
    return re.sub(rf"\b({words})\b(?=[,}}])", lambda found: MACROS[found[1]], text.rstrip() + "\n")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What Compose did, and the essence of what it said."""

    result: str
    said: str = ""

    @property
    def starts(self) -> bool:
        return self.result == "good"


class RealCompose:
    """Runs shapes through the Compose binary and the engine that the environment names."""

    def __init__(self) -> None:
        self.environ = {
            **{k: v for k, v in os.environ.items() if not k.startswith("COMPOSE_")},
            "COMPOSE_MENU": "0",
            "COMPOSE_ANSI": "never",
            "COMPOSE_PROGRESS": "plain",
            "BUILDX_BUILDER": "default",
        }
        self.compose = find_compose(self.environ)

    def build_images(self) -> None:
        """The images that shapes start from."""
        for name, dockerfile in IMAGES.items():
            self._docker("build", "--quiet", "--tag", name, "-", stdin=dockerfile)

    def remove_images(self) -> None:
        """Images of the shapes, where no container uses them."""
        for name in (*IMAGES, *BUILT_BY_SHAPES):
            self._docker("image", "rm", name, check=False)

    def image_facts(self) -> dict[str, Any]:
        """Reference to the engine's words for its health check; null where it has none."""
        found = {}
        for name in ("devenv-offline/base", *IMAGES):
            shown = self._docker("image", "inspect", "--format", "{{json .Config}}", name)
            found[name] = json.loads(shown).get("Healthcheck")
        return found

    def engine_version(self) -> str:
        """The version of the engine in use."""
        return self._docker("version", "--format", "{{.Server.Version}}").strip()

    def _docker(self, *words: str, stdin: str = "", check: bool = True) -> str:
        done = subprocess.run(
            ("docker", *words),
            input=stdin,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=check,
        )
        return done.stdout

    def config(self, directory: Path) -> Outcome:
        """Whether `config` takes the files."""
        done = self._run(directory, "config", "--quiet", seconds=60)
        return Outcome("good") if done.returncode == 0 else Outcome("refused", essence(done.stderr))

    def up(self, directory: Path) -> Outcome:
        """What `up --detach` does, removed afterwards."""
        name = f"order{uuid.uuid4().hex[:10]}"
        project = ("--project-name", name)
        try:
            self._run(directory, *project, "build", "--quiet", seconds=120)
            done = self._run(directory, *project, "up", "--detach", seconds=HANG_SECONDS)
        except subprocess.TimeoutExpired:
            return Outcome("hung")
        finally:
            self._remove(directory, name)
        if done.returncode == 0:
            return Outcome("good")
        return Outcome("failed", essence(done.stderr).replace(name, "PROJECT"))

    def _remove(self, directory: Path, name: str) -> None:
        words = ("--project-name", name, "--env-file", "/dev/null")
        ended = ("down", "--volumes", "--timeout", "0", "--remove-orphans", "--rmi", "local")
        argv = self.compose.argv(*words, *ended)
        subprocess.run(
            argv, cwd="/", env=self.environ, stdin=subprocess.DEVNULL, capture_output=True,
            timeout=120, check=True,
        )  # fmt: skip
        self._docker(
            "image", "prune", "--force", "--filter", f"label=com.docker.compose.project={name}"
        )

    def _run(
        self, directory: Path, *words: str, seconds: float
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.compose.argv(*words),
            cwd=directory,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )


def essence(stderr: str) -> str:
    """The last line that says something, without identifiers that differ from run to run."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    said = re.sub(r"\b[0-9a-f]{12,64}\b", "ID", lines[-1]) if lines else ""
    return re.sub(r"(?<=[\s\"'])/\S+/", "", said)
