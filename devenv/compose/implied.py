"""What Compose adds to a model of its own: defaults, and the needs that other keys imply.

Spec: compose-go loader/normalize.go. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from devenv.compose.layers import Entry, Layers, items, scalar

_NAMESPACES = ("network_mode", "ipc", "pid", "uts", "cgroup")
_LISTS = ("links", "volumes_from")


def find_implied_need(layers: Layers, service: str, needed: str) -> tuple[str, Entry] | None:
    """The key that makes a service depend on another one without `depends_on`, and its place.

    `network_mode: service:db` and its like, `links`, `volumes_from`; the first that Compose reads.
    """
    for key in _LISTS[:1]:
        if entry := _in_list(layers, service, key, needed):
            return key, entry
    for key in _NAMESPACES:
        found = layers.find("services", service, key)
        if found is not None and scalar(found.value) == f"service:{needed}":
            return key, found
    for key in _LISTS[1:]:
        if entry := _in_list(layers, service, key, needed):
            return key, entry
    return None


def implied_condition(key: str) -> dict[str, object]:
    """The long form of a need that a key other than `depends_on` implies."""
    return {
        "condition": "service_started",
        "required": True,
        "restart": key != "volumes_from",
    }


def _in_list(layers: Layers, service: str, key: str, needed: str) -> Entry | None:
    for entry in layers.find_all("services", service, key):
        for item in items(entry.value):
            if (scalar(item) or "").split(":")[0] == needed:
                return Entry(entry.path, item, item)
    return None


def is_default(document: Mapping[str, Any], names: Sequence[str], value: object) -> bool:
    """Whether Compose sets this value at these keys where no file does."""
    project = document.get("name")
    last = names[-1]
    top = names[0]
    if len(names) == 3 and last == "name" and top in ("networks", "volumes", "configs", "secrets"):
        outside = document[top][names[1]].get("external") is True
        return bool(value == (names[1] if outside else f"{project}_{names[1]}"))
    return (
        names == ("name",)
        or (last == "dockerfile" and value == "Dockerfile")
        or (tuple(names[-2:]) == ("build", "context"))
        or (last == "required" and value is True)
        or (top == "networks" and last == "ipam" and value == {})
        or (tuple(names[-2:]) == ("networks", "default") and value is None)
        or (last in ("command", "entrypoint") and value is None)
        or (names[2:3] == ("deploy",) and value == {})
        or (tuple(names) == ("services",) and value == {})
    )


def expand_device(text: str) -> dict[str, Any] | None:
    """The long form of a device such as `/dev/fuse:/dev/fuse:rw`; None for what is none."""
    source, *rest = text.split(":")
    if not source or len(rest) > 2:
        return None
    return {
        "source": source,
        "target": (rest and rest[0]) or source,
        "permissions": rest[1] if len(rest) == 2 else "rwm",
    }
