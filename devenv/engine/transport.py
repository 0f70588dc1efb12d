"""One connection to an engine: a unix socket, TCP, TLS, or `docker system dial-stdio` over ssh.

Owns opening and closing, and the ssh child. What is said over it is `exchange.py`'s part.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import ssl
from urllib.parse import unquote, urlsplit

from devenv.engine.context import Endpoint, EndpointKind
from devenv.engine.unavailable import cannot_connect, closed_early, no_answer, ssh_failed
from devenv.errors import EngineUnavailable

CONNECT_SECONDS = 10.0
READ_BYTES = 256 * 1024


class Connection:
    """An open connection; `close` it, which also ends ssh."""

    def __init__(
        self,
        endpoint: Endpoint,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        process: asyncio.subprocess.Process | None = None,
    ) -> None:
        self.reader = reader
        self.writer = writer
        self._endpoint = endpoint
        self._process = process

    @property
    def over_ssh(self) -> bool:
        """Whether a child process stands between, which says on stderr what is wrong."""
        return self._process is not None

    async def cut_off(self) -> EngineUnavailable:
        """Why the connection ended too early."""
        if self._process is None or self._process.stderr is None:
            return closed_early(self._endpoint)
        said = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                while len(said) < 4096 and (data := await self._process.stderr.read(4096)):
                    said += data
        text = said.decode(errors="replace").strip()
        return ssh_failed(self._endpoint, ssh_argv(self._endpoint.address), text)

    async def close(self) -> None:
        """Drop it at once; never raises but for cancellation."""
        if self._process is not None:
            await _end(self._process)
            return
        self.writer.transport.abort()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self.writer.wait_closed()


async def open_connection(endpoint: Endpoint) -> Connection:
    """Connect within CONNECT_SECONDS. Raises EngineUnavailable.

    An ssh child counts as connected once it runs: whether the engine answers shows the first read.
    """
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            match endpoint.kind:
                case EndpointKind.UNIX:
                    streams = await asyncio.open_unix_connection(endpoint.address, limit=READ_BYTES)
                case EndpointKind.SSH:
                    return await _open_ssh(endpoint)
                case _:
                    host, port = endpoint.host_port()
                    streams = await asyncio.open_connection(
                        host, port, ssl=_ssl_context(endpoint), limit=READ_BYTES
                    )
    except TimeoutError:
        raise no_answer(endpoint, CONNECT_SECONDS) from None
    except (OSError, UnicodeError) as error:  # a host name that IDNA refuses
        raise cannot_connect(endpoint, error) from error
    return Connection(endpoint, *streams)


async def _open_ssh(endpoint: Endpoint) -> Connection:
    process = await asyncio.create_subprocess_exec(
        *ssh_argv(endpoint.address),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        limit=READ_BYTES,
    )
    assert process.stdout is not None and process.stdin is not None
    return Connection(endpoint, process.stdout, process.stdin, process)


async def _end(process: asyncio.subprocess.Process) -> None:
    try:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await process.communicate()
                break
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        transport = getattr(process, "_transport", None)
        if transport is not None:
            transport.close()


def ssh_argv(url: str) -> tuple[str, ...]:
    """The command that carries the engine's byte stream over ssh.

    Spec: docker/cli cli/connhelper. BatchMode: ssh has no terminal here to ask on. The host
    keeps its case, since ssh_config's `Host` is case-sensitive; what the far shell reads is quoted.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    argv = ["ssh", "-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_SECONDS:.0f}"]
    if parts.username:
        argv += ["-l", unquote(parts.username)]
    if parts.port:
        argv += ["-p", str(parts.port)]
    argv += ["--", host, "docker"]
    if parts.path.strip("/"):
        argv += ["--host", shlex.quote(f"unix://{unquote(parts.path)}")]
    return (*argv, "system", "dial-stdio")


def _ssl_context(endpoint: Endpoint) -> ssl.SSLContext | None:
    if endpoint.kind is not EndpointKind.TLS:
        return None
    try:
        context = ssl.create_default_context(cafile=endpoint.ca_file)
        if not endpoint.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if endpoint.cert_file:
            context.load_cert_chain(endpoint.cert_file, endpoint.key_file)
    except OSError as error:
        raise EngineUnavailable(
            f"The TLS files for {endpoint.describe()} cannot be used: {error}.",
            fix="check ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH or in the context.",
        ) from error
    return context
