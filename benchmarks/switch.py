"""How long a switch takes that changes one of six services, beside what Compose offers for it.

Usage: python -m benchmarks.switch [ROUNDS]. Needs a running engine and the images of
`script/offline-images`; takes about a minute for a round. Three copies of one project run side by
side. Each round takes all three to the other profile and waits until all is healthy: `devenv
switch`, `docker compose up --detach --wait --remove-orphans`, and `docker compose down` followed
by `up --detach --wait`. The containers that were kept are counted by their ids.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devenv.engine.compose import find_compose

BASE, REDIS = "devenv-offline/base", "devenv-offline/redis"
DEVENV = str(Path(sys.executable).parent / "devenv")
COMPOSE = find_compose(os.environ).path
WAYS = ("devenv switch", "up --remove-orphans", "down && up")


def write(directory: Path, name: str) -> None:
    """A database and a cache that are probed, and four services that wait for them."""
    probe = {"test": ["CMD", "redis-cli", "ping"], "interval": "1s", "timeout": "1s", "retries": 9}
    store: dict[str, Any] = {"image": REDIS, "healthcheck": probe}
    ready = {"condition": "service_healthy"}
    sleeper = {"image": BASE, "init": True, "command": ["sleep", "3600"]}
    services = {
        "db": {**store, "volumes": ["data:/data"]},
        "cache": store,
        "api": {**sleeper, "depends_on": {"db": ready, "cache": ready}},
        "worker": {**sleeper, "depends_on": {"db": ready}},
        "web": {**sleeper, "depends_on": ["api"], "environment": {"MODE": "one"}},
        "mail": sleeper,
    }
    document = {"name": name, "services": services, "volumes": {"data": None}}
    (directory / "compose.yaml").write_text(json.dumps(document), encoding="utf-8")
    (directory / "profiles").mkdir()
    changed = {"services": {"web": {"environment": {"MODE": "two"}}}}
    (directory / "profiles/two.compose.yaml").write_text(json.dumps(changed), encoding="utf-8")
    (directory / "profiles/one.toml").write_text('description = "one"\n', encoding="utf-8")
    (directory / "profiles/two.toml").write_text('files = ["two.compose.yaml"]\n', encoding="utf-8")
    (directory / "devenv.toml").write_text('default_profile = "one"\n', encoding="utf-8")


@dataclass
class Side:
    """One copy of the project, and how it gets to the other profile."""

    way: str
    directory: Path
    environ: dict[str, str]
    name: str = field(default_factory=lambda: "devenvswitch" + uuid.uuid4().hex[:8])
    seconds: list[float] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)

    def run(self, *argv: str) -> None:
        subprocess.run(
            argv, cwd=self.directory, env=self.environ, check=True, capture_output=True, timeout=300
        )

    def compose(self, profile: str, *words: str) -> None:
        more = ("-f", "profiles/two.compose.yaml") if profile == "two" else ()
        self.run(COMPOSE, "-f", "compose.yaml", *more, *words)

    def go(self, profile: str, before: str) -> None:
        """To `profile`, all healthy."""
        if self.way == "devenv switch":
            self.run(DEVENV, "switch", profile)
        elif self.way == "down && up":
            self.compose(before, "down")
            self.compose(profile, "up", "--detach", "--wait")
        else:
            self.compose(profile, "up", "--detach", "--wait", "--remove-orphans")

    def ids(self) -> set[str]:
        argv = (COMPOSE, "--project-name", self.name, "ps", "--quiet", "--no-trunc")
        said = subprocess.run(argv, cwd="/", check=True, capture_output=True, text=True)
        return set(said.stdout.split())

    def measure(self, profile: str, before: str) -> None:
        ids = self.ids()
        started = time.perf_counter()
        self.go(profile, before)
        self.seconds.append(time.perf_counter() - started)
        self.kept.append(len(ids & self.ids()))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory(prefix="devenv-switch-") as place:
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("COMPOSE_", "DEVENV_"))}
        environ |= {"XDG_STATE_HOME": f"{place}/state", "XDG_CACHE_HOME": f"{place}/cache"}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        sides = []
        for number, way in enumerate(WAYS):
            directory = Path(place, str(number))
            directory.mkdir()
            side = Side(way, directory, environ)
            write(directory, side.name)
            sides.append(side)
        try:
            for side in sides:
                side.compose("one", "up", "--detach", "--wait")
                side.go("one", "one")  # devenv's caches are warm, as for who works here
            for number in range(rounds):
                profile, before = ("two", "one") if number % 2 == 0 else ("one", "two")
                for side in sides:
                    side.measure(profile, before)
        finally:
            for side in sides:
                argv = (COMPOSE, "--project-name", side.name, "down", "--volumes", "--timeout", "1")
                subprocess.run(argv, cwd="/", check=False, capture_output=True)
    own = statistics.median(sides[0].seconds)
    say(f"{'way':<22}{'median s':>10}{'least s':>10}{'kept of 6':>11}{'devenv is':>12}")
    for side in sides:
        median = statistics.median(side.seconds)
        kept = f"{min(side.kept)}"
        say(
            f"{side.way:<22}{median:>10.2f}{min(side.seconds):>10.2f}{kept:>11}"
            f"{own / median:>11.2f}x"
        )


if __name__ == "__main__":
    main()
