"""Real builders: the classic one and BuildKit, run on a directory; what arrived in the image.

A builder is named by kind and engine, as in "buildkit 28.5". Nothing is pulled: contexts stand on
`scratch` or on devenv's offline images.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tarfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_STEP = re.compile(r"^#\d+ \[(?:\S+->)?(?P<stage>\S+)? *\d+/\d+\] (?!FROM)(?P<said>.+)$", re.M)
_LAYER = re.compile(r"/\S+/overlay2/\w+/diff")
"""Where an engine keeps a layer: it differs with every build."""
_PSEUDO = frozenset({".dockerenv", "dev", "etc", "proc", "sys"})
"""What the engine itself adds to a container of an empty image; no context here has these."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did. Paths are without leading and trailing `/`, sorted; links as `a -> b`."""

    files: tuple[str, ...] | None
    """None where the build failed."""
    stages: tuple[str, ...] = ()
    """BuildKit: the stages with a step that ran, sorted; "" is the only stage of its file."""
    said: str = ""
    """The builder's last line where it failed."""


class Builder:
    """One builder of one engine."""

    def __init__(self, kind: str, argv: Sequence[str], version: str, host: str | None) -> None:
        self.kind = kind
        self.name = f"{kind} {'.'.join(version.split('.')[:2])}"
        self._argv = tuple(argv)
        self._environ = {
            **os.environ,
            "DOCKER_BUILDKIT": str(int(kind == "buildkit")),
            **({"DOCKER_HOST": host} if host else {}),
        }

    @property
    def command(self) -> tuple[tuple[str, ...], dict[str, str]]:
        """The client's words and the environment that chooses this builder."""
        return self._argv, self._environ

    def build(self, context: Path, *arguments: str, dockerfile: str = "Dockerfile") -> Built:
        """Build a directory; `arguments` go to `docker build` as they are."""
        file = ("--file", str(context / dockerfile))
        if self.kind == "buildkit":
            return self._buildkit(*file, *arguments, str(context))
        return self._classic(*file, *arguments, str(context))

    def _buildkit(self, *arguments: str) -> Built:
        output = ("--progress=plain", "--output", "type=tar,dest=-")
        done = self._run(*self._argv, "build", *output, *arguments)
        log = done.stderr.decode(errors="replace")
        stages = tuple(sorted({found["stage"] or "" for found in _STEP.finditer(log)}))
        if done.returncode != 0:
            return Built(None, stages, _last_line(log))
        return Built(_names(done.stdout, pseudo=frozenset()), stages)

    def _classic(self, *arguments: str) -> Built:
        tag = f"devenv-offline/build-{uuid.uuid4().hex[:10]}"
        done = self._run(*self._argv, "build", "--force-rm", "--tag", tag, *arguments)
        if done.returncode != 0:
            return Built(None, (), _last_line(done.stderr.decode(errors="replace")))
        container = self._run(*self._argv, "create", tag, "x").stdout.decode().strip()
        try:
            exported = self._run(*self._argv, "export", container).stdout
            return Built(_names(exported, pseudo=_PSEUDO))
        finally:
            self._run(*self._argv, "rm", "--force", container)
            self._run(*self._argv, "rmi", "--force", tag)

    def _run(self, *argv: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            argv, env=self._environ, capture_output=True, timeout=120, check=False
        )


def _last_line(log: str) -> str:
    log = _LAYER.sub("LAYER", log)
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _names(tar: bytes, *, pseudo: frozenset[str]) -> tuple[str, ...]:
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        names = []
        for member in archive:
            name = member.name.removeprefix("./").strip("/")
            if name and name.split("/")[0] not in pseudo:
                names.append(f"{name} -> {member.linkname}" if member.issym() else name)
    return tuple(sorted(names))


def find_builders(host: str | None = None, docker: str | None = None) -> list[Builder]:
    """The builders of an engine: the classic one up to Engine 27, and BuildKit where a client
    for it is here (a `docker` with the buildx plugin, or one of 20.10)."""
    found: list[Builder] = []
    clients = (docker,) if docker else (shutil.which("docker"), "/usr/bin/docker")
    environ = {**os.environ, **({"DOCKER_HOST": host} if host else {})}
    for client in dict.fromkeys(name for name in clients if name and Path(name).exists()):
        format_ = "{{.Client.Version}} {{.Server.Version}}"
        said = _ask(environ, client, "version", "--format", format_).split()
        if len(said) != 2:
            continue
        own, engine = said
        kinds = {one.kind for one in found}
        if "classic" not in kinds and int(engine.split(".")[0]) < 28:
            found.append(Builder("classic", (client,), engine, host))
        has_buildkit = own.startswith("20.10") or _ask(environ, client, "buildx", "version")
        if "buildkit" not in kinds and has_buildkit:
            found.append(Builder("buildkit", (client,), engine, host))
    return found


def _ask(environ: dict[str, str], *argv: str) -> str:
    done = subprocess.run(
        argv, env=environ, capture_output=True, text=True, timeout=20, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""
