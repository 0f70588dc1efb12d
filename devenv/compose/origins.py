"""Where each value of the merged model comes from.

Compose says what a value is. This looks for the place that gave it, and takes a place for the
origin only where what is written there, variables filled in, is the value that Compose has:
otherwise the origin is unknown, and no place is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from devenv.compose.env_entries import EntryKind
from devenv.compose.env_scope import (
    Scope,
    find_service_env_files,
    find_service_variables,
    parse_service_env_file,
)
from devenv.compose.env_values import resolve_env_values
from devenv.compose.implied import (
    expand_device,
    find_implied_need,
    implied_condition,
    is_default,
)
from devenv.compose.interpolation import find_references
from devenv.compose.layers import Entry, Layers, child, entries, items, scalar
from devenv.compose.origin import UNKNOWN, Keys, Origin, OriginKind, VariableOrigin
from devenv.compose.short_forms import is_port, is_value, is_volume, split_command
from devenv.errors import Source
from devenv.values import dataclass, field, replace

_NULL = "tag:yaml.org,2002:null"
_NAME_VARIABLE = "COMPOSE_PROJECT_NAME"
_REPLACED = ("command", "entrypoint", "test")
"""Lists that a later file replaces as a whole."""


@dataclass(frozen=True, slots=True)
class Texts:
    """What origins are looked for in."""

    layers: Layers
    scopes: Mapping[str, Scope]
    shell: Mapping[str, str] = field(default_factory=dict)
    profile: Mapping[str, str] = field(default_factory=dict)
    """The profile's `[env]`."""
    own: Mapping[str, str] = field(default_factory=dict)
    """What devenv sets itself: `DEVENV_GIT_DIR`, `DEVENV_PORT_…`."""
    read: Callable[[str], str | None] = lambda _: None

    def scope(self, path: str) -> Scope:
        """What the variables of a Compose file stand for."""
        return self.scopes.get(path) or self.scopes[""]


def walk_leaves(value: object, keys: Keys = ()) -> Iterator[tuple[Keys, object]]:
    """Every value of a document that holds no others, with its keys."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from walk_leaves(inner, (*keys, str(key)))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from walk_leaves(inner, (*keys, index))
    else:
        yield keys, value


def find_origin(texts: Texts, document: Mapping[str, Any], keys: Keys) -> Origin:
    """The origin of the value at these keys of the merged model."""
    value = _get(document, keys)
    at = next((number for number, key in enumerate(keys) if isinstance(key, int)), None)
    if at is not None:
        return _in_list(texts, document, keys, at, value)
    names = tuple(str(key) for key in keys)
    if names == ("name",):
        return _project_name(texts, document)
    if names[:1] == ("services",) and names[2:3] == ("environment",) and len(names) == 4:
        return _variable(texts, names[1], names[3], value)
    written = _written(texts.layers, names)
    if written:
        return _from_entries(texts, written, names[-1], value)
    if len(names) == 3 and names[2] == "name" and names[0] != "services":
        within = _written(texts.layers, (*names[:2], "external", "name"))  # as of old
        if within:
            return _from_entries(texts, within, "name", value)
    return _short_form(texts, names, value) or _default(document, names, value)


def _get(document: object, keys: Keys) -> object:
    for key in keys:
        document = document[key]  # type: ignore[index]
    return document


def _written(layers: Layers, names: Sequence[str]) -> list[Entry]:
    """The places that set a key, the winning one first, down to one that resets or replaces."""
    kept: list[Entry] = []
    for entry in layers.find_all(*names):
        if entry.value.tag == "!reset":
            break
        kept.append(entry)
        if entry.value.tag == "!override":
            break
    return kept


def _from_entries(texts: Texts, written: list[Entry], key: str, value: object) -> Origin:
    winner = written[0]
    text = _text_of(winner, key)
    is_item = winner.key is winner.value
    if text == key and value is None and is_item:
        return Origin(OriginKind.WRITTEN, winner.source)  # a name in a list that became a map
    if isinstance(value, str) and (text == key if is_item else winner.value.tag == _NULL):
        return _passed_on(texts, winner, key, value)
    if text is None:
        return _from_collection(winner, key, value)
    scope = texts.scope(winner.path)
    result = scope.interpolate(text)
    if not is_value(result.value, value, key=key, directory=scope.directory):
        return UNKNOWN
    hidden = tuple(entry.source for entry in written[1:])
    names = _variables(texts, winner.path, text)
    return Origin(OriginKind.WRITTEN, winner.source, overrode=hidden, variables=names)


def _from_collection(winner: Entry, key: str, value: object) -> Origin:
    """The origin of a value without keys of its own where a mapping or a list is written."""
    if not isinstance(winner.value, yaml.CollectionNode):
        return UNKNOWN
    written = Origin(OriginKind.WRITTEN, winner.source)
    if key == "external" and value is True:
        return replace(written, note="short form")
    if value not in (None, {}, []):
        return UNKNOWN
    # Compose leaves out limits of 0, and services of Compose profiles that are not selected.
    leaves_out = {"limits": "limits of 0 are none", "services": "none of the profiles selected"}
    if winner.value.value and key not in leaves_out:
        return UNKNOWN
    return replace(written, note=leaves_out[key]) if winner.value.value else written


def _text_of(entry: Entry, key: str) -> str | None:
    """The scalar's text; of an item `KEY=value` what stands behind the key."""
    text = scalar(entry.value)
    if text is None or entry.key is not entry.value:
        return text
    name, separator, rest = text.partition("=")
    return rest if separator and name == key else text


