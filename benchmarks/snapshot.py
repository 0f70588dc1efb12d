"""How fast volumes are saved, restored and cloned, beside `docker run … tar` on the same volume.

    .venv/bin/python -m benchmarks.snapshot [ROUNDS] [ROWS] [save|restore|clone]

Needs a running engine and the images of `script/offline-images`. A PostgreSQL database is filled
with ROWS rows. Then, in turns, in one run: `tar` in a container of the database's image with its
output taken by this process, as scripts do it (plain, with `gzip -1`, and into another volume),
and devenv's own ways as whole commands: with the pause, the manifest, checksums and the list of
files; a restore with its proof.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from devenv.engine.compose import find_compose

NAME = "devenvbench"
IMAGE = "devenv-offline/postgres"
PLACE = "/var/lib/postgresql/data"
PROJECT = f"""
name: {NAME}
services:
  db:
    image: {IMAGE}
    environment: {{POSTGRES_PASSWORD: x, POSTGRES_USER: app}}
    volumes: ["data:{PLACE}"]
    healthcheck:
      test: [CMD, pg_isready, -U, app, -h, 127.0.0.1]
      interval: 1s
      retries: 60
volumes:
  data:
"""
COMPOSE = find_compose(os.environ).argv()
SETTINGS = '[isolation]\nmode = "branch"\nclone_volumes = ["data"]\n'
FILL = (
    "CREATE TABLE t AS SELECT n, md5(n::text) AS a, repeat(md5((n / 7)::text), 3) AS b "
    "FROM generate_series(1, {rows}) n; CREATE INDEX ON t (a); CHECKPOINT"
)


class Bench:
    """A database in a directory of its own, and what is measured on it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.environ = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("COMPOSE_", "DEVENV_"))},
            "XDG_STATE_HOME": str(place / "state"),
            "XDG_CACHE_HOME": str(place / "cache"),
        }
        (place / "state").mkdir()
        self.project = place / "project"
        self.project.mkdir()
        (self.project / "compose.yaml").write_text(PROJECT)
        (self.project / "devenv.toml").write_text(SETTINGS)

    def run(self, *argv: str, stdin: Path | None = None, stdout: Path | None = None) -> str:
        with (
            (stdin or Path(os.devnull)).open("rb") as read,
            (stdout or self.place / "out").open("wb") as write,
        ):
            subprocess.run(
                argv,
                cwd=self.project,
                env=self.environ,
                stdin=read,
                stdout=write,
                stderr=subprocess.PIPE,
                check=True,
            )
        return "" if stdout else (self.place / "out").read_text(errors="replace")

    def devenv(self, *arguments: str) -> str:
        program = Path(sys.executable).parent / "devenv"
        return self.run(str(program), *arguments)

    def git(self, *arguments: str) -> None:
        who = ("-c", "user.name=b", "-c", "user.email=b@example.org")
        self.run("git", *who, *arguments)

    def tar(self, volume: str, *words: str, **files: Path) -> None:
        mount = f"{volume}:/volume"
        run = ("docker", "run", "--rm", "--interactive", "--volume", mount)
        self.run(*run, "--entrypoint", words[0], IMAGE, *words[1:], **files)

    def fresh_volume(self) -> str:
        name = f"{NAME}_copy"
        subprocess.run(["docker", "volume", "rm", name], capture_output=True, check=False)
        self.run("docker", "volume", "create", name)
        return name

    def save_plain(self) -> None:
        words = ("tar", "-C", "/volume", "-cf", "-", ".")
        self.tar(f"{NAME}_data", *words, stdout=self.place / "plain.tar")

    def save_gzip(self) -> None:
        words = ("sh", "-c", "tar -C /volume -cf - . | gzip -1")
        self.tar(f"{NAME}_data", *words, stdout=self.place / "gzip.tar.gz")

    def restore_plain(self) -> None:
        words = ("tar", "-C", "/volume", "-xf", "-")
        self.tar(self.fresh_volume(), *words, stdin=self.place / "plain.tar")

    def restore_gzip(self) -> None:
        words = ("tar", "-C", "/volume", "-xzf", "-")
        self.tar(self.fresh_volume(), *words, stdin=self.place / "gzip.tar.gz")

    def restore_by_hand(self) -> None:
        """What `restore` does, as one does it with Compose and `tar`: nothing is proven."""
        self.run(*COMPOSE, "stop")
        words = ("sh", "-c", "rm -rf /volume/* && tar -C /volume -xf -")
        self.tar(f"{NAME}_data", *words, stdin=self.place / "plain.tar")
        self.run(*COMPOSE, "start")

    def clone_tar(self) -> None:
        """Through a pipe of two containers, as the usual recipe has it."""
        out = ["docker", "run", "--rm", "--volume", f"{NAME}_data:/volume", "--entrypoint", "tar"]
        into = ["docker", "run", "--rm", "--interactive", "--volume"]
        into += [f"{self.fresh_volume()}:/volume", "--entrypoint", "tar"]
        words = ["-C", "/volume", "-cf", "-", "."]
        with subprocess.Popen([*out, IMAGE, *words], stdout=subprocess.PIPE) as reading:
            subprocess.run(
                [*into, IMAGE, "-C", "/volume", "-xf", "-"], stdin=reading.stdout, check=True
            )

    def save(self) -> None:
        self.devenv("snapshot", "save", "one", "--replace")

    def restore(self) -> None:
        self.devenv("snapshot", "restore", "one", "--yes")

    def prepare_clone(self) -> None:
        self.git("switch", "-q", "topic")
        subprocess.run(
            ["docker", "volume", "rm", f"{NAME}-topic_data"], capture_output=True, check=False
        )

    def clone(self) -> None:
        """Without the start: `up` ends where it would create the containers."""
        script = "from benchmarks.snapshot import clone_alone; clone_alone()"
        self.run(sys.executable, "-c", script)


