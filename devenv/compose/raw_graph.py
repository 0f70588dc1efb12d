"""What waits on what, read from the Compose texts alone, for models that Compose refuses.

An approximate merge of just the keys that make edges (`depends_on`, `links`, `volumes_from`,
`service:` namespaces), of `profiles` and of `extends`, with `!reset` and `!override`. Variables
are not resolved: a name with a `$` in it makes no edge, and a profile with one may be active.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import yaml

from devenv.compose.layers import (
    Entry,
    Layer,
    Layers,
    child,
    entries,
    items,
    resolve_path,
    scalar,
)
from devenv.compose.model import Condition
from devenv.values import dataclass, field

_RESET = "!reset"
_OVERRIDE = "!override"
_NAMESPACES = ("network_mode", "ipc", "pid")
_MAX_DEPTH = 20
"""Of an `extends` chain; more is a loop."""


@dataclass(frozen=True, slots=True)
class RawEdge:
    """The owner waits on `service` because of `key`, which is written at `place`."""

    service: str
    key: str
    """`depends_on`, or the key that implies the edge."""
    place: Entry
    condition: str = Condition.STARTED.value
    """As it is written, which need not be a condition that Compose knows."""
    required: bool = True


@dataclass(frozen=True, slots=True)
class RawService:
    """A service as the texts have it."""

    name: str
    place: Entry
    edges: tuple[RawEdge, ...] = ()
    profiles: tuple[str, ...] = ()

    def is_active(self, active: Collection[str]) -> bool:
        """Whether the active Compose profiles select it; a profile with a variable may be."""
        return (
            not self.profiles
            or "*" in active
            or any(profile in active or "$" in profile for profile in self.profiles)
        )


@dataclass(frozen=True, slots=True)
class RawGraph:
    """All services, whatever their Compose profiles."""

    services: Mapping[str, RawService] = field(default_factory=dict)
    is_complete: bool = True
    """False where a file that may hold services was not read: a remote include, no YAML."""

    def edges(self) -> dict[str, set[str]]:
        """Service to the services that it waits on, which may be ones that nothing defines."""
        return {
            name: {edge.service for edge in service.edges}
            for name, service in self.services.items()
        }


@dataclass(slots=True)
class _Merged:
    """A service while its layers are put together."""

    place: Entry
    depends_on: dict[str, RawEdge] = field(default_factory=dict)
    links: list[RawEdge] = field(default_factory=list)
    volumes_from: list[RawEdge] = field(default_factory=list)
    namespaces: dict[str, RawEdge] = field(default_factory=dict)
    profiles: list[str] = field(default_factory=list)

    def finish(self, name: str) -> RawService:
        """One edge for each service waited on; `depends_on` is the first to be named."""
        edges: dict[str, RawEdge] = dict(self.depends_on)
        for edge in (*self.links, *self.volumes_from, *self.namespaces.values()):
            edges.setdefault(edge.service, edge)
        return RawService(name, self.place, tuple(edges.values()), tuple(self.profiles))


def parse_raw_graph(layers: Layers) -> RawGraph:
    """The graph of all files of a selection together."""
    merged: dict[str, _Merged] = {}
    is_complete = bool(layers.layers)
    for layer in layers.layers:
        is_complete = is_complete and layer.root is not None and _includes_are_read(layers, layer)
        services = child(layer.path, layer.root, "services")
        if services is None:
            continue
        if services.value.tag in (_RESET, _OVERRIDE):
            merged.clear()
        for key, value in entries(services.value):
            name = str(key.value)
            if value.tag in (_RESET, _OVERRIDE):
                merged.pop(name, None)
            if value.tag == _RESET:
                continue
            service = merged.setdefault(name, _Merged(Entry(layer.path, key, value)))
            _apply_service(service, layers, layer, value)
    return RawGraph({name: one.finish(name) for name, one in merged.items()}, is_complete)


def _includes_are_read(layers: Layers, layer: Layer) -> bool:
    include = child(layer.path, layer.root, "include")
    written: list[str | None] = []
    for item in items(include.value) if include else ():
        path = child(layer.path, item, "path")
        node = path.value if path else item
        written += [scalar(one) for one in items(node) or [node]]
    return all(
        name is not None
        and (beside := layers.by_path.get(resolve_path(layer.path, layers.directory, name)))
        and beside.root is not None
        for name in written
    )


def _apply_service(service: _Merged, layers: Layers, layer: Layer, node: yaml.Node) -> None:
    """Put one file's part of a service over what weaker files said; what it extends goes first."""
    for path, part in reversed(_extends_chain(layers, layer, node)):
        _apply_depends_on(service, path, part)
        _apply_list(service.links, path, part, "links")
        _apply_list(service.volumes_from, path, part, "volumes_from")
        for key in _NAMESPACES:
            _apply_namespace(service, path, part, key)
        _apply_profiles(service, path, part)


