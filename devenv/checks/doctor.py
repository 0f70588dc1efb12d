"""What `devenv doctor` makes of a machine: facts in, one verdict for each, with the repair.

All of it is pure; `host.machine` and `engine.machine` gather the facts. A fact that could not be
had is None, and says nothing. A failure is what makes `devenv up` fail; all else is a warning.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from devenv.values import dataclass, field

_GIB = 1024**3
_MIN_ENGINE = (20, 10, 0)
_START_INTERVAL_ENGINE = (25, 0, 0)
_NO_CLASSIC_BUILDER = (28, 0, 0)
_MIN_BUILDX = (0, 17, 0)
"""What Compose 5 asks for."""
_SLOW_FILESYSTEMS = {
    "9p": "a Windows drive",
    "drvfs": "a Windows drive",
    "cifs": "a network share",
    "smb3": "a network share",
    "nfs": "a network share",
    "nfs4": "a network share",
    "fuse.sshfs": "a directory over ssh",
    "vboxsf": "a shared folder of a virtual machine",
    "prl_fs": "a shared folder of a virtual machine",
}


class Verdict(StrEnum):
    """How a fact is."""

    GOOD = "good"
    WARNING = "warning"
    FAILURE = "failure"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    message: str
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class EngineFactsFound:
    """An engine that answers, as its `/info` says."""

    version: str
    address: str
    is_local: bool = True
    root_directory: str = ""
    operating_system: str = ""
    memory_bytes: int | None = None
    clock_skew_seconds: float | None = None
    """The engine's clock less this machine's."""
    proxies: tuple[str, ...] = ()
    """The names of the proxy settings that the engine has."""
    has_mirrors: bool = False
    """Whether it fetches images from mirrors of registries."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TlsProbe:
    """A connection to a registry from this machine."""

    host: str
    resolved: bool = True
    connected: bool = True
    trusted: bool = True
    """By the certificates of this machine."""
    public: bool | None = None
    """By public authorities alone; None where their list is not known here."""
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class HostFacts:
    """This machine. None is unknown."""

    directory: str
    free_bytes: Mapping[str, int] = field(default_factory=dict)
    """By the directory that was asked about."""
    memory_available_bytes: int | None = None
    watches: int | None = None
    """fs.inotify.max_user_watches"""
    instances: int | None = None
    """fs.inotify.max_user_instances"""
    directories: int | None = None
    """Directories of the project that may have to be watched; counted up to a limit."""
    filesystem: str = ""
    """Of the project's directory."""
    kernel: str = ""
    file_milliseconds: float | None = None
    """Mean time to look at a file of the project."""
    nameservers: tuple[str, ...] = ()
    resolved_nameservers: tuple[str, ...] = ()
    """Those of systemd-resolved, which the engine takes where it runs."""
    proxy_variables: tuple[str, ...] = ()
    docker_proxies: bool = False
    """Whether the Docker client's configuration hands proxies on to containers and builds."""
    buildx: str | None = None
    """Its version; None where there is none."""
    probes: tuple[TlsProbe, ...] = ()


def judge_engine(engine: EngineFactsFound) -> Iterator[Diagnosis]:
    """The engine's version, clock, memory and warnings."""
    version = parse_numbers(engine.version)
    where = f"{engine.version} at {engine.address}"
    if version is not None and version < _MIN_ENGINE:
        yield Diagnosis(
            "engine",
            Verdict.WARNING,
            f"{where}: devenv is tested with 20.10 and later",
            "update Docker: https://docs.docker.com/engine/install/",
        )
    elif version is not None and version < _START_INTERVAL_ENGINE:
        note = "start_interval of health checks is ignored before 25"
        yield Diagnosis("engine", Verdict.GOOD, f"{where}; {note}")
    else:
        yield Diagnosis("engine", Verdict.GOOD, where)
    if engine.is_local:
        yield Diagnosis("permissions", Verdict.GOOD, "you may use the engine")
    if engine.clock_skew_seconds is not None:
        yield _judge_clock(engine.clock_skew_seconds)
    for warning in engine.warnings:
        yield Diagnosis("engine", Verdict.WARNING, warning.removeprefix("WARNING: "))


def _judge_clock(skew: float) -> Diagnosis:
    if abs(skew) < 2:
        return Diagnosis("clock", Verdict.GOOD, "the engine's clock agrees with this machine's")
    word = "ahead of" if skew > 0 else "behind"
    return Diagnosis(
        "clock",
        Verdict.WARNING,
        f"the engine's clock is {abs(skew):.0f} s {word} this machine's: builds may miss changed "
        "files, and tokens and certificates may seem to have expired",
        "synchronise it: sudo timedatectl set-ntp true, or restart Docker Desktop",
    )


