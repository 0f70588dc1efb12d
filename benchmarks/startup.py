"""How long devenv takes to start, each as a ratio to a peer in the same run.

Usage: python -m benchmarks.startup [RUNS]. Needs a running engine; the commands run in this
checkout. The pairs run in turn, so that a drifting machine does not tip the ratio.
"""

from __future__ import annotations

import os
import pty
import resource
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from devenv.engine.compose import find_compose

ROOT = Path(__file__).parent.parent
ENVIRON = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
"""With compiled modules kept, as an installed program has them."""
BARE_APP = (
    "from textual.app import App\n"
    "from textual.widgets import Static\n"
    "class Bare(App):\n"
    "    def compose(self):\n"
    "        yield Static('READY-FRAME')\n"
    "Bare().run()\n"
)


def time_process(argv: list[str]) -> float:
    """Milliseconds of a whole process, its output thrown away."""
    started = time.perf_counter()
    subprocess.run(
        argv,
        cwd=ROOT,
        env=ENVIRON,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return (time.perf_counter() - started) * 1000


def time_first_frame(argv: list[str], mark: bytes) -> float:
    """Milliseconds until `mark` appears on a pseudo-terminal of 120 by 36."""
    started = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        environ = {**ENVIRON, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "36"}
        os.execve(argv[0], argv, environ)
    seen = b""
    took = float("nan")
    while time.perf_counter() - started < 20:
        if select.select([terminal], [], [], 1)[0]:
            try:
                seen += os.read(terminal, 65536)
            except OSError:
                break
            if mark in seen:
                took = (time.perf_counter() - started) * 1000
                break
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    os.close(terminal)
    return took


def with_processor(measure: Callable[[], float]) -> tuple[float, float]:
    """What `measure` says, and the processor's milliseconds of the processes that it ran."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall = measure()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    python = sys.executable
    devenv = str(Path(python).parent / "devenv")
    compose = find_compose(os.environ).path
    offline = [devenv, "--profile", "offline"]
    frame = [*offline, "up", "--no-build"]
    pairs: list[tuple[str, Callable[[], float], Callable[[], float]]] = [
        (
            "--version / python",
            lambda: time_process([devenv, "--version"]),
            lambda: time_process([python, "-c", "pass"]),
        ),
        (
            "--version / compose version",
            lambda: time_process([devenv, "--version"]),
            lambda: time_process([compose, "version"]),
        ),
        (
            "--help / compose version",
            lambda: time_process([devenv, "--help"]),
            lambda: time_process([compose, "version"]),
        ),
        (
            "ps / compose ps",
            lambda: time_process([*offline, "ps"]),
            lambda: time_process([compose, "ps"]),
        ),
        (
            "first frame / bare Textual app",
            lambda: time_first_frame(frame, b"Services"),
            lambda: time_first_frame([python, "-c", BARE_APP], b"READY-FRAME"),
        ),
    ]
    out = sys.stdout.write
    out(f"{'':<34}{'wall ms, medians':>18}{'ratio':>8}{'processor ms, least':>22}\n")
    for name, ours, peer in pairs:
        ours()
        peer()
        both = [(with_processor(ours), with_processor(peer)) for _ in range(runs)]
        ratio = statistics.median(a[0] / b[0] for a, b in both)
        walls = [statistics.median(pair[side][0] for pair in both) for side in (0, 1)]
        busy = [min(pair[side][1] for pair in both) for side in (0, 1)]
        out(f"{name:<34}{walls[0]:>10.0f}{walls[1]:>8.0f}{ratio:>8.2f}")
        out(f"{busy[0]:>14.0f}{busy[1]:>8.0f}\n")


if __name__ == "__main__":
    main()
