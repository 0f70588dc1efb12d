"""The lines of the Compose files that stand behind a decision."""

from __future__ import annotations

import posixpath

from devenv.compose.layers import Entry, Layers, entries, items, scalar
from devenv.compose.watch.mounts import Mount
from devenv.compose.watch.rules import WatchRule
from devenv.compose.watch.values import Place


def key_place(layers: Layers, *keys: str) -> Place | None:
    """Where a key is set, or the nearest above it within its service."""
    source = layers.source(*keys)
    return Place(source.path, source.line) if source else None


def mount_place(layers: Layers, mount: Mount) -> Place | None:
    """Where a mount is asked for; the list where its own item cannot be told."""
    for entry in layers.find_all("services", mount.service, mount.key):
        nodes = items(entry.value) or ([entry.value] if scalar(entry.value) else [])
        for node in nodes:
            if _mounts(scalar(node), mount) or _mounts_long(Entry(entry.path, node, node), mount):
                return Place(entry.path, node.start_mark.line + 1)
    return key_place(layers, "services", mount.service, mount.key)


def _mounts(written: str | None, mount: Mount) -> bool:
    if written is None:
        return False
    if mount.key in ("configs", "secrets"):
        return written == mount.name
    target = mount.target
    ends = (target, target + "/")
    words = written.rstrip()
    if posixpath.normpath(words) == target:
        return True
    return any(words.endswith(":" + end) or f":{end}:" in words for end in ends)


def _mounts_long(entry: Entry, mount: Mount) -> bool:
    found = {str(key.value): scalar(value) for key, value in entries(entry.value)}
    if mount.key in ("configs", "secrets"):
        return found.get("source") == mount.name
    return posixpath.normpath(found.get("target") or "/nowhere") == mount.target


def rule_place(layers: Layers, service: str, rule: WatchRule) -> Place | None:
    """Where a rule of `develop.watch` stands."""
    for entry in layers.find_all("services", service, "develop", "watch"):
        for node in items(entry.value):
            found = {str(key.value): scalar(value) for key, value in entries(node)}
            written = found.get("path")
            if written is None or found.get("action") != rule.action.value:
                continue
            base = posixpath.dirname(entry.path)
            if posixpath.normpath(posixpath.join(base, written)) == rule.path:
                return Place(entry.path, node.start_mark.line + 1)
    return key_place(layers, "services", service, "develop", "watch")


def env_file_place(layers: Layers, service: str, path: str) -> Place | None:
    """Where a service's `env_file` names a path."""
    for entry in layers.find_all("services", service, "env_file"):
        nodes = items(entry.value) or [entry.value]
        for node in nodes:
            written = scalar(node)
            if written is None:
                written = next((scalar(v) for k, v in entries(node) if str(k.value) == "path"), "")
            base = posixpath.dirname(entry.path)
            if posixpath.normpath(posixpath.join(base, written or "")) == path:
                return Place(entry.path, node.start_mark.line + 1)
    return key_place(layers, "services", service, "env_file")
