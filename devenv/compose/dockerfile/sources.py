"""What COPY, ADD and bind mounts of RUN read, and from where.

Spec: Dockerfile reference, COPY, ADD, RUN --mount.
"""

from __future__ import annotations

import posixpath

from devenv.compose.dockerfile.values import Instruction
from devenv.values import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """What a COPY, ADD or bind mount reads: paths as written, from a stage, image or context.

    `origin` is None for the build context, else what `--from=` names.
    """

    instruction: Instruction
    paths: tuple[str, ...]
    origin: str | None = None
    target: str = ""
    excludes: tuple[str, ...] = ()


def find_sources(instruction: Instruction) -> list[Source]:
    """What one instruction reads, in order; empty for one that reads nothing."""
    if instruction.name in ("COPY", "ADD"):
        documents = {f"<<{heredoc.name}" for heredoc in instruction.heredocs}
        paths = tuple(
            word
            for word in instruction.arguments[:-1]
            if not (word.startswith("<<") and _is_document(word, documents))
        )
        origin = instruction.flag("from") or None
        target = instruction.arguments[-1] if instruction.arguments else ""
        return [Source(instruction, paths, origin, target, instruction.all_flags("exclude"))]
    found = []
    for mount in instruction.all_flags("mount") if instruction.name == "RUN" else ():
        options = mount_options(mount)
        kind = options.get("type", "bind")
        if kind != "bind" and not (kind == "cache" and options.get("from")):
            continue
        path = options.get("source") or options.get("src") or "."
        target = options.get("target") or options.get("dst") or options.get("destination") or ""
        found.append(Source(instruction, (path,), options.get("from") or None, target))
    return found


def _is_document(word: str, documents: set[str]) -> bool:
    plain = word.replace("<<-", "<<").replace('"', "").replace("'", "")
    return plain in documents


def mount_options(mount: str) -> dict[str, str]:
    """The options of a `--mount` flag's value; a bare one is blank."""
    return dict(_option(part) for part in mount.split(","))


def _option(part: str) -> tuple[str, str]:
    key, _, value = part.partition("=")
    return key.strip().lower(), value.strip()


def literal_path(written: str) -> str | None:
    """A COPY source relative to its context, or None: a wildcard, variable, URL or the whole.

    `..` does not lead out of a context: the builder takes `../a` for `a` (measured).
    """
    if any(mark in written for mark in "$*?[\\") or "://" in written or written.startswith("git@"):
        return None
    path = posixpath.normpath(f"/{written}").lstrip("/")
    return path or None
