"""What watching costs: the idle UI with 20 containers, beside `docker stats` for the same ones.

Usage: python -m benchmarks.stats [SECONDS]. Needs a running engine and the offline images. Each
program runs in a pseudo-terminal, one after the other; what counts is its processor's time by
/proc/PID/stat over SECONDS (default 60). Both are told the figures by the engine, whose own work
is the same for both and is not counted.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from benchmarks.logs import BASE, DEVENV, Terminal, peak_memory, proc_cpu, say
from devenv.engine.compose import find_compose

CONTAINERS = 20
QUIET = "while sleep 1; do :; done"
TALKING = "while sleep 5; do echo a line now and then; done"
SETTLE_SECONDS = 10.0


@contextlib.contextmanager
def environment(script: str) -> Iterator[tuple[Path, list[str]]]:
    """A directory whose services run, and their containers' names; removed afterwards."""
    name = "devenvbench" + uuid.uuid4().hex[:8]
    names = [f"s{number:02}" for number in range(CONTAINERS)]
    services = "\n".join(
        f"  {one}:\n    image: {BASE}\n    init: true\n    command: [sh, -c, '{script}']"
        for one in names
    )
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        text = f"name: {name}\nservices:\n{services}\n"
        (directory / "compose.yaml").write_text(text, encoding="utf-8")
        compose = find_compose(os.environ)
        try:
            run = [DEVENV, "up", "--detach", "--no-checks"]
            subprocess.run(run, cwd=directory, capture_output=True, check=True)
            yield directory, [f"{name}-{one}-1" for one in names]
        finally:
            down = compose.argv("--project-name", name, "down", "--timeout", "0")
            subprocess.run(down, cwd=directory, check=False, capture_output=True)


def measure(
    words: str, argv: list[str], directory: Path, seconds: float, keys: bytes = b""
) -> None:
    """Print the share of a core that a program in a terminal takes, and its peak memory."""
    terminal = Terminal(argv, directory)
    try:
        terminal.pump(SETTLE_SECONDS)
        os.write(terminal.fd, keys)
        terminal.pump(SETTLE_SECONDS / 2)
        cpu, frames, started = proc_cpu(terminal.pid), terminal.frames, time.perf_counter()
        terminal.pump(seconds)
        took = time.perf_counter() - started
        share = (proc_cpu(terminal.pid) - cpu) / took * 100
        rate = (terminal.frames - frames) / took
        memory = peak_memory(terminal.pid)
        say(f"  {words:<34} {share:5.2f} % of a core  {rate:4.1f} repaints/s  {memory:4.0f} MiB")
    finally:
        terminal.end()


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    up = [DEVENV, "up", "--no-build", "--no-checks"]
    docker = shutil.which("docker") or "docker"
    with environment(QUIET) as (directory, names):
        say(f"{CONTAINERS} containers that wake up once a second, {seconds:g} s each:")
        measure("devenv up, Logs tab", up, directory, seconds)
        measure("devenv up, Stats tab", up, directory, seconds, b"U")
        measure("docker stats", [docker, "stats", *names], directory, seconds)
    with environment(TALKING) as (directory, _):
        say(f"The same, each of which prints a line every 5 s ({CONTAINERS / 5:g} lines/s in all):")
        measure("devenv up, Logs tab", up, directory, seconds)


if __name__ == "__main__":
    main()
