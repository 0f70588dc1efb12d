"""How long a sync takes, from the call to the bytes in the container, beside its floors.

    .venv/bin/python benchmarks/sync.py [ROUNDS]

In turns, in one run: the Engine API's PUT alone (a reader may see half a file), `docker cp` of
one file, and devenv's sync of 1, 100 and 1,000 files, which renames them into place.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import quote

from devenv.engine.api import EngineClient
from devenv.engine.context import load_endpoint
from devenv.engine.sync import Change, Outcome, Syncer
from devenv.engine.sync_tar import Owner, load_disk_state, write_tar

IMAGE = "devenv-offline/base"


def docker(*arguments: str) -> str:
    done = subprocess.run(("docker", *arguments), capture_output=True, text=True, check=True)
    return done.stdout.strip()


async def put(client: EngineClient, container: str, source: Path) -> None:
    """One file by the archive API, straight into its place."""
    state = load_disk_state({"/app/one.py": str(source)})
    tar = write_tar(state.entries, {"/app/one.py": "/app/one.py"}, Owner())
    path = f"/containers/{quote(container)}/archive"
    await client.request("PUT", path, {"path": "/"}, tar.body, content_type="application/x-tar")


async def measure(rounds: int, directory: Path) -> dict[str, list[float]]:
    client = EngineClient(load_endpoint(os.environ, Path.home()))
    container = docker("run", "--detach", "--init", IMAGE, "sleep", "600")
    syncer = Syncer(client)
    sets = {}
    for count in (1, 100, 1000):
        folder = directory / str(count)
        folder.mkdir()
        for number in range(count):
            (folder / f"{number}.py").write_text("x = 1\n" * 100)
        sets[count] = [Change(str(one), f"/app/{count}/{one.name}") for one in folder.iterdir()]
    found: dict[str, list[float]] = {}
    try:
        for number in range(rounds):
            one = directory / "1" / "0.py"
            one.write_text(f"x = {number}\n")
            started = time.perf_counter()
            await put(client, container, one)
            found.setdefault("PUT of 1 file", []).append(time.perf_counter() - started)
            started = time.perf_counter()
            docker("cp", "--quiet", str(one), f"{container}:/app/one.py")
            found.setdefault("docker cp of 1 file", []).append(time.perf_counter() - started)
            for count, changes in sets.items():
                started = time.perf_counter()
                (result,) = await syncer.sync([container], changes)
                name = f"devenv's sync of {count} file{'s' if count > 1 else ''}"
                found.setdefault(name, []).append(time.perf_counter() - started)
                assert result.outcome is Outcome.SYNCED, result
    finally:
        docker("rm", "--force", container)
    return found


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as place:
        found = asyncio.run(measure(rounds, Path(place)))
    floor = median(found["PUT of 1 file"])
    lines = [f"{'':32}{'p50 ms':>8}{'p95 ms':>8}{'x PUT':>8}"]
    for name, times in found.items():
        late = quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
        middle = median(times)
        lines.append(f"{name:32}{middle * 1e3:8.0f}{late * 1e3:8.0f}{middle / floor:8.1f}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
