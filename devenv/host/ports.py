"""Which process of this machine listens on a port."""

from __future__ import annotations

import socket
from pathlib import Path

_LISTEN = "0A"


def find_listener(port: int, protocol: str = "tcp") -> str | None:
    """Who holds a port: `python3 (process 4711)`, `another process`, or None where it is free.

    Reads /proc where there is one; elsewhere it tries to bind.
    """
    inodes = _listening_inodes(port, protocol)
    if inodes is None:
        return None if _can_bind(port, protocol) else "another process"
    if not inodes:
        return None
    return _owner(inodes) or "a process of another user"


def _listening_inodes(port: int, protocol: str) -> set[str] | None:
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
            local, state = fields[1], fields[3]
            if int(local.rsplit(":", 1)[1], 16) == port and (protocol == "udp" or state == _LISTEN):
                found.add(fields[9])
    return found if readable else None


def _owner(inodes: set[str]) -> str | None:
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            links = [str(entry.readlink()) for entry in (process / "fd").iterdir()]
            if wanted.intersection(links):
                name = (process / "comm").read_text(encoding="utf-8").strip()
                return f"{name} (process {process.name})"
        except OSError:
            continue
    return None


def _can_bind(port: int, protocol: str) -> bool:
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True