def _variables(texts: Texts, path: str, text: str) -> tuple[VariableOrigin, ...]:
    names = dict.fromkeys(one.name for one in find_references(text))
    return tuple(_variable_origin(texts, path, name) for name in names)


def _variable_origin(texts: Texts, path: str, name: str) -> VariableOrigin:
    if name in texts.own and name not in texts.profile:
        return VariableOrigin(name, "devenv itself")
    if name in texts.shell:
        return VariableOrigin(name, "the shell")
    if name in texts.profile:
        return VariableOrigin(name, "the profile's [env]")
    scope = texts.scope(path)
    for source in (*reversed(scope.sources), *reversed(texts.scopes[""].sources)):
        for entry in reversed(source.file.entries):
            if entry.name == name and name in source.resolved.values:
                return VariableOrigin(name, "", Source(source.path, entry.line, entry.column))
    return VariableOrigin(name, "not set")


def _variable(texts: Texts, service: str, name: str, value: object) -> Origin:
    """An entry of `environment`, which Compose joins from there and from the env files."""
    found = find_service_variables(texts.layers, texts.scopes, service)
    if name not in found:
        return _from_env_files(texts, service, name, value)
    text, entry = found[name]
    written = _written(texts.layers, ("services", service, "environment", name))
    others = tuple(one.source for one in written if one.source != entry.source)
    if text is None:
        return _passed_on(texts, entry, name, value, others)
    if not is_value(text, value):
        return UNKNOWN
    variables = _variables(texts, entry.path, _text_of(entry, name) or "")
    return Origin(OriginKind.WRITTEN, entry.source, "", others, variables)


def _passed_on(
    texts: Texts, entry: Entry, name: str, value: object, others: tuple[Source, ...] = ()
) -> Origin:
    """A bare name, which Compose gives the value that it has itself for that variable."""
    passed = texts.scope(entry.path).values.get(name)
    if value is not None and (passed is None or not is_value(passed, value)):
        return UNKNOWN
    bare = (_variable_origin(texts, entry.path, name),)
    return Origin(OriginKind.WRITTEN, entry.source, "", others, bare)


