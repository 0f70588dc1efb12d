"""Merged Compose models kept by the content of everything that they depend on.

The models hold secrets: files are 0600 in a directory that is 0700. A cache that cannot be
read or written costs time and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from devenv.compose.inputs import find_references
from devenv.host.files import refuse_special_file
from devenv.values import dataclass, field

KEPT_MODELS = 64
_MAX_INPUTS = 500
_MAX_INPUT_BYTES = 5 * 1024 * 1024
_NAME = re.compile(rb"[A-Za-z_]\w*")


def resolve_cache_key(
    *,
    version: str,
    directory: Path,
    files: Iterable[Path],
    env_files: Iterable[Path],
    arguments: Iterable[str],
    environ: Mapping[str, str],
) -> str | None:
    """The key of a model, or None where it must not be cached.

    It covers the Compose version, the arguments, the content (or absence) of every input, and
    each process variable whose name occurs in one: no other can be read by interpolation.
    Raises ComposeFileError for an input that is a pipe or a device.
    """
    digest = hashlib.sha256(f"1\0{version}\0{directory}\0".encode())
    for argument in arguments:
        digest.update(argument.encode(errors="surrogateescape") + b"\0")
    inputs = read_inputs(directory, files, env_files)
    if not inputs.is_complete:
        return None
    names: set[bytes] = set()
    for path, content in inputs.contents.items():
        if content is None:
            digest.update(b"absent\0" + os.fsencode(path) + b"\0")
            continue
        digest.update(os.fsencode(path) + b"\0%d\0" % len(content) + content)
        names.update(_NAME.findall(content))
    for name in sorted(environ):
        if name.startswith(("COMPOSE_", "DOCKER_")) or name.encode() in names or name == "HOME":
            digest.update(f"{name}={environ[name]}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


@dataclass(slots=True)
class Inputs:
    """What a model is read from, and looked for, in the order in which it is found."""

    contents: dict[Path, bytes | None] = field(default_factory=dict)
    """None: the file does not exist."""
    is_complete: bool = True
    """False where something cannot be read, is too large or too much, or is not on this machine."""


def read_inputs(directory: Path, files: Iterable[Path], env_files: Iterable[Path]) -> Inputs:
    """The Compose files, the env files, and all that the Compose files refer to."""
    inputs = Inputs()
    pending = [(path, True) for path in files]
    pending += [(path, False) for path in (*env_files, directory / ".env")]
    while pending:
        path, is_compose = pending.pop(0)
        if path in inputs.contents:
            continue
        inputs.contents[path] = None
        if len(inputs.contents) > _MAX_INPUTS:
            inputs.is_complete = False
            return inputs
        try:
            status = path.stat()
            refuse_special_file(path, status)
            content = path.read_bytes() if status.st_size <= _MAX_INPUT_BYTES else None
        except FileNotFoundError:
            continue
        except OSError:
            content = None
        if content is None:
            inputs.is_complete = False
            continue
        inputs.contents[path] = content
        if not is_compose:
            continue
        references = find_references(content.decode(errors="replace"))
        inputs.is_complete = inputs.is_complete and references.cacheable
        for written in references.paths:
            relative = Path(written).expanduser()
            compose_like = relative.suffix in (".yaml", ".yml")
            pending.append((path.parent / relative, compose_like))
            pending.append((directory / relative, compose_like))
            if compose_like:
                pending.append(((path.parent / relative).parent / ".env", False))
    return inputs


def load_model(cache: Path, key: str) -> str | None:
    """The kept text of a model, or None."""
    path = cache / f"{key}.json"
    try:
        text = path.read_text(encoding="utf-8")
        os.utime(path)
    except OSError:
        return None
    return text


def save_model(cache: Path, key: str, text: str) -> None:
    """Keep a model; the least recently used beyond `KEPT_MODELS` are removed."""
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = cache / f".{key}.{os.getpid()}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(cache / f"{key}.json")
        kept = sorted(cache.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in kept[KEPT_MODELS:]:
            path.unlink(missing_ok=True)
    except OSError:
        return
