"""Logs at full speed: lines/s, CPU against `docker compose logs -f`, keys, memory, no line lost.

Usage: python -m benchmarks.logs [LINES]. Needs a running engine and the offline images. LINES
(default 125000) is what each of 8 containers prints. The UI runs in a pseudo-terminal; its own
repaints are counted by the synchronised-output marks that Textual writes around each.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import random
import re
import resource
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devenv.compose.names import ServiceName
from devenv.engine.api import EngineClient
from devenv.engine.compose import find_compose
from devenv.engine.context import load_endpoint
from devenv.state.log_search import Query, SearchMode
from devenv.state.logs import LogStore, Origin

SERVICES = 8
BASE = "devenv-offline/base"
PYTHON = sys.executable
DEVENV = str(Path(PYTHON).parent / "devenv")
FLOOD_SECONDS = 12.0
MEMORY_MB = 32
COLUMNS, ROWS = 140, 40
_FRAME = re.compile(rb"\x1b\[\?2026h")

# Counts bytes and does nothing else: the floor that a reader of logs is held against.
FLOOR = """
import asyncio, json, resource, sys
ids, path, reads = json.loads(sys.argv[1]), sys.argv[2], 262144
async def read(cid):
    reader, writer = await asyncio.open_unix_connection(path, limit=reads)
    query = "stdout=1&stderr=1&timestamps=1&follow=0&tail=all"
    writer.write(f"GET /containers/{cid}/logs?{query} HTTP/1.0\\r\\n\\r\\n".encode())
    size = 0
    while data := await reader.read(reads):
        size += len(data)
    writer.close()
    return size
async def main():
    print(sum(await asyncio.gather(*map(read, ids))))
asyncio.run(main())
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime)
"""
BARE_APP = """
from textual.app import App
from textual.widgets import Input
class Bare(App):
    def compose(self):
        yield Input()
Bare().run()
"""
DEMUXED = """
import asyncio, json, os, resource, sys
from pathlib import Path
from devenv.engine.api import EngineClient
from devenv.engine.context import load_endpoint
ids = json.loads(sys.argv[1])
client = EngineClient(load_endpoint(os.environ, Path.home()))
async def read(cid):
    count = 0
    async for batch in client.logs(cid, follow=False):
        count += len(batch)
    return count
async def main():
    print(sum(await asyncio.gather(*map(read, ids))))
