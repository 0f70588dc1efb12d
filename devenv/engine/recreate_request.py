"""What to ask the engine for, to get a container again from a newer image of the same name.

The old container's own configuration is taken, less what it only had from its old image: that
the new image may say otherwise. Which is which the merged model tells. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from devenv.engine.containers import LABEL_PROJECT
from devenv.values import dataclass, field

_PREFIX = LABEL_PROJECT.rpartition(".")[0] + "."
LABEL_IMAGE = f"{_PREFIX}image"
"""By it Compose sees whether a container is of the newest image."""
_LABEL_BUILDER = f"{_PREFIX}image.builder"
_ANONYMOUS = re.compile("[0-9a-f]{64}")
_SHARED = ("network_mode", "pid", "ipc", "uts", "userns_mode", "cgroup")
_OTHERS_WORK = ("post_start", "pre_stop", "provider", "models", "volumes_from", "use_api_socket")
_FROM_MODEL = {
    "command": "Cmd",
    "entrypoint": "Entrypoint",
    "user": "User",
    "working_dir": "WorkingDir",
    "stop_signal": "StopSignal",
    "hostname": "Hostname",
    "domainname": "Domainname",
    "mac_address": "MacAddress",
}
_KEPT = ("Image", "Tty", "OpenStdin", "StdinOnce", "AttachStdin", "AttachStdout", "AttachStderr")
_HEALTH = {
    "test": "Test",
    "interval": "Interval",
    "timeout": "Timeout",
    "start_period": "StartPeriod",
    "start_interval": "StartInterval",
    "retries": "Retries",
}


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """The body of a create, and what follows it."""

    body: Mapping[str, Any]
    networks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Name -> endpoint of the networks to connect to before the start; the first is in `body`."""
    renewed: tuple[tuple[str, str], ...] = ()
    """Target and name of the anonymous volumes that the new container gets others for."""


def find_hindrance(document: Mapping[str, Any], name: str) -> str | None:
    """Why only Compose can recreate a service of the merged model, or None."""
    services = document.get("services") or {}
    service = services.get(name) or {}
    for key in _OTHERS_WORK:
        if service.get(key):
            return key
    for key in _SHARED:
        if str(service.get(key) or "").startswith(("service:", "container:")):
            return key
    if service.get("entrypoint") in ([], [""]):
        return "entrypoint"
    for key in ("configs", "secrets"):
        known = document.get(key) or {}
        for use in service.get(key) or ():
            source = use.get("source") if isinstance(use, Mapping) else use
            if not (known.get(source) or {}).get("file"):
                return key  # Compose copies those into the container itself
    for other, raw in services.items():
        uses = [str(raw.get(key) or "") for key in _SHARED] + [
            f"service:{str(one).split(':')[0]}" for one in raw.get("volumes_from") or ()
        ]
        if f"service:{name}" in uses:
            return f"{other} shares it"
    return None


def make_request(
    old: Mapping[str, Any],
    old_image: Mapping[str, Any],
    new_image: Mapping[str, Any],
    service: Mapping[str, Any],
    renew: Callable[[str], bool] = lambda _: False,
) -> CreateRequest:
    """The request from three inspects and the service of the merged model.

    `renew` tells by its target whether an anonymous volume is to be filled from the new image;
    all others are carried over, as Compose does. Spec: Engine API, ContainerCreate.
    """
    before, inherited = old.get("Config") or {}, old_image.get("Config") or {}
    body = {key: before[key] for key in _KEPT if key in before}
    for key, name in _FROM_MODEL.items():
        if service.get(key) is not None and before.get(name) is not None:
            body[name] = before[name]
    if before.get("StopTimeout") is not None:
        body["StopTimeout"] = before["StopTimeout"]
    body["Env"] = _environment(before, inherited, service)
    body["Labels"] = _labels(before, inherited, service, str(new_image.get("Id") or ""))
    bound = (old.get("HostConfig") or {}).get("PortBindings") or {}
    body["ExposedPorts"] = {
        port: {}
        for port in before.get("ExposedPorts") or {}
        if port in bound or port not in (inherited.get("ExposedPorts") or {})
    }
    health = before.get("Healthcheck") or {}
    written = service.get("healthcheck") or {}
    keys = ["test"] if written.get("disable") else [key for key in _HEALTH if key in written]
    if keys:
        body["Healthcheck"] = {
            _HEALTH[key]: health[_HEALTH[key]] for key in keys if _HEALTH[key] in health
        }
    mounts, renewed = _mounts(old, old_image, new_image, service, renew)
    body["HostConfig"] = {**(old.get("HostConfig") or {}), "Mounts": mounts}
    networks = _networks(old, service)
    first = str(body["HostConfig"].get("NetworkMode") or "")
    if first in networks:
        body["NetworkingConfig"] = {"EndpointsConfig": {first: networks.pop(first)}}
    return CreateRequest(body, networks, renewed)


