"""Which process of this machine holds a port."""

from __future__ import annotations

import contextlib
import errno
import socket
from pathlib import Path

from devenv.compose.host_ports import parse_address, shares_address

_LISTEN = "0A"


def find_listener(port: int, protocol: str = "tcp", host_ip: str | None = None) -> str | None:
    """Who holds a port: `python3 (process 4711)`, `another process`, or None where it is free.

    `host_ip` is the address that is to be published, None all of them: a process that listens on
    another address is no hindrance. Reads /proc where there is one, and asks the system whether
    the port can be had; elsewhere it only asks.
    """
    inodes = _holding_inodes(port, protocol, host_ip)
    free = _can_bind(port, protocol, host_ip)
    if inodes is None:
        return "another process" if free is False else None
    if not inodes or free:
        return None
    return _owner(inodes) or "a process of another user"


def _holding_inodes(port: int, protocol: str, host_ip: str | None) -> set[str] | None:
    found: set[str] = set()
    readable = False
    for table in (f"/proc/net/{protocol}", f"/proc/net/{protocol}6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        readable = True
        for line in lines:
            fields = line.split()
            (address, number), state = fields[1].rsplit(":", 1), fields[3]
            if (
                int(number, 16) == port
                and (protocol == "udp" or state == _LISTEN)
                and shares_address(parse_kernel_address(address), host_ip)
            ):
                found.add(fields[9])
    return found if readable else None


def parse_kernel_address(digits: str) -> str:
    """An address as /proc/net has it: 32-bit words, each in the machine's byte order."""
    words = (digits[at : at + 8] for at in range(0, len(digits), 8))
    raw = b"".join(bytes.fromhex(word)[::-1] for word in words)
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)


def _owner(inodes: set[str]) -> str | None:
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            if any(_link(entry) in wanted for entry in (process / "fd").iterdir()):
                name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
                return f"{name} (process {process.name})"
    return None


def _link(entry: Path) -> str | None:
    try:
        return str(entry.readlink())
    except OSError:
        return None  # closed meanwhile


def _can_bind(port: int, protocol: str, host_ip: str | None) -> bool | None:
    """Whether the engine could have the port; None where that cannot be told from here."""
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    addresses = [host_ip] if parse_address(host_ip) is not None else ["0.0.0.0", "::"]
    told = None
    for address in addresses:
        family = socket.AF_INET6 if ":" in (address or "") else socket.AF_INET
        with contextlib.suppress(OSError), socket.socket(family, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                probe.bind((address, port))
                told = True
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return False
    return told