def judge_builder(
    host: HostFacts, engine: EngineFactsFound | None, builds: Sequence[str]
) -> Iterator[Diagnosis]:
    """buildx, for the services that are built."""
    version = parse_numbers(host.buildx or "")
    fix = "install the buildx plugin: https://docs.docker.com/build/install-buildx/"
    if host.buildx is not None and version is not None and version >= _MIN_BUILDX:
        yield Diagnosis("buildx", Verdict.GOOD, host.buildx)
        return
    state = "not installed" if host.buildx is None else f"{host.buildx}, older than 0.17"
    known = parse_numbers(engine.version) if engine else None
    if not builds:
        yield Diagnosis("buildx", Verdict.GOOD, f"{state}; no service is built")
    elif known is not None and known >= _NO_CLASSIC_BUILDER:
        what = "this engine has no builder of its own"
        yield Diagnosis("buildx", Verdict.FAILURE, f"{state}, and {what}", fix)
    else:
        yield Diagnosis(
            "buildx",
            Verdict.WARNING,
            f"{state}: Compose builds with the classic builder, without cache mounts, and each "
            "stage whether it is needed or not",
            fix,
        )


def judge_room(host: HostFacts, engine: EngineFactsFound | None) -> Iterator[Diagnosis]:
    """Disk and memory."""
    for path, free in host.free_bytes.items():
        shown = f"{_size(free)} free for {path}"
        is_engine = engine is not None and path == engine.root_directory
        fix = "free some room"
        if is_engine:
            fix = "docker system df shows what takes it; docker builder prune drops build caches"
        if free < 0.3 * _GIB:
            yield Diagnosis("disk", Verdict.FAILURE, f"only {shown}", fix)
        elif is_engine and free < 5 * _GIB:
            yield Diagnosis("disk", Verdict.WARNING, f"only {shown}", fix)
        else:
            yield Diagnosis("disk", Verdict.GOOD, shown)
    total = engine.memory_bytes if engine else None
    if total is not None and total < 2 * _GIB:
        yield Diagnosis(
            "memory",
            Verdict.WARNING,
            f"the engine has {_size(total)} in all",
            "give Docker Desktop, or the virtual machine, more memory",
        )
    elif host.memory_available_bytes is not None and (engine is None or engine.is_local):
        free = host.memory_available_bytes
        low = free < 0.5 * _GIB
        yield Diagnosis(
            "memory",
            Verdict.WARNING if low else Verdict.GOOD,
            f"{'only ' if low else ''}{_size(free)} available",
            "end what takes it: a service may be killed in its start" if low else None,
        )
    elif total is not None:
        yield Diagnosis("memory", Verdict.GOOD, f"the engine has {_size(total)}")


def judge_watching(host: HostFacts) -> Iterator[Diagnosis]:
    """The limits of file watching."""
    fix = (
        "echo fs.inotify.max_user_watches=524288 | sudo tee /etc/sysctl.d/90-inotify.conf; "
        "echo fs.inotify.max_user_instances=512 | sudo tee -a /etc/sysctl.d/90-inotify.conf; "
        "sudo sysctl --system"
    )
    if host.watches is None or host.instances is None:
        return
    shown = f"{host.watches} watches, {host.instances} watchers for each user"
    if host.directories is not None and host.watches < host.directories * 1.5:
        yield Diagnosis(
            "file watching",
            Verdict.WARNING,
            f"{shown}; this project has {host.directories} directories",
            fix,
        )
    elif host.instances < 64 or host.watches < 8192:
        yield Diagnosis("file watching", Verdict.WARNING, f"only {shown}", fix)
    else:
        yield Diagnosis("file watching", Verdict.GOOD, shown)


def judge_mounts(host: HostFacts, engine: EngineFactsFound | None) -> Iterator[Diagnosis]:
    """Whether bind mounts of the project will be slow."""
    slow = _SLOW_FILESYSTEMS.get(host.filesystem)
    if slow is None and re.match(r"/mnt/[a-z](/|$)", host.directory) and "icrosoft" in host.kernel:
        slow = "a Windows drive"
    if slow is not None:
        wsl = "icrosoft" in host.kernel
        fix = "clone the repository into a directory of this machine's own disk"
        fix = "clone the repository below your Linux home directory" if wsl else fix
        yield Diagnosis("bind mounts", Verdict.WARNING, f"the project is on {slow}: slow", fix)
    elif engine is not None and "Docker Desktop" in engine.operating_system:
        yield Diagnosis(
            "bind mounts",
            Verdict.GOOD,
            "shared with Docker Desktop's machine: keep node_modules and the like in volumes",
        )
    elif host.file_milliseconds is not None and host.file_milliseconds > 2:
        yield Diagnosis(
            "bind mounts",
            Verdict.WARNING,
            f"looking at one file of the project takes {host.file_milliseconds:.1f} ms",
            "see what slows the disk: a virus scanner, a network share, a full disk",
        )
    else:
        kind = f" ({host.filesystem})" if host.filesystem else ""
        yield Diagnosis("bind mounts", Verdict.GOOD, f"on a local disk{kind}")


