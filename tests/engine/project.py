"""A Compose project in a temporary directory, and the installed `devenv` that is run on it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from devenv.engine.api import ApiError, EngineClient
from devenv.engine.compose import find_compose
from devenv.engine.containers import LABEL_SERVICE
from devenv.engine.context import Endpoint

BASE = "devenv-offline/base"
REDIS = "devenv-offline/redis"
FAST = {"interval": "1s", "timeout": "10s", "retries": 3}
HEALTHY = {"test": ["CMD", "true"], **FAST}

T = TypeVar("T")


def sleeper(**more: Any) -> dict[str, Any]:
    """A service that does nothing and stops at once."""
    return {"image": BASE, "init": True, "command": ["sleep", "600"], **more}


def shell(script: str, **more: Any) -> dict[str, Any]:
    """A service that runs a shell script."""
    return {"image": BASE, "init": True, "command": ["sh", "-c", script.replace("$", "$$")], **more}


def free_port() -> int:
    """A TCP port that nobody holds at present."""
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))
        return int(probe.getsockname()[1])


def wait_for(look: Callable[[], T | None], *, seconds: float = 30, what: str = "it") -> T:
    """What `look` returns once that is true; fails after the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(0.05)


def devenv_argv() -> list[str]:
    """The installed program, else the module."""
    program = Path(sys.executable).parent / "devenv"
    return [str(program)] if program.exists() else [sys.executable, "-m", "devenv"]


def clean_environ(cache: Path) -> dict[str, str]:
    """This process's variables, less those that choose a project, a profile or files."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("COMPOSE_", "DEVENV_")) and key not in ("NO_COLOR", "FORCE_COLOR")
    }
    return {**kept, "XDG_CACHE_HOME": str(cache), "XDG_STATE_HOME": str(cache / "state")}


class Project:
    """A directory with a Compose file of its own project name."""

    def __init__(self, directory: Path, endpoint: Endpoint | None, cache: Path) -> None:
        self.directory = directory
        self.name = "devenvtest" + uuid.uuid4().hex[:10]
        self.environ = clean_environ(cache)
        self._endpoint = endpoint

    @property
    def client(self) -> EngineClient:
        assert self._endpoint is not None
        return EngineClient(self._endpoint)

    def write(self, path: str, text: str) -> Path:
        file = self.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def write_compose(self, services: Mapping[str, Any], **rest: Any) -> None:
        value = {"name": self.name, "services": dict(services), **rest}
        self.write("compose.yaml", yaml.safe_dump(value, sort_keys=False))

    def run(
        self, *arguments: str, code: int = 0, seconds: float = 90, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run devenv without a terminal to its end, which must be exit code `code`."""
        completed = subprocess.run(
            [*devenv_argv(), *arguments],
            cwd=self.directory,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        said = f"devenv {' '.join(arguments)}\n{completed.stdout}\n{completed.stderr}"
        assert completed.returncode == code, f"exit code {completed.returncode}: {said}"
        assert "Traceback" not in said
        assert "error of its own" not in said
        return completed

    def up(self, *arguments: str, code: int = 0) -> str:
        """`up --detach --wait`; returns what it says on stderr."""
        return self.run("up", "--detach", "--wait", *arguments, code=code).stderr

    @contextlib.contextmanager
    def running(
        self, *arguments: str, log: str = "devenv", under: tuple[str, ...] = ()
    ) -> Iterator[Running]:
        """A devenv that goes on meanwhile; killed at the end if it is still there.

        `log` names the files for its output: one for each of those that run at once. `under` is
        a command that runs it.
        """
        out, err = self.directory / f"{log}.out", self.directory / f"{log}.err"
        with (
            out.open("wb") as stdout,
            err.open("wb") as stderr,
            subprocess.Popen(
                [*under, *devenv_argv(), *arguments],
                cwd=self.directory,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            ) as process,
        ):
            try:
                yield Running(process, out, err)
            finally:
                if process.poll() is None:
                    process.kill()

    def containers(self) -> dict[str, dict[str, Any]]:
        """What the engine says of each service's container, running or not."""

        async def load() -> dict[str, dict[str, Any]]:
            found = {}
            for row in await self.client.containers(self.name):
                with contextlib.suppress(ApiError):  # removed meanwhile
                    found[row["Labels"][LABEL_SERVICE]] = await self.client.inspect(row["Id"])
            return found

        return asyncio.run(load())

    def running_services(self) -> set[str]:
        return {name for name, raw in self.containers().items() if raw["State"]["Running"]}

    def ids(self) -> dict[str, str]:
        return {name: raw["Id"] for name, raw in self.containers().items()}

    def volume(self, name: str) -> Mapping[str, Any] | None:
        return asyncio.run(self.client.volume(f"{self.name}_{name}"))

    def statuses(self, *options: str) -> dict[str, str]:
        """Each service's status, as `ps` has it."""
        shown = json.loads(self.run(*options, "ps", "--format", "json").stdout)
        assert shown["environment"] == self.name
        return {row["service"]: row["status"] for row in shown["services"]}

    def remove(self) -> None:
        """Containers, networks, volumes and built images, by the project's name alone."""
        compose = find_compose(self.environ)
        argv = compose.argv("--project-name", self.name, "--env-file", "/dev/null")
        subprocess.run(
            [*argv, "down", "--volumes", "--remove-orphans", "--timeout", "0"],
            cwd="/",
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=True,
        )
        asyncio.run(self._remove_build_steps())

    async def _remove_build_steps(self) -> None:
        """The classic builder leaves the container of a step that failed."""
        for row in await self.client.containers(None):
            if self.name in row["Command"]:
                await self.client.request("DELETE", f"/containers/{row['Id']}", {"force": True})


class Running:
    """A devenv process and what it has said so far."""

    def __init__(self, process: subprocess.Popen[bytes], out: Path, err: Path) -> None:
        self.process = process
        self._out = out
        self._err = err

    @property
    def stdout(self) -> str:
        return self._out.read_text(encoding="utf-8", errors="replace")

    @property
    def stderr(self) -> str:
        return self._err.read_text(encoding="utf-8", errors="replace")