before = resource.getrusage(resource.RUSAGE_SELF)
before = before.ru_utime + before.ru_stime
asyncio.run(main())
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime - before)
"""


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def compose_file(name: str, script: str) -> str:
    command = json.dumps(["sh", "-c", script.replace("$", "$$")])
    services = "\n".join(
        f"  s{n}:\n    image: {BASE}\n    init: true\n    command: {command}"
        for n in range(SERVICES)
    )
    return f"name: {name}\nservices:\n{services}\n"


@contextmanager
def environment(script: str) -> Iterator[Path]:
    """A directory whose 8 services run; removed afterwards."""
    name = "devenvbench" + uuid.uuid4().hex[:8]
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        (directory / "compose.yaml").write_text(compose_file(name, script), encoding="utf-8")
        settings = f"[logs]\nmemory_mb = {MEMORY_MB}\n"
        (directory / "devenv.toml").write_text(settings, encoding="utf-8")
        compose = find_compose(os.environ)
        try:
            run = [DEVENV, "up", "--detach", "--no-checks"]
            started = subprocess.run(
                run, cwd=directory, capture_output=True, text=True, check=False
            )
            if started.returncode:
                raise SystemExit(started.stderr)
            yield directory
        finally:
            down = compose.argv("--project-name", name, "down", "--volumes", "--timeout", "0")
            subprocess.run(down, cwd=directory, check=False, capture_output=True)


def measure(argv: list[str], directory: Path, out: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a process that writes to a file."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    with out.open("wb") as file:
        subprocess.run(argv, cwd=directory, stdout=file, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - started, cpu


def container_ids(directory: Path) -> list[str]:
    name = (directory / "compose.yaml").read_text().split("\n")[0].removeprefix("name: ")
    client = EngineClient(load_endpoint(os.environ, Path.home()))
    return [row["Id"] for row in asyncio.run(client.containers(name))]


def count_lines(lines: int) -> None:
    """`devenv logs > file` holds every line; how quickly, against the peer and the floor."""
    script = f"seq -f 'line %.0f of the benchmark, some text to fill it to a usual width' {lines}"
    with environment(f"{script}; exec sleep 3600") as directory:
        ids, out = container_ids(directory), directory / "out"
        while True:
            tail = subprocess.run(
                [DEVENV, "logs", "--tail", "1"], cwd=directory, capture_output=True, check=True
            )
            if tail.stdout.count(b"line %d " % lines) == SERVICES:
                break
            time.sleep(0.5)
        wall, cpu = measure([DEVENV, "logs"], directory, out)
        seen: dict[bytes, int] = defaultdict(int)
        with out.open("rb") as file:
            for line in file:
                service, _, text = line.partition(b" | ")
                number = int(text.split()[1])
                if number != seen[service] + 1:
                    raise SystemExit(f"{service.decode()}: {number} after {seen[service]}")
                seen[service] = number
        total = sum(seen.values())
        say(f"devenv logs > file: {total:,} lines of {SERVICES} containers, none lost, in order")
        peer_argv = find_compose(os.environ).argv("logs", "--no-color")
        peer_wall, peer_cpu = measure(list(peer_argv), directory, directory / "peer")
        say(f"  devenv logs          {total / wall:>9,.0f} lines/s  CPU {cpu:6.2f} s  by time")
        say(f"  docker compose logs  {total / peer_wall:>9,.0f} lines/s  CPU {peer_cpu:6.2f} s")
        socket = load_endpoint(os.environ, Path.home()).address
        shares = []
        for _ in range(3):
            floor = run_reader(FLOOR, json.dumps(ids), socket)
            read = run_reader(DEMUXED, json.dumps(ids))
            shares.append(read / floor)
        say(f"  reading and taking lines apart: {statistics.median(shares):.2f} x a byte counter")


def run_reader(code: str, *arguments: str) -> float:
    """CPU seconds that a reader says it took."""
    completed = subprocess.run(
        [PYTHON, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return float(completed.stdout.split()[-1])


def proc_cpu(pid: int) -> float:
    """CPU seconds of a process and the children that it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def peak_memory(pid: int) -> float:
    """The most resident memory so far, MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found[1]) / 1024 if found else float("nan")


class Terminal:
    """devenv in a pseudo-terminal."""

    def __init__(self, argv: list[str], directory: Path) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(directory)
            os.execve(argv[0], argv, {**os.environ, "TERM": "xterm-256color"})
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.frames = 0
        self.said = b""

    def _read(self) -> bytes:
        data = os.read(self.fd, 1 << 16)
        if b"\x1b[?2026$p" in data:
            os.write(self.fd, b"\x1b[?2026;2$y")  # yes, this terminal takes whole frames
        self.frames += len(_FRAME.findall(data))
        return data

    def pump(self, seconds: float) -> bytes:
        """Read what comes for so long."""
        deadline = time.perf_counter() + seconds
        got = b""
        while (left := deadline - time.perf_counter()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                got += self._read()
        self.said = (self.said + got)[-(1 << 20) :]
        return got

    def press(self, key: bytes, wanted: bytes, seconds: float = 5) -> float:
        """Milliseconds from a key to `wanted` on the screen."""
        started = time.perf_counter()
        os.write(self.fd, key)
        got = b""
        while time.perf_counter() - started < seconds:
            if select.select([self.fd], [], [], 0.5)[0]:
                got += self._read()
                if wanted in got:
                    return (time.perf_counter() - started) * 1000
        raise SystemExit(f"{key!r} was not answered within {seconds:g} s")

    def end(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def type_letters(terminal: Terminal, seconds: float) -> list[float]:
    """Type letters that no line holds; milliseconds until each is on the screen."""
    latencies = []
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        for letter in b"ABCDEFGHIJKMNOPQ":
            latencies.append(terminal.press(bytes([letter]), bytes([letter])))
            terminal.pump(random.uniform(0.02, 0.1))
        os.write(terminal.fd, b"\x15")  # ^u empties the line
        terminal.pump(0.2)
    return latencies


def type_bare(directory: Path) -> str:
    """The same of an app that does nothing else."""
    terminal = Terminal([PYTHON, "-c", BARE_APP], directory)
    try:
        terminal.pump(4)
        latencies = sorted(type_letters(terminal, 4))
        p99 = latencies[int(len(latencies) * 0.99)]
        return f"median {statistics.median(latencies):.0f} ms, p99 {p99:.0f} ms"
    finally:
        terminal.end()


def flood_ui() -> None:
    """8 services at full speed: keys, repaints, CPU and memory of the UI."""
    with environment(
        "exec seq -f 'line %.0f of a flood of lines of a usual width' 1e12"
    ) as directory:
        terminal = Terminal([DEVENV, "up", "--no-build", "--no-checks"], directory)
        try:
            terminal.pump(6)
            terminal.press(b"/", b"ignore case", 20)
            cpu, frames, started = proc_cpu(terminal.pid), terminal.frames, time.perf_counter()
            latencies = type_letters(terminal, FLOOD_SECONDS)
            seconds = time.perf_counter() - started
            used = proc_cpu(terminal.pid) - cpu
            rate = (terminal.frames - frames) / seconds
            memory = peak_memory(terminal.pid)
            text = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", terminal.said).decode(errors="replace")
            captions = re.findall(r"([\d,]+) lines · ([\d,]+) dropped · ([\d,]+) too fast", text)
            latencies.sort()
            p99 = latencies[min(len(latencies) - 1, int(len(latencies) * 0.99))]
            say(f"UI with {SERVICES} services at full speed, {seconds:.0f} s:")
            say(f"  key to paint: median {statistics.median(latencies):.0f} ms, p99 {p99:.0f} ms")
            bare = type_bare(directory)
            say(f"    a bare Textual app beside the same flood: {bare}")
            say(f"  repaints {rate:.1f}/s   CPU {used / seconds * 100:.0f} % of a core")
            say(f"  peak memory {memory:.0f} MiB with a store of {MEMORY_MB} MiB")
            if captions:
                held, dropped, unseen = captions[-1]
                say(f"  held {held} lines, dropped {dropped}; said: {unseen} too fast to show")
        finally:
            terminal.end()
        follow_peer(directory)


def follow_peer(directory: Path) -> None:
    """CPU of both follow commands on the same flood, for each line that they print."""
    peer = find_compose(os.environ).argv("logs", "--follow", "--tail", "0", "--no-color")
    ours = [DEVENV, "logs", "--follow", "--tail", "0"]
    for name, argv in (("devenv logs -f", ours), ("docker compose logs -f", list(peer))):
        out = directory / "followed"
        with out.open("wb") as file:
            process = subprocess.Popen(argv, cwd=directory, stdout=file, stderr=subprocess.DEVNULL)
            time.sleep(3)
            size, cpu = out.stat().st_size, proc_cpu(process.pid)
            time.sleep(5)
            used = proc_cpu(process.pid) - cpu
            lines = (out.stat().st_size - size) / 60
            process.kill()
            process.wait()
        micro = used / max(lines, 1) * 1e6
        say(f"  {name:<23} {lines / 5:>9,.0f} lines/s  CPU {micro:.1f} µs a line")


def search_speed() -> None:
    """How long a search over a million lines in the store takes, all blocks in one go."""
    logs = LogStore(1 << 28)
    number = logs.number(Origin(ServiceName("app")))
    text = b"12:00:00 INFO request %d took 3 ms, a line of a usual width as loggers write them here"
    started = time.perf_counter()
    for at in range(0, 1_000_000, 10_000):
        logs.append_rows([(n, number, text % n) for n in range(at, at + 10_000)])
    seconds = time.perf_counter() - started
    say(f"Store: {1_000_000 / seconds:,.0f} lines/s in, {logs.size_bytes >> 20} MiB for a million")
    for mode, needle in (
        (SearchMode.LITERAL, "request 999999"),
        (SearchMode.IGNORE_CASE, "Request 99999"),
        (SearchMode.LITERAL, "request"),
        (SearchMode.REGEX, "request 9+ took"),
    ):
        query, best = Query(needle, mode), float("inf")
        for _ in range(3):
            started = time.perf_counter()
            found = sum(len(query.find_lines(block)) for block in logs.blocks)
            best = min(best, time.perf_counter() - started)
        say(f"  search {mode.value:<12} {needle!r:<18} {found:>9,} found  {best * 1000:4.0f} ms")


def main() -> None:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 125_000
    search_speed()
    count_lines(lines)
    flood_ui()


if __name__ == "__main__":
    main()
