"""Gathers what `devenv doctor` asks of this machine. Nothing is changed, and nothing waits long."""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from devenv.checks.doctor import HostFacts, TlsProbe, find_mount

_MAX_DIRECTORIES = 100_000
_COUNT_SECONDS = 2.0
_MAX_FILES = 300
_CONNECT_SECONDS = 4.0
_LEFT_OUT = {".git", "node_modules", ".venv", "venv", "__pycache__", "target", "dist"}
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
_PUBLIC_AUTHORITIES = Path("/usr/share/ca-certificates/mozilla")


def load_host_facts(
    directory: str,
    environ: Mapping[str, str],
    *,
    places: Iterable[str] = (),
    registries: Iterable[str] = (),
    buildx: str | None = None,
) -> HostFacts:
    """All that can be found out about this machine; `places` are directories that need room."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        probing = [pool.submit(probe_tls, host) for host in registries]
        mounts = _read("/proc/mounts")
        free = {path: room for path in places if (room := _free(path)) is not None}
        facts = HostFacts(
            directory=directory,
            free_bytes=free,
            memory_available_bytes=_memory_available(),
            watches=_number("/proc/sys/fs/inotify/max_user_watches"),
            instances=_number("/proc/sys/fs/inotify/max_user_instances"),
            directories=_count_directories(directory),
            filesystem=find_mount(mounts, os.path.realpath(directory)),
            kernel=platform.release(),
            file_milliseconds=_time_files(directory),
            nameservers=_nameservers("/etc/resolv.conf"),
            resolved_nameservers=_nameservers("/run/systemd/resolve/resolv.conf"),
            proxy_variables=tuple(name for name in _PROXIES if environ.get(name)),
            docker_proxies=_has_docker_proxies(environ),
            buildx=buildx,
            probes=tuple(one.result() for one in probing),
        )
    return facts


def probe_tls(address: str, public: Path = _PUBLIC_AUTHORITIES) -> TlsProbe:
    """Open a connection to `HOST` or `HOST:PORT` and look at its certificate.

    `public` is a directory of the public authorities' certificates, if this machine has one.
    """
    host, _, port = address.partition(":")
    number = int(port) if port.isdigit() else 443
    try:
        socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)
    except OSError:
        return TlsProbe(address, resolved=False, connected=False)
    try:
        issuer = _shake_hands(host, number, ssl.create_default_context())
    except ssl.SSLCertVerificationError:
        return TlsProbe(address, trusted=False)
    except OSError:
        return TlsProbe(address, connected=False)
    return TlsProbe(address, public=_is_public(host, number, public), issuer=issuer)


def _is_public(host: str, port: int, directory: Path) -> bool | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    found = False
    for path in sorted(directory.glob("*.crt")) if directory.is_dir() else ():
        try:
            context.load_verify_locations(path)
            found = True
        except (OSError, ssl.SSLError):
            continue
    if not found:
        return None
    try:
        _shake_hands(host, port, context)
    except ssl.SSLCertVerificationError:
        return False
    except OSError:
        return None
    return True


def _shake_hands(host: str, port: int, context: ssl.SSLContext) -> str:
    """Who issued the certificate. Raises OSError, ssl.SSLError among them."""
    with (
        socket.create_connection((host, port), timeout=_CONNECT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        certificate = secure.getpeercert() or {}
    parts: dict[str, str] = {}
    issuer = certificate.get("issuer", ())
    for group in issuer if isinstance(issuer, tuple) else ():
        for pair in group:
            if isinstance(pair, tuple) and len(pair) == 2:
                parts[str(pair[0])] = str(pair[1])
    return parts.get("organizationName") or parts.get("commonName") or ""


def _free(path: str) -> int | None:
    """Free bytes of a directory, or of the nearest one above it that can be asked."""
    place = Path(path)
    for candidate in (place, *place.parents):
        try:
            return shutil.disk_usage(candidate).free
        except OSError:
            continue
    return None


def _memory_available() -> int | None:
    for line in _read("/proc/meminfo").splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * 1024
    return None


def _count_directories(directory: str) -> int:
    """Directories below this one, dependency folders left out; stops at a limit."""
    count = 0
    deadline = time.monotonic() + _COUNT_SECONDS
    for _, names, _ in os.walk(directory):
        names[:] = [name for name in names if name not in _LEFT_OUT]
        count += 1
        if count >= _MAX_DIRECTORIES or time.monotonic() > deadline:
            break
    return count


def _time_files(directory: str) -> float | None:
    """Milliseconds to look at a file of the project, the mean of some."""
    paths: list[str] = []
    for place, names, files in os.walk(directory):
        names[:] = [name for name in names if name not in _LEFT_OUT]
        paths += [os.path.join(place, name) for name in files]  # noqa: PTH118
        if len(paths) >= _MAX_FILES:
            break
    if not paths:
        return None
    started = time.monotonic()
    for path in paths[:_MAX_FILES]:
        try:
            os.lstat(path)
        except OSError:
            continue
    return (time.monotonic() - started) * 1000 / len(paths[:_MAX_FILES])


def _nameservers(path: str) -> tuple[str, ...]:
    lines = (line.split() for line in _read(path).splitlines())
    return tuple(parts[1] for parts in lines if len(parts) > 1 and parts[0] == "nameserver")


def _has_docker_proxies(environ: Mapping[str, str]) -> bool:
    place = environ.get("DOCKER_CONFIG") or str(Path(environ.get("HOME", "/")) / ".docker")
    try:
        found = json.loads(_read(str(Path(place) / "config.json")) or "{}")
    except ValueError:
        return False
    return isinstance(found, dict) and bool(found.get("proxies"))


def _number(path: str) -> int | None:
    text = _read(path).strip()
    return int(text) if text.isdigit() else None


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