def _from_env_files(texts: Texts, service: str, name: str, value: object) -> Origin:
    """A variable of a service that only its env files set: the last line that does."""
    known: dict[str, str] = {}
    sources: list[Source] = []
    lookup = texts.scopes[""].values.get
    for one in find_service_env_files(texts.layers, texts.scopes, [service]):
        file = parse_service_env_file(texts.read(one.path) or "", one.is_raw)
        known = dict(resolve_env_values(file.entries, lookup, known).values)
        sources += [
            Source(one.path, statement.line, statement.column)
            for statement in file.entries
            if statement.name == name and statement.kind is EntryKind.ASSIGNMENT
        ]
    if not sources or name not in known or not is_value(known[name], value):
        return UNKNOWN
    hidden = tuple(reversed(sources[:-1]))
    return Origin(OriginKind.WRITTEN, sources[-1], "env_file", hidden)


def _in_list(
    texts: Texts, document: Mapping[str, Any], keys: Keys, at: int, value: object
) -> Origin:
    names = tuple(str(key) for key in keys[:at])
    model = _get(document, keys[:at])
    written = _written(texts.layers, names)
    if not written or not isinstance(model, list):
        return UNKNOWN
    index, rest = int(keys[at]), keys[at + 1 :]
    if names[-1] in _REPLACED:
        return _in_replaced(texts, written, model, index) if not rest else UNKNOWN
    if len(written) == 1 and scalar(written[0].value) is not None and len(model) == 1:
        return _from_entries(texts, written, names[-1], value)  # one text where a list may stand
    if any(not isinstance(entry.value, yaml.SequenceNode) for entry in written):
        return UNKNOWN
    candidates = [Entry(entry.path, item, item) for entry in written for item in items(entry.value)]
    matching = [one for one in candidates if _is_item(texts, one, names[-1], model[index])]
    if not matching or len({scalar(one.value) for one in matching}) != 1:
        return UNKNOWN
    found = matching[0]
    if len(matching) > 1 and scalar(found.value) is None:
        return UNKNOWN
    hidden = tuple(one.source for one in matching[1:])
    whole = sum(bool(items(entry.value)) for entry in written) > 1
    text = scalar(found.value)
    if text is not None:
        names_in = _variables(texts, found.path, text)
        note = "short form" if rest else ""
        return Origin(OriginKind.WRITTEN, found.source, note, hidden, names_in, whole)
    entry: Entry | None = found
    replaced = len(rest) > 1 and rest[-2] in _REPLACED
    for key in rest[:-1] if replaced else rest:
        entry = child(found.path, entry.value, str(key)) if entry else None
    if entry is not None and replaced:
        words = _get(model[index], rest[:-1])
        origin = _in_replaced(texts, [entry], words, int(rest[-1]))  # type: ignore[arg-type]
        return replace(origin, appended=whole)
    if entry is None:
        return Origin(OriginKind.DEFAULT, note="the item does not set it", appended=whole)
    return replace(_from_entries(texts, [entry], str(rest[-1]), value), appended=whole)


def _in_replaced(texts: Texts, written: list[Entry], model: list[Any], index: int) -> Origin:
    winner, hidden = written[0], tuple(entry.source for entry in written[1:])
    scope = texts.scope(winner.path)
    if isinstance(winner.value, yaml.SequenceNode):
        nodes = items(winner.value)
        if _words_of(scope, winner.value) != model or any(scalar(node) is None for node in nodes):
            return UNKNOWN
        item = Entry(winner.path, nodes[index], nodes[index])
        names = _variables(texts, winner.path, scalar(nodes[index]) or "")
        return Origin(OriginKind.WRITTEN, item.source, "", hidden, names)
    text = scalar(winner.value)
    if text is None:
        return UNKNOWN
    in_shell = ["CMD-SHELL", scope.interpolate(text).value.replace("$", "$$")]
    if model not in (_words_of(scope, winner.value), in_shell):
        return UNKNOWN
    names = _variables(texts, winner.path, text)
    return Origin(OriginKind.WRITTEN, winner.source, "short form", hidden, names)


def _words_of(scope: Scope, node: yaml.Node) -> list[str] | None:
    """A command as a list, as Compose has it; None where it cannot be taken apart."""
    text = scalar(node)
    if text is not None:
        return split_command(scope.interpolate(text).value)
    return [scope.interpolate(scalar(one) or "").value.replace("$", "$$") for one in items(node)]


