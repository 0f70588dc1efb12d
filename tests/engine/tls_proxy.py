"""TLS in front of the real engine's socket, as `dockerd --tlsverify` has it.

Threads, not asyncio: its TLS cannot be half closed, which `docker exec` does at the end of its
input, and it ends a failed handshake without the alert that says why.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Iterator

_READ_BYTES = 65536


@contextlib.contextmanager
def tls_proxy(engine: str, context: ssl.SSLContext) -> Iterator[int]:
    """The port on 127.0.0.1; all connections are dropped at the end."""
    open_sockets: set[socket.socket] = set()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=_accept, args=(listener, engine, context, open_sockets))
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join(10)
            for each in list(open_sockets):
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)


def _accept(
    listener: socket.socket, engine: str, context: ssl.SSLContext, open_sockets: set[socket.socket]
) -> None:
    with contextlib.suppress(OSError):
        while True:
            near, _ = listener.accept()
            open_sockets.add(near)
            arguments = (near, engine, context, open_sockets)
            threading.Thread(target=_serve, args=arguments, daemon=True).start()


def _serve(
    plain: socket.socket, engine: str, context: ssl.SSLContext, open_sockets: set[socket.socket]
) -> None:
    try:
        with (
            plain,
            contextlib.suppress(OSError),
            context.wrap_socket(plain, server_side=True) as near,
            socket.socket(socket.AF_UNIX) as far,
        ):
            open_sockets.add(near)
            far.connect(engine)
            _pass(near, far)
            open_sockets.discard(near)
    finally:
        open_sockets.discard(plain)


def _pass(near: ssl.SSLSocket, far: socket.socket) -> None:
    """Both ways until the engine closes; the end of the client's input is passed on."""
    ends: list[socket.socket] = [near, far]
    while True:
        ready = [near] if near.pending() else select.select(ends, [], [])[0]
        if near in ready:
            if data := near.recv(_READ_BYTES):
                far.sendall(data)
            else:
                ends.remove(near)
                far.shutdown(socket.SHUT_WR)
        if far in ready:
            data = far.recv(_READ_BYTES)
            if not data:
                return
            near.sendall(data)