def judge_network(host: HostFacts, engine: EngineFactsFound | None) -> Iterator[Diagnosis]:
    """Name servers, proxies, and whether somebody opens TLS between here and the registries."""
    servers = host.resolved_nameservers or host.nameservers
    if servers and all(server.startswith("127.") or server == "::1" for server in servers):
        yield Diagnosis(
            "dns",
            Verdict.WARNING,
            f"the only name server is {servers[0]}, which containers cannot reach: they get "
            "public ones instead, and do not find names of your company",
            'name yours in /etc/docker/daemon.json: {"dns": ["ADDRESS"]}, and restart Docker',
        )
    elif servers:
        yield Diagnosis("dns", Verdict.GOOD, ", ".join(servers))
    yield from _judge_proxies(host, engine)
    for probe in host.probes:
        yield _judge_probe(probe, bool(host.proxy_variables))


def judge_images(
    images: Sequence[str], host: HostFacts, engine: EngineFactsFound | None, *, asked: bool
) -> Iterator[Diagnosis]:
    """The images that a start has to fetch: a failure where their registry is out of reach.

    `asked`: whether the network was looked at. An engine elsewhere, and one with a proxy or with
    mirrors, may reach what this machine does not.
    """
    if not images:
        return
    away = {probe.host for probe in host.probes if not (probe.resolved and probe.connected)}
    elsewhere = engine is not None and (
        not engine.is_local or bool(engine.proxies) or engine.has_mirrors
    )
    lost = [one for one in images if find_registry(one) in away]
    if lost and not (host.proxy_variables or elsewhere):
        yield Diagnosis(
            "images",
            Verdict.FAILURE,
            f"not here, and not to be fetched from {find_registry(lost[0])}: {', '.join(lost)}",
            "repair what is said of the registry, or build or load the images first",
        )
        return
    verdict = Verdict.GOOD if asked else Verdict.UNKNOWN
    yield Diagnosis("images", verdict, f"to be fetched: {', '.join(images)}")


def _judge_proxies(host: HostFacts, engine: EngineFactsFound | None) -> Iterator[Diagnosis]:
    if not host.proxy_variables:
        return
    names = ", ".join(host.proxy_variables)
    if not host.docker_proxies:
        yield Diagnosis(
            "proxy",
            Verdict.WARNING,
            f"{names} of this shell is not handed on to builds and containers",
            'add "proxies" to ~/.docker/config.json: https://docs.docker.com/engine/cli/proxy/',
        )
    if engine is not None and not engine.proxies:
        yield Diagnosis(
            "proxy",
            Verdict.WARNING,
            f"{names} of this shell is not known to the engine, which fetches images",
            "set it for the engine: https://docs.docker.com/engine/daemon/proxy/",
        )
    if host.docker_proxies and (engine is None or engine.proxies):
        yield Diagnosis("proxy", Verdict.GOOD, f"{names}, for the engine and for builds too")


def _judge_probe(probe: TlsProbe, has_proxy: bool) -> Diagnosis:
    if not probe.resolved and not has_proxy:
        return Diagnosis(
            "registry",
            Verdict.WARNING,
            f"the name {probe.host} is not found: images that are not here cannot be fetched",
            "check the network, the VPN, and /etc/resolv.conf",
        )
    if not probe.connected or not probe.resolved:
        if has_proxy:
            return Diagnosis("registry", Verdict.GOOD, f"{probe.host} only through the proxy")
        return Diagnosis(
            "registry",
            Verdict.WARNING,
            f"{probe.host} cannot be reached: images that are not here cannot be fetched",
            "check the network, the VPN, and whether a proxy is needed (HTTPS_PROXY)",
        )
    whose = f" by {probe.issuer!r}" if probe.issuer else ""
    if not probe.trusted:
        return Diagnosis(
            "tls",
            Verdict.WARNING,
            f"the certificate of {probe.host} is not trusted here: something between opens the "
            "connection, or the list of authorities is old",
            "install your company's authority on this machine and restart Docker, or update "
            "ca-certificates",
        )
    if probe.public is False:
        return Diagnosis(
            "tls",
            Verdict.WARNING,
            f"TLS to {probe.host} is opened on the way{whose}: npm, pip and the like fail in "
            "builds, where only public authorities are known",
            "copy that authority into the base image, run update-ca-certificates there, and set "
            "NODE_EXTRA_CA_CERTS, PIP_CERT and REQUESTS_CA_BUNDLE to it",
        )
    return Diagnosis("tls", Verdict.GOOD, f"{probe.host} answers with its own certificate")


def parse_numbers(text: str) -> tuple[int, int, int] | None:
    """The first version in a text such as `github.com/docker/buildx v0.29.1 1234`, or None."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def find_registry(image: str) -> str:
    """The host that an image is fetched from."""
    first, slash, _ = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first
    return "registry-1.docker.io"


def find_mount(mounts: str, path: str) -> str:
    """The type of the file system that holds a path, from the text of /proc/mounts."""
    best, kind = "", ""
    for line in mounts.splitlines():
        parts = line.split(" ")
        if len(parts) < 3:
            continue
        place = parts[1].replace("\\040", " ")
        if (posixpath.join(path, "")).startswith(posixpath.join(place, "")) and (
            len(place) >= len(best)
        ):
            best, kind = place, parts[2]
    return kind


def _size(count: int) -> str:
    return f"{count / _GIB:.1f} GiB" if count < 100 * _GIB else f"{count / _GIB:.0f} GiB"
