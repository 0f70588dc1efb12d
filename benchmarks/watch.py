"""From the save to the new code in the container: `devenv watch` beside `docker compose watch`.

Usage: python -m benchmarks.watch [ROUNDS]. Needs a running engine, the images of
script/offline-images, and root, since it looks into the containers from outside. Both watch a
copy of the same project in the same run, and the saves are made in turn. Compose gets rules
written by hand; devenv gets none.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

import yaml

from benchmarks.watch_pair import DEVENV, Side, package, run, side

SETTLE_SECONDS = 0.8
"""After each change, so that neither side is timed with the other's work, nor two of one joined."""
IDLE_SECONDS = 20.0
IDLE_FILES = 50_000


def say(text: str = "") -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def holds(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except OSError:
        return False


def measure_change(one: Side, kind: str, path: str, text: str, seen: Path) -> None:
    """Write `text` into a file of the project, and wait until `seen` holds it."""

    def save() -> None:
        (one.directory / path).write_text(text, encoding="utf-8")

    one.time(kind, save, lambda: holds(seen, text))
    time.sleep(SETTLE_SECONDS)


def measure_round(one: Side, number: int) -> None:
    """One live change, one sync and one rebuild."""
    _, pid, _ = one.container()
    inside = Path(f"/proc/{pid}/root")
    text = f"{number + 1}\n"
    measure_change(one, "live", "live/page.txt", text, inside / "live/page.txt")
    measure_change(one, "sync", "src/part.js", text, inside / "app/src/part.js")
    manifest = package(one.name, number + 1)
    measure_change(one, "rebuild", "package.json", manifest, one.directory / "out/installed.json")


def count_after_touch(one: Side) -> int:
    """How many times the container was replaced or started again after every file was touched."""
    before = one.container()
    for file in sorted(one.directory.rglob("*.js*")):
        os.utime(file)
    time.sleep(6)
    return int(one.container() != before)


def measure_pair(count: int, rounds: int, place: Path) -> None:
    with (
        side("devenv", place, count, "watching") as ours,
        side("compose", place, count, "Watch enabled") as peer,
    ):
        time.sleep(2)
        for number in range(rounds):
            for one in (ours, peer):
                measure_round(one, number)
        say(f"an app of {count:,} files, {rounds} rounds; ms from the write")
        say(f"{'':10}{'devenv p50':>12}{'p95':>8}{'Compose p50':>14}{'p95':>8}{'ratio':>8}")
        for kind in ("live", "sync", "rebuild"):
            a, b = ours.times[kind], peer.times[kind]
            say(
                f"{kind:10}{median(a):12.0f}{late(a):8.0f}{median(b):14.0f}{late(b):8.0f}"
                f"{median(a) / median(b):8.2f}"
            )
        touched = [count_after_touch(one) for one in (ours, peer)]
        say(f"containers replaced after a touch of all: devenv {touched[0]}, Compose {touched[1]}")
        say()


def late(times: list[float]) -> float:
    return quantiles(times, n=20)[-1] if len(times) > 1 else times[0]


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_idle(place: Path) -> None:
    """The processor time of a watch over many files of which none changes."""
    started = time.perf_counter()
    with side("devenv", place, IDLE_FILES, "watching") as one:
        say(f"{IDLE_FILES:,} files: built and watched after {time.perf_counter() - started:.1f} s")
        time.sleep(3)
        before = processor_seconds(one.process.pid)
        time.sleep(IDLE_SECONDS)
        used = (processor_seconds(one.process.pid) - before) / IDLE_SECONDS
        status = Path(f"/proc/{one.process.pid}/status").read_text()
        memory = int(next(x for x in status.splitlines() if x.startswith("VmRSS")).split()[1])
        say(f"idle: {used:.2%} of a core, {memory / 1024:.0f} MiB")
        _, pid, _ = one.container()
        inside = Path(f"/proc/{pid}/root/app/src/part.js")
        measure_change(one, "sync", "src/part.js", "late\n", inside)
        say(f"a sync among them: {one.times['sync'][0]:.0f} ms")
    say()


def write_fifty(directory: Path) -> None:
    services = {}
    for number in range(50):
        name = f"s{number}"
        (directory / name / "src").mkdir(parents=True)
        (directory / name / "src" / "a.js").write_text("1\n")
        (directory / name / "package.json").write_text('{"scripts": {"dev": "vite"}}\n')
        (directory / name / ".dockerignore").write_text("node_modules\n*.log\n")
        (directory / name / "Dockerfile").write_text(
            "FROM node:20 AS base\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\n"
            "FROM base AS development\nCOPY . .\nCMD npm run dev\n"
            "FROM base AS production\nCOPY . .\nRUN npm run build\n"
        )
        services[name] = {
            "build": {"context": f"./{name}", "target": "development"},
            "volumes": [f"./{name}/src:/app/src", "/app/node_modules"],
        }
    text = yaml.safe_dump({"name": "devenvbenchfifty", "services": services})
    (directory / "compose.yaml").write_text(text, encoding="utf-8")


def measure_plan(place: Path, rounds: int) -> None:
    """How long the plan of 50 services takes, and `--explain` as a process."""
    from argparse import Namespace

    from devenv.cli.session import Session
    from devenv.cli.watching import load_planner

    directory = place / "fifty"
    directory.mkdir()
    write_fifty(directory)
    run([DEVENV, "watch", "--explain", "s0/src/a.js"], directory)
    paths = [f"{directory}/s{n}/{p}" for n in range(50) for p in ("src/a.js", "package.json")]
    loads, plans, processes = [], [], []
    for _ in range(rounds):
        session = Session(Namespace(profile=None, directory=str(directory), context=None))
        assert len(session.project.services) == 50
        started = time.perf_counter()
        planner = load_planner(session)
        loaded = time.perf_counter()
        found = [planner.plan(path) for path in paths]
        loads.append((loaded - started) * 1e3)
        plans.append((time.perf_counter() - started) * 1e3)
        assert all(found)
        started = time.perf_counter()
        run([DEVENV, "watch", "--explain", "s7/src/a.js"], directory)
        processes.append((time.perf_counter() - started) * 1e3)
    say("50 services, ms, p50 and p95")
    say(f"model to planner          {median(loads):8.0f}{late(loads):8.0f}")
    say(f"and 100 paths planned     {median(plans):8.0f}{late(plans):8.0f}")
    say(f"watch --explain, process  {median(processes):8.0f}{late(processes):8.0f}")
    say()


def main() -> None:
    words = sys.argv[1:]
    rounds = int(words[0]) if words else 20
    only = words[1] if len(words) > 1 else ""
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        if only in ("", "plan"):
            measure_plan(directory, max(rounds, 5))
        for count in (4, 2000):
            if only in ("", str(count)):
                measure_pair(count, rounds, directory / str(count))
        if only in ("", "idle"):
            measure_idle(directory / "idle")


if __name__ == "__main__":
    main()
