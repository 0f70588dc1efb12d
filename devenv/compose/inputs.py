"""Which other files a Compose file reads: what the cache of merged models must watch."""

from __future__ import annotations

import re
from typing import Any

from devenv.values import dataclass

_MAY_REFER = re.compile(r"include|extends|env_file|label_file")
"""Without one of these words no other file can be named."""
_REMOTE = ("http://", "https://", "git://", "git@", "ssh://", "oci://", "github.com/")


@dataclass(frozen=True, slots=True)
class References:
    """Paths as written. `cacheable` is False for remote ones, ones with variables in them, and
    where the text is not YAML that can be searched."""

    paths: tuple[str, ...] = ()
    cacheable: bool = True
    compose_files: tuple[tuple[str, bool], ...] = ()
    """Those of the paths that are Compose files, and whether by `include` (not `extends`)."""


def find_references(text: str) -> References:
    """The files named by `include`, `extends.file`, `env_file` and `label_file`.

    Spec: compose-spec 14-include.md, 05-services.md#extends, #env_file, #label_file.
    """
    if not _MAY_REFER.search(text):
        return References()
    from devenv.compose.yaml_values import parse_yaml

    try:
        document = parse_yaml(text)
    except ValueError:
        return References(cacheable=False)
    if not isinstance(document, dict):
        return References()
    paths: list[str] = []
    compose_files: list[tuple[str, bool]] = []
    for entry in _as_list(document.get("include")):
        included = _paths(entry.get("path") if isinstance(entry, dict) else entry)
        compose_files += [(path, True) for path in included]
        paths += included
        if isinstance(entry, dict):
            paths += _paths(entry.get("env_file"))
    services = document.get("services")
    for service in services.values() if isinstance(services, dict) else ():
        if not isinstance(service, dict):
            continue
        extends = service.get("extends")
        if isinstance(extends, dict):
            extended = _paths(extends.get("file"))
            compose_files += [(path, False) for path in extended]
            paths += extended
        paths += _paths(service.get("env_file")) + _paths(service.get("label_file"))
    cacheable = not any("$" in path or path.startswith(_REMOTE) for path in paths)
    return References(tuple(dict.fromkeys(paths)), cacheable, tuple(dict.fromkeys(compose_files)))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _paths(value: Any) -> list[str]:
    found = []
    for entry in _as_list(value):
        path = entry.get("path") if isinstance(entry, dict) else entry
        if isinstance(path, str):
            found.append(path)
    return found
