"""The same commands over TCP and over TLS, and what is said where the two do not fit."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from devenv.engine.context import Endpoint, EndpointKind
from tests.engine.project import HEALTHY, Project, shell, sleeper
from tests.engine.proxy import engine_proxy
from tests.engine.tls_proxy import tls_proxy


def openssl(directory: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=directory, capture_output=True, check=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority of its own, and what it has signed: `server`, and `cert` with `key` as ours."""
    place = tmp_path_factory.mktemp("certificates")
    new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(place, *new, "-x509", "-keyout", "ca-key.pem", "-out", "ca.pem", "-subj", "/CN=test-ca")
    (place / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    for key, name in (("server-key.pem", "server.pem"), ("key.pem", "cert.pem")):
        openssl(place, *new, "-keyout", key, "-out", "request", "-subj", f"/CN={name}")
        by_authority = ("-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial")
        openssl(
            place,
            "x509",
            "-req",
            "-in",
            "request",
            "-out",
            name,
            "-extfile",
            "names",
            *by_authority,
        )
    return place


@pytest.fixture
def socket_path(docker_engine: Endpoint) -> str:
    if docker_engine.kind is not EndpointKind.UNIX:
        pytest.skip("the proxy speaks to a unix socket")
    return docker_engine.address


def server_context(certificates: Path) -> ssl.SSLContext:
    """TLS as an engine with `--tlsverify` has it."""
    context = ssl.create_default_context(
        ssl.Purpose.CLIENT_AUTH, cafile=str(certificates / "ca.pem")
    )
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificates / "server.pem", certificates / "server-key.pem")
    return context


@contextlib.asynccontextmanager
async def far_engine(socket_path: str, certificates: Path | None) -> AsyncIterator[str]:
    """The real engine's TCP address, with TLS where there are certificates."""
    if certificates is None:
        async with engine_proxy(None, socket_path) as proxy:
            yield f"tcp://127.0.0.1:{proxy.port}"
    else:
        with tls_proxy(socket_path, server_context(certificates)) as port:
            yield f"tcp://127.0.0.1:{port}"


async def in_thread(call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    return await asyncio.to_thread(call, *arguments, **named)


@pytest.mark.parametrize("with_tls", [False, True], ids=["tcp", "tls"])
async def test_from_up_to_down(
    project: Project, socket_path: str, certificates: Path, with_tls: bool
) -> None:
    project.write_compose(
        {"web": shell("echo hello; exec sleep 600", healthcheck=HEALTHY), "db": sleeper()}
    )
    async with far_engine(socket_path, certificates if with_tls else None) as address:
        project.environ["DOCKER_HOST"] = address
        if with_tls:
            project.environ["DOCKER_TLS_VERIFY"] = "1"
            project.environ["DOCKER_CERT_PATH"] = str(certificates)
        await in_thread(project.up)
        assert await in_thread(project.statuses) == {"web": "healthy", "db": "running"}
        assert "hello" in (await in_thread(project.run, "logs", "web")).stdout
        assert (await in_thread(project.run, "exec", "web", "echo", "hi")).stdout == "hi\n"
        await in_thread(project.run, "down")
        for name in ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
            project.environ.pop(name, None)
    assert not await in_thread(project.containers)


@pytest.mark.parametrize(
    ("with_tls", "environ", "said"),
    [
        (True, {}, "closed the connection"),
        (
            True,
            {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "{empty}"},
            "certificate verify failed",
        ),
        (
            True,
            {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "{only_ca}"},
            "wants a client certificate",
        ),
        (False, {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "{full}"}, "TLS connection"),
    ],
    ids=["plain to tls", "unknown authority", "no certificate of ours", "tls to plain"],
)
async def test_what_does_not_fit(
    project: Project,
    socket_path: str,
    certificates: Path,
    tmp_path: Path,
    with_tls: bool,
    environ: dict[str, str],
    said: str,
) -> None:
    project.write_compose({"web": sleeper()})
    (tmp_path / "empty").mkdir()
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "ca.pem").write_bytes((certificates / "ca.pem").read_bytes())
    places = {"empty": tmp_path / "empty", "only_ca": tmp_path / "only", "full": certificates}
    named = {key: value.format(**places) for key, value in environ.items()}
    async with far_engine(socket_path, certificates if with_tls else None) as address:
        ended = await in_thread(project.run, "ps", code=3, DOCKER_HOST=address, **named)
    assert address in ended.stderr
    assert "fix:" in ended.stderr
    assert said in ended.stderr
