"""Which variables each Compose file of a selection sees, where it uses them, and env files.

A scope is what interpolates one file: the shell's variables, then the profile's, then env
files; an included file adds its own. Pure: texts come from `read`.
Spec: compose-go cli/options.go, loader/include.go, types/project.go.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import yaml

from devenv.compose.env_entries import EnvFile, ResolvedEnv
from devenv.compose.env_file import parse_env_file, parse_raw_env_file
from devenv.compose.env_values import resolve_env_values
from devenv.compose.interpolation import Interpolated, Reference, find_references, interpolate
from devenv.compose.layers import (
    Entry,
    Layer,
    Layers,
    child,
    entries,
    items,
    scalar,
)
from devenv.values import dataclass, replace

Read = Callable[[str], str | None]
"""An absolute path to its text; None where there is no such file, or no text."""

_OVERRIDE = "!override"
_RESET = "!reset"
_ALWAYS_SET = ("COMPOSE_PROJECT_NAME", "PWD")
"""Compose sets them itself for interpolation."""


@dataclass(frozen=True, slots=True)
class EnvSource:
    """An env file of a scope, read on top of those before it."""

    path: str
    file: EnvFile
    resolved: ResolvedEnv
    named_at: Entry | None = None
    """Where an `include` names it; None for those of the project."""
    exists: bool = True


@dataclass(frozen=True, slots=True)
class Scope:
    """What a Compose file's variables stand for."""

    directory: str
    """What the file's relative paths start from."""
    values: Mapping[str, str]
    sources: tuple[EnvSource, ...] = ()
    """Its own env files, in the order in which they are read."""

    def interpolate(self, text: str) -> Interpolated:
        """A text of the file as Compose has it."""
        return interpolate(text, self.values.get)


@dataclass(frozen=True, slots=True)
class VariableUse:
    """A reference in a Compose file; line and column count from 1."""

    path: str
    line: int
    column: int
    keys: tuple[str, ...]
    """The keys that lead there, list items by their index."""
    reference: Reference
    text: str
    """The whole scalar that holds it."""

    @property
    def service(self) -> str | None:
        """The service that it stands in, if any."""
        return self.keys[1] if len(self.keys) > 2 and self.keys[0] == "services" else None


@dataclass(frozen=True, slots=True)
class ServiceEnvFile:
    """A file of a service's `env_file`."""

    service: str
    path: str
    written: str
    place: Entry
    required: bool = True
    is_raw: bool = False


def resolve_scopes(
    layers: Layers, env_files: Sequence[str], shell: Mapping[str, str], read: Read
) -> dict[str, Scope]:
    """Path of each Compose file to its scope; "" to that of the project itself."""
    always = dict.fromkeys(_ALWAYS_SET, "")
    project = _open_scope(layers.directory, dict(shell), env_files, read, None)
    project = replace(project, values={**always, **project.values})
    scopes = {"": project}
    # From the last file up: one that includes others stands after them.
    pending = [(layer.path, project) for layer in layers.layers]
    while pending:
        path, scope = pending.pop()
        if path in layers.by_path and path not in scopes:
            scopes[path] = scope
            pending += _follow(layers.by_path[path], scope, read)
    for path in layers.by_path:
        scopes.setdefault(path, project)
    return scopes


def find_uses(layers: Layers) -> tuple[VariableUse, ...]:
    """Every reference in the texts, in the order of files and of places in them."""
    uses: list[VariableUse] = []
    for layer in layers.by_path.values():
        if "$" in layer.text:
            for keys, node in _scalars(layer.root):
                value = str(node.value)
                if "$" in value:
                    uses += _uses_in(layer.path, layer.text, keys, node, value)
    return tuple(uses)


def find_scalars(layers: Layers) -> Iterator[tuple[str, tuple[str, ...], yaml.ScalarNode]]:
    """Path, keys and node of every value that is written in the texts, each once."""
    for layer in layers.by_path.values():
        for keys, node in _scalars(layer.root):
            yield layer.path, keys, node


