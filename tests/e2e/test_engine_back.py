"""The engine goes away while the terminal UI is open, and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from devenv.engine.context import Endpoint, EndpointKind
from tests.e2e.terminal import Terminal
from tests.engine.project import Project, devenv_argv, shell
from tests.engine.proxy import engine_proxy

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")


@pytest.fixture
def project(docker_engine: Endpoint, tmp_path: Path, cache: Path) -> Iterator[Project]:
    project = Project(tmp_path, docker_engine, cache)
    yield project
    project.environ.pop("DOCKER_HOST", None)
    project.remove()


async def test_the_loss_is_shown_keys_answer_and_lines_go_on_afterwards(
    project: Project, docker_engine: Endpoint, tmp_path: Path
) -> None:
    if docker_engine.kind is not EndpointKind.UNIX:
        pytest.skip("the proxy speaks to a unix socket")
    project.write_compose({"web": shell("i=0; while sleep 0.2; do i=$((i+1)); echo n$i; done")})
    async with engine_proxy(tmp_path / "engine.sock", docker_engine.address) as proxy:
        project.environ["DOCKER_HOST"] = f"unix://{proxy.place}"
        argv = [*devenv_argv(), "up", "--no-checks"]
        with Terminal(argv, project.directory, project.environ) as terminal:

            async def wait(*words: str, but: str = "\0") -> None:
                await asyncio.to_thread(
                    terminal.wait,
                    lambda screen: all(word in screen for word in words) and but not in screen,
                    seconds=60,
                    what=f"{words} without {but!r}",
                )

            await wait("● running", " n3")
            await proxy.close()
            await wait("Trying again", "as last seen", "● running", "engine lost")
            terminal.press("g")
            await wait("1  web")
            terminal.press("l")
            await proxy.open()
            await wait("● running", but="Trying again")
            seen = max(
                int(w[1:]) for w in terminal.screen.split() if w[:1] == "n" and w[1:].isdigit()
            )
            await wait(f" n{seen + 3} ")
            terminal.press("q")
            await wait("Leave running")
            terminal.press("\r")
            await asyncio.to_thread(terminal.wait_end, seconds=20)
