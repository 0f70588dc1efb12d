"""Who holds a port, asked of this machine's kernel."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from devenv.compose.host_ports import parse_range, shares_address
from devenv.host.ports import find_listener, parse_kernel_address

ME = f"(process {os.getpid()})"


@pytest.fixture
def held(request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of a socket that this process holds, at the address and of the kind asked for."""
    address, protocol = request.param
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(family, kind) as holder:
        holder.bind((address, 0))
        if kind == socket.SOCK_STREAM:
            holder.listen()
        yield holder.getsockname()[1]


@pytest.mark.parametrize(
    ("held", "protocol", "host_ip", "taken"),
    [
        (("0.0.0.0", "tcp"), "tcp", None, True),
        (("0.0.0.0", "tcp"), "udp", None, False),
        (("0.0.0.0", "tcp"), "tcp", "127.0.0.2", True),
        (("127.0.0.1", "tcp"), "tcp", None, True),
        (("127.0.0.1", "tcp"), "tcp", "127.0.0.1", True),
        (("127.0.0.1", "tcp"), "tcp", "127.0.0.2", False),
        (("127.0.0.1", "tcp"), "tcp", "::1", False),
        (("::", "tcp"), "tcp", None, True),
        (("::", "tcp"), "tcp", "127.0.0.1", True),
        (("::1", "tcp"), "tcp", "::1", True),
        (("::1", "tcp"), "tcp", None, True),
        (("::1", "tcp"), "tcp", "127.0.0.1", False),
        (("0.0.0.0", "udp"), "udp", None, True),
        (("127.0.0.1", "udp"), "udp", "127.0.0.1", True),
        (("127.0.0.1", "udp"), "tcp", None, False),
    ],
    indirect=["held"],
)
def test_find_listener(held: int, protocol: str, host_ip: str | None, taken: bool) -> None:
    found = find_listener(held, protocol, host_ip)
    assert (found is not None and ME in found) if taken else found is None


def test_a_closed_connection_is_no_holder() -> None:
    """A port in TIME_WAIT can be published."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = server.accept()
            accepted.close()
    assert find_listener(port) is None


@pytest.mark.parametrize(
    ("digits", "address"),
    [
        ("0100007F", "127.0.0.1"),
        ("00000000", "0.0.0.0"),
        ("00000000000000000000000001000000", "::1"),
        ("B80D01200000000067452301EFCDAB89", "2001:db8::123:4567:89ab:cdef"),
    ],
)
def test_addresses_of_the_kernel(digits: str, address: str) -> None:
    assert parse_kernel_address(digits) == address


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        (None, "127.0.0.1", True),
        ("0.0.0.0", "::1", True),
        ("::", "10.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("::ffff:127.0.0.1", "127.0.0.1", True),
        ("0:0:0:0:0:0:0:1", "::1", True),
    ],
)
def test_shares_address(first: str | None, second: str | None, shared: bool) -> None:
    assert shares_address(first, second) is shared
    assert shares_address(second, first) is shared


@pytest.mark.parametrize(
    ("text", "ports"),
    [("80", [80]), ("80-82", [80, 81, 82]), (None, []), ("", []), ("x", []), ("80-", [])],
)
def test_parse_range(text: str | None, ports: list[int]) -> None:
    assert list(parse_range(text)) == ports