def _environment(
    before: Mapping[str, Any], inherited: Mapping[str, Any], service: Mapping[str, Any]
) -> list[str]:
    """Without what the old image alone set; an entry without `=` unsets the image's."""
    own = service.get("environment") or {}
    of_image = inherited.get("Env") or ()
    return [
        entry
        for entry in before.get("Env") or ()
        if entry.partition("=")[0] in own or entry not in of_image
    ]


def _labels(
    before: Mapping[str, Any],
    inherited: Mapping[str, Any],
    service: Mapping[str, Any],
    image_id: str,
) -> dict[str, str]:
    own = service.get("labels") or {}
    of_image = inherited.get("Labels") or {}
    kept = {
        key: value
        for key, value in (before.get("Labels") or {}).items()
        if key in own
        or (key.startswith(_PREFIX) and key != _LABEL_BUILDER)
        or of_image.get(key) != value
    }
    return {**kept, LABEL_IMAGE: image_id}


def _mounts(
    old: Mapping[str, Any],
    old_image: Mapping[str, Any],
    new_image: Mapping[str, Any],
    service: Mapping[str, Any],
    renew: Callable[[str], bool],
) -> tuple[list[dict[str, Any]], tuple[tuple[str, str], ...]]:
    """The mounts to ask for, and the volumes that others are made for."""
    written = {
        str(one.get("target")).rstrip("/"): one
        for one in service.get("volumes") or ()
        if one.get("type") == "volume" and not one.get("source")
    }
    wanted = set(written) | set((new_image.get("Config") or {}).get("Volumes") or {})
    anonymous = wanted | set((old_image.get("Config") or {}).get("Volumes") or {})
    asked = list((old.get("HostConfig") or {}).get("Mounts") or ())
    names = {
        str(one.get("Destination")): str(one.get("Name") or "")
        for one in old.get("Mounts") or ()
        if one.get("Type") == "volume"
    }
    named = {
        str(one.get("target")).rstrip("/")
        for one in service.get("volumes") or ()
        if one.get("source")
    }
    kept: list[dict[str, Any]] = []
    renewed: list[tuple[str, str]] = []
    for mount in asked:
        target = str(mount.get("Target"))
        if target not in anonymous or target in named:
            kept.append(dict(mount))
    for target in sorted(anonymous - named):
        before = next((dict(one) for one in asked if one.get("Target") == target), {})
        before.pop("Source", None)
        name = names.get(target, "")
        if target in wanted and name and not renew(target):
            kept.append({**before, "Type": "volume", "Source": name, "Target": target})
            continue
        if renew(target) and _ANONYMOUS.fullmatch(name):
            renewed.append((target, name))
        if target in written:
            kept.append({"VolumeOptions": {}, **before, "Type": "volume", "Target": target})
    return kept, tuple(renewed)


def _networks(old: Mapping[str, Any], service: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Name -> endpoint, in the old container's order; none for `host`, `none` and the like."""
    mode = str((old.get("HostConfig") or {}).get("NetworkMode") or "")
    if mode in ("host", "none"):
        return {}
    own = str(old.get("Id") or "")[:12]
    macs = {
        str((raw or {}).get("mac_address"))
        for raw in (service.get("networks") or {}).values()
        if isinstance(raw, Mapping)
    }
    macs.add(str(service.get("mac_address")))
    found: dict[str, dict[str, Any]] = {}
    for name, raw in ((old.get("NetworkSettings") or {}).get("Networks") or {}).items():
        endpoint = {key: raw[key] for key in ("IPAMConfig", "Links", "DriverOpts") if raw.get(key)}
        endpoint["Aliases"] = [one for one in raw.get("Aliases") or () if one != own]
        if raw.get("GwPriority"):
            endpoint["GwPriority"] = raw["GwPriority"]
        if str(raw.get("MacAddress")) in macs:
            endpoint["MacAddress"] = raw["MacAddress"]
        found[name] = endpoint
    return found
