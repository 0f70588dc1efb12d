"""What `docker compose up` would let a project's containers, or Compose itself, do to this machine.

Read from the merged model. A container is no wall against a project that opens these doors, so
they are shown before the first start. What is usual for development is none of them: named
volumes, published ports, bind mounts below the repository, builds from it, also with the machine's
network, as they need it behind a proxy.
"""

from __future__ import annotations

import os.path
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

from devenv.compose.model import Project
from devenv.values import dataclass

_SOCKETS = ("docker.sock", "podman.sock", "containerd.sock", "dockerd.sock")
_WHOLE_MACHINE = ("/", "/etc", "/proc", "/sys", "/dev", "/root", "/home", "/var/run", "/run")
_NAMESPACES = {
    "network_mode": "the machine's network, with what listens on localhost",
    "pid": "the machine's processes",
    "ipc": "the machine's shared memory",
    "uts": "the machine's host name",
    "userns_mode": "the machine's users: root inside is root outside",
    "cgroup": "the machine's control groups",
}
_LOOSE = ("unconfined", "disable", "systempaths=unconfined")


@dataclass(frozen=True, slots=True)
class HostAccess:
    """One door."""

    service: str | None
    """None: of the project as a whole."""
    key: str
    """Where it stands in the model, such as `services.app.privileged`."""
    text: str
    """What it opens, as a sentence part."""

    @property
    def line(self) -> str:
        return f"{self.service or 'project'}: {self.text} ({self.key})"


Resolve = Callable[[str], str]


def find_host_access(
    project: Project, top: str, resolve: Resolve = os.path.normpath
) -> tuple[HostAccess, ...]:
    """The doors in the order of services and keys.

    `top` is the repository's top directory, absolute: what lies below it is the project's own.
    `resolve` says where a path leads to: the engine follows links, so one inside may lead outside.
    """
    place = _Places(top, resolve)
    document = project.document
    found: list[HostAccess] = []
    for name, raw in sorted((document.get("services") or {}).items()):
        for key, text in _find_in_service(raw or {}, place):
            found.append(HostAccess(name, f"services.{name}.{key}", text))
    for name, raw in sorted((document.get("volumes") or {}).items()):
        options = (raw or {}).get("driver_opts") or {}
        device = str(options.get("device") or "")
        if "bind" in str(options.get("o") or "") and device and place.outside(device):
            key = f"volumes.{name}.driver_opts.device"
            found.append(HostAccess(None, key, f"the volume {name} is {place.outside(device)}"))
    for kind in ("secrets", "configs"):
        for name, raw in sorted((document.get(kind) or {}).items()):
            file = str((raw or {}).get("file") or "")
            if file and (outside := place.outside(file)):
                found.append(HostAccess(None, f"{kind}.{name}.file", f"reads {outside}"))
    return tuple(found)


def _find_in_service(raw: Mapping[str, Any], place: _Places) -> Iterator[tuple[str, str]]:
    if raw.get("privileged"):
        yield "privileged", "all of the machine: privileged"
    for key, text in _NAMESPACES.items():
        if raw.get(key) == "host":
            yield key, text
    if raw.get("use_api_socket"):
        yield "use_api_socket", "the Docker engine, and so all of the machine"
    provider = raw.get("provider") or {}
    if provider:
        yield "provider", f"Compose runs the program {provider.get('type')} on this machine"
    capabilities = [str(one) for one in raw.get("cap_add") or ()]
    if capabilities:
        yield "cap_add", f"kernel capabilities: {', '.join(capabilities)}"
    devices = [_device(one) for one in raw.get("devices") or ()]
    if devices:
        yield "devices", f"devices: {', '.join(devices)}"
    if raw.get("device_cgroup_rules"):
        yield "device_cgroup_rules", "devices by rule"
    loose = [str(one) for one in raw.get("security_opt") or () if _is_loose(str(one))]
    if loose:
        yield "security_opt", f"without a guard: {', '.join(loose)}"
    if raw.get("cgroup_parent"):
        yield "cgroup_parent", f"the control group {raw['cgroup_parent']}"
    for index, source in enumerate(raw.get("volumes_from") or ()):
        if str(source).startswith("container:"):
            yield f"volumes_from[{index}]", f"the volumes of the container {str(source)[10:]}"
    for key in ("network_mode", "pid", "ipc"):
        if str(raw.get(key) or "").startswith("container:"):
            yield key, f"another container's: {raw[key]}"
    yield from _find_mounts(raw, place)
    yield from _find_in_build(raw.get("build") or {}, place)
    for hook in ("post_start", "pre_stop"):
        if any((one or {}).get("privileged") for one in raw.get(hook) or ()):
            yield hook, "all of the machine: a privileged command"


def _find_mounts(raw: Mapping[str, Any], place: _Places) -> Iterator[tuple[str, str]]:
    for index, mount in enumerate(raw.get("volumes") or ()):
        source = str(mount.get("source") or "")
        if mount.get("type") not in ("bind", "npipe") or not source:
            continue
        if PurePath(source).name.endswith(_SOCKETS):
            yield f"volumes[{index}]", f"the engine's socket {source}, and so all of the machine"
        elif outside := place.outside(source):
            how = "reads" if mount.get("read_only") else "reads and writes"
            yield f"volumes[{index}]", f"{how} {outside}"


def _find_in_build(build: Mapping[str, Any], place: _Places) -> Iterator[tuple[str, str]]:
    if build.get("privileged"):
        yield "build.privileged", "all of the machine while it is built: privileged"
    if build.get("ssh"):
        yield "build.ssh", "your ssh keys while it is built"
    if build.get("entitlements"):
        allowed = ", ".join(map(str, build["entitlements"]))
        yield "build.entitlements", f"more than a build may: {allowed}"
    contexts = {"build.context": str(build.get("context") or "")}
    for name, value in (build.get("additional_contexts") or {}).items():
        contexts[f"build.additional_contexts.{name}"] = str(value or "")
    for key, context in contexts.items():
        if context.startswith("/") and (outside := place.outside(context)):
            yield key, f"reads {outside} while it is built"


def _device(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("source") or value.get("target") or value)
    return str(value).split(":")[0]


def _is_loose(option: str) -> bool:
    return option.partition("no-new-privileges")[1] == "" and any(
        option == word or option.endswith((f":{word}", f"={word}")) for word in _LOOSE
    )


class _Places:
    """Which paths of the machine are not the repository's."""

    def __init__(self, top: str, resolve: Resolve) -> None:
        self._top = resolve(top)
        self._resolve = resolve

    def outside(self, path: str) -> str | None:
        """The path as it is shown where it leads out of the repository, else None."""
        if not path.startswith("/"):
            return None
        path = os.path.normpath(path)
        real = self._resolve(path)
        if real == self._top or real.startswith(self._top.rstrip("/") + "/"):
            return None
        shown = f"{real} of this machine" if real in _WHOLE_MACHINE else real
        is_link = path == self._top or path.startswith(self._top.rstrip("/") + "/")
        return f"{shown} (through the link {path})" if is_link else shown
