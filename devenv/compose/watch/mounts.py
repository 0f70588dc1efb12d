"""What a service's container sees through its mounts: bind mounts, volumes, tmpfs, configs.

Spec: compose-spec 05-services.md#volumes, #tmpfs, #configs, #secrets, #volumes_from.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from typing import Any

from devenv.compose.watch.tools import Area
from devenv.compose.watch.tools.effect import is_within
from devenv.values import dataclass, replace

_OUTPUT_FOLDERS = frozenset(
    ("dist", "build", "out", "public", "static", "staticfiles", "bin", "lib", "assets", "target")
)
"""A volume of such a name within what a build wrote is taken to hold its results."""


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount. `source` is the absolute host path of a bind, else ""."""

    kind: str
    """`bind`, `volume` or `tmpfs`."""
    source: str
    target: str
    key: str
    """The Compose key that asks for it: `volumes`, `tmpfs`, `configs` or `secrets`."""
    name: str = ""
    """Of the config, secret or named volume."""
    service: str = ""
    """Whose key it is: another service's with `volumes_from`."""
    real: str = ""
    """The source of a bind where a symbolic link leads to it, else ""."""

    def find_below(self, path: str) -> str | None:
        """The part of a host path below the source; None where it is not in it."""
        for source in (self.source, self.real):
            if source and is_within(path, source):
                return path[len(source) :].strip("/") if source != "/" else path[1:]
        return None


class MountTable:
    """The mounts of one service; the deepest one over a path counts."""

    def __init__(self, mounts: tuple[Mount, ...], directory: str = "") -> None:
        self.mounts = mounts
        self._directory = directory

    def find_over(self, path: str) -> Mount | None:
        """The mount that a container path lies in, or None: it is the image's own."""
        found: Mount | None = None
        for mount in self.mounts:
            covers = is_within(path, mount.target)
            if covers and (found is None or len(mount.target) >= len(found.target)):
                found = mount
        return found

    def locate(self, path: str) -> list[tuple[str, Mount]]:
        """Where the container sees a host path, by which mount; nothing that another hides."""
        found = []
        for mount in self.mounts:
            below = mount.find_below(path) if mount.kind == "bind" else None
            if below is None or self._is_of_the_machine(mount):
                continue
            inside = posixpath.normpath(posixpath.join(mount.target, below))
            if self.find_over(inside) is mount:
                found.append((inside, mount))
        return found

    def _is_of_the_machine(self, mount: Mount) -> bool:
        """A mount of `/` or `/home`, as monitors have: it says nothing about this project."""
        above = self._directory != mount.source and is_within(self._directory, mount.source)
        return above and mount.source.strip("/").count("/") == 0 and bool(self._directory)

    def find_hiding(self, path: str) -> Mount | None:
        """The volume or tmpfs that hides what a bind mount would show of a host path."""
        for mount in self.mounts:
            below = mount.find_below(path) if mount.kind == "bind" else None
            if below is not None:
                over = self.find_over(posixpath.normpath(posixpath.join(mount.target, below)))
                if over is not None and over is not mount:
                    return over
        return None

    def shows_image(self, path: str) -> bool:
        """Whether the container sees the image's content at a path.

        A volume counts: it is filled from the image when it is new.
        """
        over = self.find_over(path)
        return over is None or over.kind == "volume"

    def shows_area(self, area: Area) -> bool:
        """Whether the container sees any of what a RUN wrote."""
        if area.path == "*":
            return True
        volumes = [mount.target for mount in self.mounts if mount.kind == "volume"]
        if area.deep is not None:
            own = posixpath.join(area.path, area.deep)
            deep = [v for v in volumes if is_within(v, area.path) and v.endswith("/" + area.deep)]
            return self.shows_image(own) or bool(deep)
        if self.shows_image(area.path):
            return True
        below = [v for v in volumes if is_within(v, area.path)]
        return any(posixpath.basename(volume) in _OUTPUT_FOLDERS for volume in below)


def resolve_mounts(
    document: Mapping[str, Any], name: str, directory: str, resolve: Callable[[str], str]
) -> MountTable:
    """The mounts of a service of the model's document, those of `volumes_from` first.

    `directory` is the project's; `resolve` gives a path without symbolic links.
    """
    found = []
    for mount in _mounts(document, name, set()):
        real = resolve(mount.source) if mount.source else ""
        found.append(replace(mount, real=real) if real != mount.source else mount)
    return MountTable(tuple(found), directory)


def _mounts(document: Mapping[str, Any], name: str, seen: set[str]) -> list[Mount]:
    services = document.get("services") or {}
    raw = services.get(name) or {}
    if name in seen:
        return []
    seen.add(name)
    found: list[Mount] = []
    for other in raw.get("volumes_from") or ():
        owner = str(other).split(":")[0]
        if owner in services:
            found += _mounts(document, owner, seen)
    for volume in raw.get("volumes") or ():
        found.append(_volume(document, volume, name))
    for entry in _listed(raw.get("tmpfs")):
        target = posixpath.normpath(str(entry).split(":")[0])
        found.append(Mount("tmpfs", "", target, "tmpfs", service=name))
    for key, default in (("configs", "/{}"), ("secrets", "/run/secrets/{}")):
        known = document.get(key) or {}
        for use in raw.get(key) or ():
            source = use.get("source") if isinstance(use, dict) else use
            file = (known.get(source) or {}).get("file")
            if not file:
                continue
            written = (use.get("target") if isinstance(use, dict) else None) or str(source)
            target = written if written.startswith("/") else default.format(written)
            found.append(Mount("bind", _clean(file), target, key, str(source), name))
    return found


def _volume(document: Mapping[str, Any], volume: Mapping[str, Any], service: str) -> Mount:
    kind = volume.get("type", "volume")
    source = volume.get("source") or ""
    target = posixpath.normpath(volume.get("target") or "/")
    if kind == "bind":
        return Mount("bind", _clean(source), target, "volumes", service=service)
    if kind == "volume" and source:
        options = ((document.get("volumes") or {}).get(source) or {}).get("driver_opts") or {}
        device = str(options.get("device") or "")
        if "bind" in str(options.get("o") or "") and device.startswith("/"):
            return Mount("bind", _clean(device), target, "volumes", source, service)
        return Mount("volume", "", target, "volumes", source, service)
    return Mount("tmpfs" if kind == "tmpfs" else "volume", "", target, "volumes", "", service)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _clean(path: str) -> str:
    return posixpath.normpath(path)