def find_service_env_files(
    layers: Layers, scopes: Mapping[str, Scope], services: Iterable[str] | None = None
) -> tuple[ServiceEnvFile, ...]:
    """The `env_file`s of services, those that come first in a service being read first.

    Names with variables are resolved. A file that is named twice for a service counts once.
    """
    found: list[ServiceEnvFile] = []
    for service in layers.service_names() if services is None else services:
        listed: dict[str, ServiceEnvFile] = {}
        for entry in reversed(layers.find_all("services", service, "env_file")):
            if entry.value.tag in (_OVERRIDE, _RESET):
                listed.clear()
            if entry.value.tag == _RESET:
                continue
            scope = scopes.get(entry.path) or scopes[""]
            for one in _env_files_of(service, entry, scope):
                listed.setdefault(one.path, one)
        found += listed.values()
    return tuple(found)


def find_service_variables(
    layers: Layers, scopes: Mapping[str, Scope], service: str
) -> dict[str, tuple[str | None, Entry]]:
    """`environment:` of a service, merged: name to value (None for a bare name) and place."""
    merged: dict[str, tuple[str | None, Entry]] = {}
    for entry in reversed(layers.find_all("services", service, "environment")):
        if entry.value.tag in (_OVERRIDE, _RESET):
            merged.clear()
        if entry.value.tag == _RESET:
            continue
        scope = scopes.get(entry.path) or scopes[""]
        for key, value in entries(entry.value):
            merged[str(key.value)] = (_value_of(value, scope), Entry(entry.path, key, value))
        for item in items(entry.value):
            text = scope.interpolate(scalar(item) or "").value
            name, separator, value_text = text.partition("=")
            merged[name] = (value_text if separator else None, Entry(entry.path, item, item))
    return merged


def parse_service_env_file(text: str, is_raw: bool) -> EnvFile:
    """An `env_file` in its format."""
    return parse_raw_env_file(text) if is_raw else parse_env_file(text)


def _value_of(node: yaml.Node, scope: Scope) -> str | None:
    if not isinstance(node, yaml.ScalarNode) or node.tag == "tag:yaml.org,2002:null":
        return None
    return scope.interpolate(str(node.value)).value


def _open_scope(
    directory: str,
    above: dict[str, str],
    env_files: Sequence[str],
    read: Read,
    named_at: Entry | None,
) -> Scope:
    """What is set above wins over the files; of the files, a later one."""
    sources: list[EnvSource] = []
    known: Mapping[str, str] = {}
    for path in env_files:
        text = read(path)
        file = parse_env_file(text or "")
        resolved = resolve_env_values(file.entries, above.get, known)
        known = resolved.values
        sources.append(EnvSource(path, file, resolved, named_at, text is not None))
    return Scope(directory, {**known, **above}, tuple(sources))


def _follow(layer: Layer, scope: Scope, read: Read) -> Iterator[tuple[str, Scope]]:
    """The files that one includes or extends from, with their scopes."""
    include = child(layer.path, layer.root, "include")
    for node in items(include.value) if include else ():
        paths = [_join(scope, text) for text in _texts(layer.path, node, "path")]
        if not paths:
            continue
        directory = posixpath.dirname(paths[0])
        project = child(layer.path, node, "project_directory") if entries(node) else None
        if project is not None and scalar(project.value):
            directory = _join(scope, str(project.value.value))
        named = child(layer.path, node, "env_file") if entries(node) else None
        if named is not None:
            env_files = [_join(scope, text) for text in _texts(layer.path, named.value, "")]
        else:
            usual = posixpath.join(directory, ".env")
            env_files = [usual] if read(usual) is not None else []
        inner = _open_scope(directory, dict(scope.values), env_files, read, named)
        for path in paths:
            yield path, inner
    services = child(layer.path, layer.root, "services")
    for _, service in entries(services.value if services else None):
        extends = child(layer.path, service, "extends")
        file = child(layer.path, extends.value, "file") if extends else None
        if file is not None and scalar(file.value):
            path = _join(scope, str(file.value.value))
            yield path, Scope(posixpath.dirname(path), scope.values)


