"""Two hundred services: their start, their logs, and a UI that stays small and quick."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

from tests.e2e.terminal import Terminal
from tests.engine.project import BASE, Project, devenv_argv, wait_for

SERVICES = 200
UI_MEBIBYTES = 140
"""Of which the program itself takes about 60."""


def peak_mebibytes(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024


async def remove_all(project: Project) -> None:
    """Compose takes them one by one, longer than a test's end waits."""
    client, gate = project.client, asyncio.Semaphore(8)

    async def remove(container: str) -> None:
        async with gate:
            await client.request(
                "DELETE", f"/containers/{container}", {"force": True}, timeout_seconds=120
            )

    rows = await client.containers(project.name)
    await asyncio.gather(*(remove(row["Id"]) for row in rows))


def test_two_hundred_services(project: Project) -> None:
    """Every service's line is there once, all are measured, and keys are answered meanwhile."""
    names = [f"s{number:03}" for number in range(SERVICES)]
    project.write_compose(
        {
            name: {
                "image": BASE,
                "network_mode": "none",  # what costs here is the network, of which nobody asks
                "stop_signal": "SIGKILL",
                "command": ["sh", "-c", f"echo hello of {name}; exec sleep 1800"],
            }
            for name in names
        }
    )
    try:
        project.run("up", "--detach", "--no-checks", seconds=600)
        assert project.running_services() == set(names)
        said = wait_for(
            lambda: (
                lines if len(lines := project.run("logs").stdout.splitlines()) >= SERVICES else None
            ),
            seconds=60,
            what="a line of each",
        )
        assert sorted(said) == [f"{name} | hello of {name}" for name in names]
        argv = [*devenv_argv(), "up", "--no-build", "--no-checks", "--no-watch"]
        with Terminal(argv, project.directory, project.environ) as terminal:
            terminal.wait(lambda screen: "200 lines" in screen, seconds=120, what="all lines")
            terminal.press("U")
            terminal.wait(lambda screen: "200 measured" in screen, seconds=120, what="all figures")
            started = time.monotonic()
            terminal.press("\x1b[B")
            terminal.wait(
                lambda screen: "─ s000 ─" in screen, seconds=30, what="the chosen service"
            )
            assert time.monotonic() - started < 20
            assert peak_mebibytes(terminal.process) < UI_MEBIBYTES
            terminal.press("q")
            terminal.wait(lambda screen: "Leave running" in screen, seconds=30, what="the question")
            terminal.press("\r")
            terminal.wait_end(seconds=60)
    finally:
        asyncio.run(remove_all(project))
