"""`devenv why` and `devenv config --origins`: where each value of the merged model comes from."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from devenv.cli.session import Session
from devenv.compose.env_scope import resolve_scopes
from devenv.compose.origin import Keys, Origin
from devenv.compose.origins import Texts, find_origin, walk_leaves
from devenv.errors import UsageError
from devenv.host.check_files import FileReader, load_layers


def find_origins(
    session: Session, path: str | None
) -> tuple[Texts, list[tuple[Keys, object, Origin]]]:
    """Every value at or below a path of the model, with its origin; all values for None.

    Raises UsageError for a path that the model does not have.
    """
    document = session.project.document
    texts = load_texts(session)
    start = parse_path(path, document) if path is not None else ()
    below: Any = document
    for key in start:
        below = below[key]
    found = [
        (keys, value, find_origin(texts, document, keys))
        for keys, value in walk_leaves(below, start)
    ]
    return texts, found


def name_layer(session: Session, texts: Texts, path: str) -> str:
    """What a file is to the selection."""
    own = [str(file) for file in session.files.compose_files]
    if path in own:
        return "Compose file" if path == own[0] else "override file"
    if path in [str(file) for file in session.selection.files]:
        return "generated override"
    if path in texts.layers.by_path:
        return "included or extended file"
    return "env file"


def load_texts(session: Session) -> Texts:
    """The texts of the selection, each file read once."""
    files = session.files
    reader = FileReader()
    paths = [str(path) for path in session.selection.files or files.compose_files]
    layers = load_layers(str(files.directory), paths, reader)
    env_files = [str(path) for path in files.env_files] or [str(files.directory / ".env")]

    def read(path: str) -> str | None:
        return reader.read(path).text

    own = {key: value for key, value in session.selection.variables if key.startswith("DEVENV_")}
    shell = {**files.variables, **session.environ, **own}
    scopes = resolve_scopes(layers, env_files, shell, read)
    return Texts(layers, scopes, session.environ, files.variables, own, read)


def parse_path(text: str, document: Mapping[str, Any]) -> Keys:
    """The keys of a path such as `app.ports[0]` or `services.app.labels."com.example.a"`.

    A path that begins with no key of the model begins with a service. Raises UsageError with the
    nearest key for one that is not there.
    """
    parts = _split(text)
    if not parts or (parts[0] not in document and parts[0] in document.get("services", {})):
        parts = ["services", *parts]
    found: list[str | int] = []
    here: Any = document
    for part in parts:
        if isinstance(here, list) and part.isdigit() and int(part) < len(here):
            found.append(int(part))
            here = here[int(part)]
        elif isinstance(here, Mapping) and part in here:
            found.append(part)
            here = here[part]
        else:
            raise _unknown(text, part, here, document if not found else None)
    return tuple(found)


def _split(text: str) -> list[str]:
    pieces = re.findall(r'"([^"]*)"|\[(\d+)\]|([^.\[\]"]+)', text)
    return [quoted or index or plain for quoted, index, plain in pieces]


def _unknown(text: str, part: str, here: Any, top: Mapping[str, Any] | None) -> UsageError:
    known = [str(key) for key in here] if isinstance(here, Mapping) else []
    if top is not None:
        known += [str(name) for name in top.get("services", {})]
    if isinstance(here, list):
        known = [f"[{number}]" for number in range(len(here))]
    near = difflib.get_close_matches(part, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}? " if near else ""
    listed = ", ".join(known[:12]) or "none"
    return UsageError(f"The model has no {part!r} in {text!r}.", fix=f"{hint}there is: {listed}")


def show_keys(keys: Sequence[str | int]) -> str:
    """Keys as `why` takes them."""
    shown = ""
    for key in keys:
        if isinstance(key, int):
            shown += f"[{key}]"
        else:
            quoted = f'"{key}"' if any(one in key for one in '.[]" ') else key
            shown += f".{quoted}" if shown else quoted
    return shown