def _join(scope: Scope, written: str) -> str:
    return posixpath.normpath(posixpath.join(scope.directory, scope.interpolate(written).value))


def _texts(path: str, node: yaml.Node, key: str) -> list[str]:
    """A text, a list of texts, or either under `key`."""
    if key and entries(node):
        entry = child(path, node, key)
        if entry is None:
            return []
        node = entry.value
    return [text for one in (items(node) or [node]) if (text := scalar(one))]


def _env_files_of(service: str, entry: Entry, scope: Scope) -> Iterator[ServiceEnvFile]:
    for node in items(entry.value) or [entry.value]:
        place = Entry(entry.path, node, node)
        path = child(entry.path, node, "path") if entries(node) else None
        if path is not None:
            place = path
        written = scalar(path.value if path else node)
        if written is None:
            continue
        required = child(entry.path, node, "required") if path else None
        form = child(entry.path, node, "format") if path else None
        yield ServiceEnvFile(
            service,
            _join(scope, written),
            written,
            Entry(place.path, place.value, place.value),
            required=_is_true(required, scope),
            is_raw=form is not None and scope.interpolate(scalar(form.value) or "").value == "raw",
        )


def _is_true(entry: Entry | None, scope: Scope) -> bool:
    if entry is None:
        return True
    text = scope.interpolate(scalar(entry.value) or "").value
    return text.lower() not in ("false", "no", "n", "off")


def _scalars(root: yaml.Node | None) -> list[tuple[tuple[str, ...], yaml.ScalarNode]]:
    """Values of a tree in the order of their places, with the keys that lead to each.

    An anchored one comes once: under the service that has it, by a merge key too, where one has.
    """
    seen: set[int] = set()
    found: list[tuple[tuple[str, ...], yaml.ScalarNode]] = []
    services = child("", root, "services")
    if services is not None:
        found += _walk_scalars(("services",), services.value, seen)
    if root is not None:
        found += _walk_scalars((), root, seen)
    return sorted(found, key=lambda one: one[1].start_mark.index)


def _walk_scalars(
    start: tuple[str, ...], root: yaml.Node, seen: set[int]
) -> Iterator[tuple[tuple[str, ...], yaml.ScalarNode]]:
    """Values below a node that were not seen before; what `<<` brings has the keys that it gets."""
    pending: list[tuple[tuple[str, ...], yaml.Node]] = [(start, root)]
    while pending:
        keys, node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            yield keys, node
        elif keys[-1:] == ("<<",) and isinstance(node, yaml.SequenceNode):
            pending += [(keys, item) for item in reversed(node.value)]
        elif keys[-1:] == ("<<",) and isinstance(node, yaml.MappingNode):
            above = keys[:-1]
            pending += [((*above, str(key.value)), value) for key, value in reversed(node.value)]
        elif isinstance(node, yaml.MappingNode):
            pending += [((*keys, str(key.value)), value) for key, value in reversed(node.value)]
        elif isinstance(node, yaml.SequenceNode):
            numbered = list(enumerate(node.value))
            pending += [((*keys, str(index)), item) for index, item in reversed(numbered)]


def _uses_in(
    path: str, text: str, keys: tuple[str, ...], node: yaml.ScalarNode, value: str
) -> Iterator[VariableUse]:
    start = node.start_mark.index
    raw = text[start : node.end_mark.index]
    position = 0
    for reference in find_references(value):
        written = value[reference.start : reference.end]
        offset = raw.find(written, position)
        if offset < 0:  # an escape or a fold in it
            offset = max(raw.find("${" + reference.name, position), 0)
        position = offset + 1
        newlines = raw.count("\n", 0, offset)
        line = node.start_mark.line + newlines + 1
        column = node.start_mark.column + offset + 1
        if newlines:
            column = offset - raw.rfind("\n", 0, offset)
        yield VariableUse(path, line, column, keys, reference, value)