def _extends_chain(layers: Layers, layer: Layer, node: yaml.Node) -> list[tuple[str, yaml.Node]]:
    """The service's own text in a file, then what it extends, and so on."""
    chain = [(layer.path, node)]
    while len(chain) < _MAX_DEPTH:
        extends = child(layer.path, node, "extends")
        if extends is None:
            break
        service = child(layer.path, extends.value, "service")
        file = child(layer.path, extends.value, "file")
        name = scalar(service.value) if service else scalar(extends.value)
        written = scalar(file.value) if file else None
        if written is not None:
            target = layers.by_path.get(resolve_path(layer.path, layers.directory, written))
            if target is None:
                break
            layer = target
        services = child(layer.path, layer.root, "services")
        base = child(layer.path, services.value, name) if services and name else None
        if base is None:
            break
        node = base.value
        chain.append((layer.path, node))
    return chain


def _apply_depends_on(service: _Merged, path: str, part: yaml.Node) -> None:
    written = child(path, part, "depends_on")
    if written is None:
        return
    if written.value.tag in (_RESET, _OVERRIDE):
        service.depends_on.clear()
    if written.value.tag == _RESET:
        return
    for item in items(written.value):
        name = scalar(item)
        if name and "$" not in name:
            service.depends_on[name] = RawEdge(name, "depends_on", Entry(path, item, item))
    for key, value in entries(written.value):
        name = str(key.value)
        if value.tag == _RESET:
            service.depends_on.pop(name, None)
        elif "$" not in name:
            condition = child(path, value, "condition")
            required = child(path, value, "required")
            service.depends_on[name] = RawEdge(
                name,
                "depends_on",
                Entry(path, key, value),
                (scalar(condition.value) if condition else None) or Condition.STARTED.value,
                required is None or (scalar(required.value) or "").lower() != "false",
            )


def _apply_list(edges: list[RawEdge], path: str, part: yaml.Node, key: str) -> None:
    written = child(path, part, key)
    if written is None:
        return
    if written.value.tag in (_RESET, _OVERRIDE):
        edges.clear()
    for item in items(written.value) if written.value.tag != _RESET else ():
        text = scalar(item) or ""
        name = text.split(":")[0]
        if name and "$" not in text and not (key == "volumes_from" and name == "container"):
            edges.append(RawEdge(name, key, Entry(path, item, item)))


def _apply_namespace(service: _Merged, path: str, part: yaml.Node, key: str) -> None:
    written = child(path, part, key)
    if written is None:
        return
    service.namespaces.pop(key, None)
    text = scalar(written.value) or ""
    name = text.removeprefix("service:")
    if written.value.tag != _RESET and name and name != text and "$" not in name:
        service.namespaces[key] = RawEdge(name, key, written)


def _apply_profiles(service: _Merged, path: str, part: yaml.Node) -> None:
    written = child(path, part, "profiles")
    if written is None:
        return
    if written.value.tag in (_RESET, _OVERRIDE):
        service.profiles.clear()
    for item in items(written.value) if written.value.tag != _RESET else ():
        name = scalar(item)
        if name:
            service.profiles.append(name)
