"""Two copies of one project on the real engine, one followed by devenv, one by Compose."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from devenv.engine.compose import find_compose

NODE = "devenv-offline/node"
DEVENV = str(Path(sys.executable).parent / "devenv")
RUN = uuid.uuid4().hex
COMPOSE = find_compose(os.environ).path
WAIT_SECONDS = 60.0
# The program says which version of the dependencies it started with, in a place outside.
START = "cp /app/installed.json /out/; exec node --watch src/server.js"
DOCKERFILE = f"""\
FROM {NODE} AS base
WORKDIR /app

FROM base AS dependencies
COPY package.json ./
RUN cp package.json installed.json

FROM dependencies AS development
COPY . .
CMD {json.dumps(["sh", "-c", START])}

FROM dependencies AS production
RUN sleep 5
COPY . .
CMD ["node", "src/server.js"]
"""
SERVER = 'require("./part");\nsetInterval(() => {}, 1000);\n'


def package(name: str, number: int) -> str:
    """The text of the manifest: another one for each side and run, which the engine's build cache
    knows nothing of."""
    return json.dumps({"name": f"{name}-{RUN}", "version": f"1.0.{number}"})


def write_app(directory: Path, count: int) -> None:
    """An app of `count` source files beside its Dockerfile."""
    for number in range(count):
        file = directory / "src" / f"lib{number % 40}" / f"m{number}.js"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"module.exports = {number};\n" * 30, encoding="utf-8")
    for path, text in (
        ("src/server.js", SERVER),
        ("src/part.js", "0\n"),
        ("live/page.txt", "0\n"),
        ("package.json", package(directory.name, 0)),
        ("Dockerfile", DOCKERFILE),
        (".dockerignore", ".git\nout\nlive\ncompose.yaml\n"),
    ):
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (directory / "out").mkdir()


RULES = [
    {"action": "sync", "path": "./src", "target": "/app/src"},
    {"action": "rebuild", "path": "./package.json"},
]
"""What a user of Compose's watch has to write for the same."""


def write_compose(directory: Path, name: str, rules: bool) -> None:
    service = {
        "build": {"context": ".", "target": "development"},
        "init": True,
        "volumes": ["./out:/out", "./live:/live"],
    }
    if rules:
        service["develop"] = {"watch": RULES}
    text = yaml.safe_dump({"name": name, "services": {"app": service}})
    (directory / "compose.yaml").write_text(text, encoding="utf-8")


def run(argv: list[str], directory: Path) -> str:
    """What a command prints; its error ends the benchmark."""
    done = subprocess.run(argv, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)}:\n{done.stdout}{done.stderr}")
    return done.stdout


def wait(look: Callable[[], bool], what: str) -> None:
    """Until `look` is true, looking every millisecond."""
    deadline = time.perf_counter() + WAIT_SECONDS
    while not look():
        if time.perf_counter() > deadline:
            raise SystemExit(f"waited {WAIT_SECONDS:g} s for {what}")
        time.sleep(0.001)


@dataclass
class Side:
    """One project that runs and is watched."""

    name: str
    directory: Path
    project: str
    process: subprocess.Popen[bytes]
    log: Path
    times: dict[str, list[float]] = field(default_factory=dict)

    def container(self) -> tuple[str, int, str]:
        """Id, process number on this machine and start time of its container."""
        label = f"label=com.docker.compose.project={self.project}"
        found = run(["docker", "ps", "--quiet", "--filter", label], self.directory).split()
        if not found:
            return "", 0, ""
        form = "{{.Id}} {{.State.Pid}} {{.State.StartedAt}}"
        shown = run(["docker", "inspect", "--format", form, found[0]], self.directory).split()
        return shown[0], int(shown[1]), shown[2]

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def time(self, kind: str, save: Callable[[], None], look: Callable[[], bool]) -> None:
        """Save, and keep how long it took until `look` is true, in ms."""
        started = time.perf_counter()
        save()
        wait(look, f"{self.name} after a change for {kind}; it said:\n{self.said()[-1500:]}")
        self.times.setdefault(kind, []).append((time.perf_counter() - started) * 1e3)


@contextlib.contextmanager
def side(name: str, place: Path, count: int, mark: str) -> Iterator[Side]:
    """Start a project of `count` files and its watch (`devenv` or `compose`)."""
    directory = place / name
    directory.mkdir(parents=True)
    project = f"devenvbench{name}{uuid.uuid4().hex[:6]}"
    write_app(directory, count)
    write_compose(directory, project, rules=name == "compose")
    log = place / f"{name}.log"
    run([COMPOSE, "up", "--detach", "--build"], directory)
    argv = [DEVENV, "watch"] if name == "devenv" else [COMPOSE, "watch", "--no-up"]
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                argv, cwd=directory, stdout=output, stderr=output, stdin=subprocess.DEVNULL
            )
        try:
            wait(lambda: mark in log.read_text(errors="replace"), f"{name} to watch")
            yield Side(name, directory, project, process, log)
        finally:
            process.terminate()
            process.wait(20)
    finally:
        run([COMPOSE, "down", "--timeout", "0", "--rmi", "local", "--volumes"], directory)
