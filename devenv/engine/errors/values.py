"""Values that Compose refuses: often what is left of a text whose variables have no value."""

from __future__ import annotations

import re
from collections.abc import Sequence

from devenv.engine.errors.kinds import InvalidModel
from devenv.errors import Source

_UNSET = re.compile(r'The \\?"(\w+)\\?" variable is not set')
_KINDS = (
    ("invalid boolean", "true or false"),
    ("strconv.Atoi", "a whole number"),
    ("strconv.Parse", "a number"),
)
_ENTRIES = (
    (r"no port specified: (?P<text>.*?)(?:<empty>)?$", ("ports",), "names no port"),
    (r"invalid (?:containerPort|hostPort): (?P<text>.*)$", ("ports",), "is no port (1 to 65535)"),
    (
        r"invalid ranges specified for container and host Ports: (?P<target>.*) and (?P<host>.*)$",
        ("ports",),
        "has ranges of two lengths",
    ),
    (
        r"invalid spec: (?P<text>.*): empty section between colons$",
        ("volumes",),
        "has nothing between its colons",
    ),
    (r"invalid spec: (?P<text>.*): too many colons$", ("volumes",), "has too many colons"),
    (
        r"confusing device mapping, please use long syntax: (?P<text>.*)$",
        ("devices",),
        "has too many colons",
    ),
)


def find_value_fault(text: str, source: Source | None) -> InvalidModel | None:
    """What the words say of a single value; `source` is the only Compose file, if there is one."""
    unset = find_unset(text)
    if found := re.search(
        r"error while interpolating (\S+): failed to cast to expected type: (.*)", text
    ):
        keys = key_path(found[1])
        kind = next((words for part, words in _KINDS if part in found[2]), "of the right type")
        return InvalidModel(
            f"{'.'.join(keys)} is not {kind}.",
            key_path=keys,
            service=service_of(keys),
            source=source,
            fix="correct the value.",
            unset=unset,
        )
    if entry := _entry(text, source, unset):
        return entry
    if re.search(r"^env file  not found", text, re.M):
        return InvalidModel(
            "An env_file has no name: a variable in it has no value.",
            source=source,
            fix="give the variable a value in .env, or take the entry out.",
            unset=unset,
        )
    if found := re.search(r"^((?:services|networks|volumes)\.\S+?): (.+)$", text, re.M):
        keys = key_path(found[1])
        return InvalidModel(
            f"{'.'.join(keys)}: {found[2]}.",
            key_path=keys,
            service=service_of(keys),
            source=source,
            fix="correct the value.",
            unset=unset,
        )
    return None


def _entry(text: str, source: Source | None, unset: Sequence[str]) -> InvalidModel | None:
    for pattern, lists, what in _ENTRIES:
        found = re.search(pattern, text, re.M)
        if found is None:
            continue
        parts = found.groupdict()
        refused = parts["text"] if "text" in parts else f"{parts['host']}:{parts['target']}"
        return InvalidModel(
            f"An entry of {lists[0]} {what}: {refused!r}.",
            source=source,
            fix=f"correct the entry under {lists[0]}.",
            refused=refused,
            lists=lists,
            unset=tuple(unset),
        )
    return None


def find_unset(text: str) -> tuple[str, ...]:
    """The variables that Compose says are not set, each once."""
    return tuple(dict.fromkeys(_UNSET.findall(text)))


def key_path(dotted: str) -> tuple[str, ...]:
    """The keys of a path as Compose writes it: `services[app].ports`, `services.app.ports.[]`."""
    return tuple(part for part in re.split(r"[.\[\]]", dotted) if part)


def service_of(path: Sequence[str]) -> str | None:
    """The service that a key path goes into, if any."""
    return path[1] if len(path) > 1 and path[0] == "services" else None