def clone_alone() -> None:
    """In the project's directory: what `up` does before its first start."""
    from devenv.cli.cloning import clone_before_start
    from devenv.cli.main import build_parser
    from devenv.cli.session import Session

    words = ["up", "--detach"]
    clone_before_start(Session(build_parser(words).parse_args(words)), yes=True, clone=True)


def measure(bench: Bench, rounds: int, only: str) -> tuple[int, dict[str, list[float]]]:
    ways: dict[str, Callable[[], None]] = {
        "save: docker run tar": bench.save_plain,
        "save: docker run tar | gzip -1": bench.save_gzip,
        "save: devenv": bench.save,
        "restore: docker run tar": bench.restore_plain,
        "restore: docker run tar -z": bench.restore_gzip,
        "restore: stop, docker run tar, start": bench.restore_by_hand,
        "restore: devenv": bench.restore,
        "clone: docker run tar | docker run tar": bench.clone_tar,
        "clone: devenv": bench.clone,
    }
    if only:
        bench.save_plain()
        bench.save_gzip()
        bench.save()
        ways = {name: way for name, way in ways.items() if name.startswith(only)}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            if name == "clone: devenv":
                bench.prepare_clone()
            started = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - started)
        bench.git("switch", "-q", "main")
    (saved,) = json.loads(bench.devenv("snapshot", "list", "--format", "json"))
    return int(saved["size_bytes"]), times


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    only = sys.argv[3] if len(sys.argv) > 3 else ""
    os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent)
    with tempfile.TemporaryDirectory() as place:
        bench = Bench(Path(place))
        bench.git("init", "-q", "-b", "main")
        bench.git("add", "-A")
        bench.git("commit", "-q", "-m", "one")
        bench.git("branch", "topic")
        try:
            bench.devenv("up", "--detach", "--wait")
            url = "postgres://app:x@127.0.0.1/app"
            bench.devenv("exec", "db", "psql", "-q", url, "-c", FILL.format(rows=rows))
            size, times = measure(bench, rounds, only)
        finally:
            bench.git("switch", "-q", "main")
            bench.devenv("down", "--volumes", "--yes")
            for name in (f"{NAME}_copy", f"{NAME}-topic_data"):
                subprocess.run(["docker", "volume", "rm", name], capture_output=True, check=False)
        stored = {
            "docker run tar": (Path(place) / "plain.tar").stat().st_size,
            "gzip -1": (Path(place) / "gzip.tar.gz").stat().st_size,
            "devenv": sum(one.stat().st_size for one in Path(place).rglob("*.snapshot")),
        }
    lines = [f"{size / 1e6:.0f} MB in the volume", f"{'':44}{'s':>8}{'MB/s':>8}{'least s':>9}"]
    for name, found in times.items():
        seconds = median(found)
        lines.append(f"{name:44}{seconds:8.1f}{size / seconds / 1e6:8.0f}{min(found):9.1f}")
    lines += [f"{f'size on disk: {name}':44}{s / 1e6:8.0f} MB" for name, s in stored.items()]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