def _is_item(texts: Texts, entry: Entry, key: str, model: object) -> bool:
    scope = texts.scope(entry.path)
    text = scalar(entry.value)
    if text is not None:
        value = scope.interpolate(text).value
        if key == "ports":
            return is_port(value, model)
        if key == "devices":
            return expand_device(value) == model
        if key == "volumes":
            return is_volume(value, model, scope.directory)
        if key == "extra_hosts":
            return value in (model, str(model).replace("=", ":", 1))
        if key in ("secrets", "configs"):
            return isinstance(model, Mapping) and model.get("source") == value
        return is_value(value, model, key=key, directory=scope.directory)
    if not isinstance(model, Mapping) or not isinstance(entry.value, yaml.MappingNode):
        return False
    for name, node in entries(entry.value):
        inner = model.get(str(name.value))
        if name.value in _REPLACED and isinstance(inner, list):
            if inner != _words_of(scope, node):
                return False
            continue
        written = scalar(node)
        if written is None:
            continue
        value = scope.interpolate(written).value
        if not is_value(value, inner, key=str(name.value), directory=scope.directory):
            return False
    return True


def _short_form(texts: Texts, names: tuple[str, ...], value: object) -> Origin | None:
    """A key of a long form where a short one is written: `build: .`, `depends_on: [db]`."""
    if names[:1] != ("services",) or len(names) < 4:
        return None
    if names[2] == "build" and len(names) == 4:
        written = _written(texts.layers, names[:3])
        text = scalar(written[0].value) if written else None
        if text is None or names[3] != "context":
            return None
        return _from_entries(texts, written, "context", value)
    if names[2] == "depends_on" and len(names) == 5:
        written = _written(texts.layers, names[:4])
        if not written:
            return _implied_need(texts, names, value)
        implied = {"condition": "service_started", "required": True}
        if implied.get(names[4]) != value:
            return None
        if written[0].key is written[0].value:
            return Origin(OriginKind.WRITTEN, written[0].source, "short form")
        return Origin(OriginKind.DEFAULT, note="Compose's own default")
    return None


def _implied_need(texts: Texts, names: tuple[str, ...], value: object) -> Origin | None:
    implied = {"condition": "service_started", "required": True}
    for entry in texts.layers.find_all(*names[:3]):
        for item in items(entry.value):
            text = scalar(item) or ""
            if texts.scope(entry.path).interpolate(text).value == names[3]:  # `- ${DB_HOST}`
                if implied.get(names[4]) != value:
                    return None
                through = _variables(texts, entry.path, text)
                place = Entry(entry.path, item, item).source
                return Origin(OriginKind.WRITTEN, place, "short form", (), through)
    found = find_implied_need(texts.layers, names[1], names[3])
    if found is None or implied_condition(found[0]).get(names[4]) != value:
        return None
    return Origin(OriginKind.WRITTEN, found[1].source, f"{found[0]} implies it")


def _default(document: Mapping[str, Any], names: tuple[str, ...], value: object) -> Origin:
    """What Compose sets where no file does."""
    if is_default(document, names, value):
        return Origin(OriginKind.DEFAULT, note="Compose's own default")
    return UNKNOWN


def _project_name(texts: Texts, document: Mapping[str, Any]) -> Origin:
    """The project's name: COMPOSE_PROJECT_NAME, else `name:` of a file, else the directory's."""
    value = document.get("name")
    variable = _variable_origin(texts, "", _NAME_VARIABLE)
    if texts.scopes[""].values.get(_NAME_VARIABLE) == value:
        return Origin(OriginKind.WRITTEN, variable.source, "", (), (variable,))
    for entry in texts.layers.find_all("name"):
        found = _from_entries(texts, [entry], "name", value)
        if found.kind is OriginKind.WRITTEN:
            return found
    return Origin(OriginKind.DEFAULT, note="Compose's own default")
