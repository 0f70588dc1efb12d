"""An engine that may not be used, does not exist, or is none: what is said, with exit code 3."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.engine.project import Project, devenv_argv, sleeper

REFUSES_PLAIN_TEXT = (
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
)
ANOTHER_SERVER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>hello</html>"
SSH_BANNER = b"SSH-2.0-OpenSSH_9.2\r\n"


@pytest.fixture
def files(tmp_path: Path, cache: Path) -> Project:
    directory = tmp_path / "project"
    directory.mkdir()
    project = Project(directory, None, cache)
    project.write_compose({"web": sleeper()})
    return project


def without_privileges() -> list[str]:
    """What to run a program by so that file modes bind it, root's program too."""
    if os.geteuid() != 0:
        return []
    assert shutil.which("setpriv"), "setpriv (util-linux) takes root's privileges away"
    less = "-dac_override,-dac_read_search"
    return ["setpriv", f"--bounding-set={less}", f"--inh-caps={less}"]


@pytest.mark.parametrize("command", ["ps", "up --detach", "down", "logs"])
def test_permission_denied(files: Project, tmp_path: Path, command: str) -> None:
    place = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        place.chmod(0)
        ended = subprocess.run(
            [*without_privileges(), *devenv_argv(), *command.split()],
            cwd=files.directory,
            env={**files.environ, "DOCKER_HOST": f"unix://{place}"},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert ended.returncode == 3, ended.stderr
    assert f"may not use the Docker engine at unix://{place}: permission denied" in ended.stderr
    assert "it belongs to" in ended.stderr
    assert "mode 0000" in ended.stderr
    assert "fix: it is another user's engine" in ended.stderr


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("ftp://somewhere", "DOCKER_HOST holds an address that devenv cannot use: 'ftp://some"),
        ("tcp://host:99999", "cannot use: 'tcp://host:99999'"),
        ("tcp://[::1", "cannot use: 'tcp://[::1'"),
        ("ssh://", "cannot use: 'ssh://'"),
        ("tcp://..:1", "No connection to the Docker engine at tcp://..:1"),
        ("tcp://127.0.0.1:1", "refuses connections"),
        ("unix:///etc/passwd", "/etc/passwd is no socket"),
        ("unix:///etc/passwd/docker.sock", "does not exist"),
        ("unix:///nonexistent/docker.sock", "the socket /nonexistent/docker.sock does not exist"),
        ("unix:///" + "long/" * 40, "too long"),
    ],
)
def test_addresses(files: Project, host: str, said: str) -> None:
    for command in ("ps", "up --detach"):
        stderr = files.run(*command.split(), code=3, DOCKER_HOST=host).stderr
        assert said in stderr
        assert "fix:" in stderr


@pytest.mark.parametrize("by", ["option", "variable", "configuration"])
def test_a_context_that_does_not_exist(files: Project, tmp_path: Path, by: str) -> None:
    files.environ["DOCKER_CONFIG"] = str(tmp_path)
    files.environ.pop("DOCKER_HOST", None)
    if by == "configuration":
        (tmp_path / "config.json").write_text('{"currentContext": "staging"}')
    options = ["--context", "staging"] if by == "option" else []
    if by == "variable":
        files.environ["DOCKER_CONTEXT"] = "staging"
    for command in ("ps", "up --detach", "down"):
        stderr = files.run(*options, *command.split(), code=3).stderr
        assert "The Docker context 'staging' does not exist." in stderr
        assert "docker context ls" in stderr


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (REFUSES_PLAIN_TEXT, "refuses a connection without TLS"),
        (ANOTHER_SERVER, "is not a Docker engine"),
        (SSH_BANNER, "is not a Docker engine"),
        (b"", "closed the connection"),
    ],
    ids=["TLS wanted", "a web server", "an ssh server", "nothing"],
)
async def test_something_else_answers(files: Project, answer: bytes, said: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        address = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ended = await asyncio.to_thread(files.run, "ps", code=3, DOCKER_HOST=address)
    assert said in ended.stderr
    assert address in ended.stderr
    assert "fix:" in ended.stderr
