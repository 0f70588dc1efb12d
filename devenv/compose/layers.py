"""The Compose texts of a selection in merge order, and where in them a key is written.

`docker compose config` says what a value is; this says where it stands. A key is looked for as
Compose merges: the last file that sets it wins, before what it extends, before files that it
includes. It is found or it is not, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import yaml

from devenv.compose.nesting import nests_too_deep
from devenv.errors import Source
from devenv.values import dataclass, field

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE_TAG = "tag:yaml.org,2002:merge"
_MAX_DEPTH = 20
"""Of merge keys and `extends` chains; more is a loop."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A key or list item as it is written: its file, its own node, and its value."""

    path: str
    key: yaml.Node
    """The key of a mapping, or the item of a list."""
    value: yaml.Node
    """The same as `key` for an item of a list."""

    @property
    def source(self) -> Source:
        """Where the key or the item starts."""
        return source_of(self.path, self.key)


@dataclass(frozen=True, slots=True)
class Layer:
    """One Compose file: `path` is absolute, `root` is None where the text is not YAML."""

    path: str
    text: str
    root: yaml.Node | None = None
    extended: bool = False
    """Read only because another file's service extends one of its services."""


@dataclass(frozen=True, slots=True)
class Layers:
    """Files by precedence, the weakest first. `by_path` has the extended files too."""

    layers: tuple[Layer, ...] = ()
    by_path: Mapping[str, Layer] = field(default_factory=dict)
    directory: str = ""
    """The project directory."""

    def find_all(self, *keys: str) -> list[Entry]:
        """Every place that sets a key such as `services`, `app`, `image`; the winning one first.

        Items of lists are named by their index, or by what stands before `=` or `:`.
        """
        found: list[Entry] = []
        for layer in reversed(self.layers):
            found += _find(self, layer, keys)
        return found

    def find(self, *keys: str) -> Entry | None:
        """The place that sets a key, or None."""
        found = self.find_all(*keys)
        return found[0] if found else None

    def source(self, *keys: str) -> Source | None:
        """The place of a key, or of the nearest key above it; None where not even the first is."""
        for length in range(len(keys), 0, -1):
            entry = self.find(*keys[:length])
            if entry is not None:
                return entry.source
        return None

    def service_names(self) -> tuple[str, ...]:
        """Every service that any of the files names, whatever its Compose profiles."""
        names: dict[str, None] = {}
        for layer in self.layers:
            for key, _ in entries(_value(layer.root, "services")):
                names.setdefault(str(key.value))
        return tuple(names)


def source_of(path: str, node: yaml.Node) -> Source:
    """Where a node starts."""
    mark = node.start_mark
    return Source(path, mark.line + 1, mark.column + 1)


@lru_cache(maxsize=512)
def parse_nodes(text: str) -> yaml.Node | None:
    """The text's node tree, aliases unexpanded; None where it is not YAML or is empty.

    None too where it nests deeper than any Compose file.
    """
    if nests_too_deep(text):
        return None
    try:
        return yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def entries(node: yaml.Node | None, depth: int = 0) -> list[tuple[yaml.Node, yaml.Node]]:
    """Keys and values of a mapping with `<<` merged in; empty for what is no mapping."""
    if not isinstance(node, yaml.MappingNode) or depth > _MAX_DEPTH:
        return []
    if not any(key.tag == _MERGE_TAG for key, _ in node.value):
        return list(node.value)
    own = [(key, value) for key, value in node.value if key.tag != _MERGE_TAG]
    names = {str(key.value) for key, _ in own}
    merged: list[tuple[yaml.Node, yaml.Node]] = []
    for key, value in node.value:
        if key.tag != _MERGE_TAG:
            continue
        bases = value.value if isinstance(value, yaml.SequenceNode) else [value]
        for base in bases:
            for entry in entries(base, depth + 1):
                if str(entry[0].value) not in names:
                    names.add(str(entry[0].value))
                    merged.append(entry)
    return own + merged


def items(node: yaml.Node | None) -> list[yaml.Node]:
    """The items of a list; empty for what is none."""
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def scalar(node: yaml.Node | None) -> str | None:
    """The text of a scalar as written, before interpolation; None for anything else."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else None


def _value(node: yaml.Node | None, name: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    found = _index(node).get(name)
    return found[1] if found is not None else None


def _index(node: yaml.MappingNode) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    """The entries of a mapping by name, the first of a name counting; kept with the node."""
    known: dict[str, tuple[yaml.Node, yaml.Node]] | None = getattr(node, "devenv_index", None)
    if known is None:
        known = {}
        for key, value in entries(node):
            known.setdefault(str(key.value), (key, value))
        node.devenv_index = known  # type: ignore[attr-defined]
    return known


def child(path: str, node: yaml.Node | None, part: str) -> Entry | None:
    """The entry of a mapping or list that `part` names, or None."""
    if isinstance(node, yaml.MappingNode):
        found = _index(node).get(part)
        if found is not None:
            return Entry(path, *found)
    elif isinstance(node, yaml.SequenceNode):
        if part.isdigit() and int(part) < len(node.value):
            return Entry(path, node.value[int(part)], node.value[int(part)])
        for item in node.value:
            text = scalar(item)
            if text is not None and (text == part or text.startswith((f"{part}=", f"{part}:"))):
                return Entry(path, item, item)
    return None


def _find(layers: Layers, layer: Layer, keys: Sequence[str]) -> Iterator[Entry]:
    if keys[:1] == ("services",) and len(keys) > 2:
        for owner in _service_chain(layers, layer, keys[1]):
            entry = _walk(owner.path, owner.value, keys[2:])
            if entry is None and keys[2] == "develop":
                entry = _walk(owner.path, owner.value, ("x-develop", *keys[3:]))
            if entry is not None:
                yield entry
        return
    entry = _walk(layer.path, layer.root, keys)
    if entry is not None:
        yield entry


def _walk(path: str, node: yaml.Node | None, keys: Sequence[str]) -> Entry | None:
    entry: Entry | None = None
    for part in keys:
        entry = child(path, node, part)
        if entry is None:
            return None
        node = entry.value
    return entry


def _service_chain(layers: Layers, layer: Layer, name: str) -> Iterator[Entry]:
    """A service in one file, then what it extends there or elsewhere, and so on."""
    for _ in range(_MAX_DEPTH):
        entry = _walk(layer.path, layer.root, ("services", name))
        if entry is None:
            return
        yield entry
        extends = _value(entry.value, "extends")
        base = scalar(extends) or scalar(_value(extends, "service"))
        file = scalar(_value(extends, "file"))
        if base is None:
            return
        if file is not None:
            target = layers.by_path.get(resolve_path(layer.path, layers.directory, file))
            if target is None:
                return
            layer = target
        name = base


def resolve_path(beside: str, directory: str, written: str) -> str:
    """An absolute path of what a Compose file names: relative to the file that names it."""
    import posixpath

    base = posixpath.dirname(beside) or directory
    return posixpath.normpath(posixpath.join(base, written))
