"""Paths of a stage: where a COPY puts files, and what commands reach and remove."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from fnmatch import fnmatchcase

from devenv.compose.watch.kinds import is_document
from devenv.compose.watch.match import kept_parents, match_source
from devenv.compose.watch.recipe import CopyStep
from devenv.compose.watch.tools import Area, Effect
from devenv.compose.watch.tools.effect import DEPENDENCY_FOLDERS, is_within

_SHARED_ROOTS = frozenset(("usr", "etc", "var", "bin", "lib", "sbin", "opt", "home", "root"))


def find_sources_of(step: CopyStep, path: str) -> Iterator[str]:
    """What may lie in the context that a COPY puts at a path; the one that counts is last."""
    if not is_within(path, step.target):
        return
    below = path[len(step.target) :].strip("/") if step.target != "/" else path[1:]
    for source in step.sources:
        candidates = [posixpath.join(source, below).rstrip("/")]
        if "/" not in below and below:
            candidates.append(posixpath.join(posixpath.dirname(source), below))
        for candidate in candidates:
            if match_source(source, candidate) is not None:
                yield candidate


def removes(word: str, path: str) -> bool:
    """Whether removing a path, or what a pattern names, takes a file along."""
    parts = path.split("/")
    return fnmatchcase("/".join(parts[: word.count("/") + 1]), word)


def place_of(step: CopyStep, source: str, relative: str, below: str) -> str:
    """The path of a copied file at the target."""
    if step.parents:
        return posixpath.join(step.target, kept_parents(source, relative))
    if below:
        return posixpath.normpath(posixpath.join(step.target, below))
    if step.into_directory:
        return posixpath.join(step.target, posixpath.basename(relative))
    return step.target


def reaches(effect: Effect, directory: str, path: str) -> bool:
    """Whether a command that reads all there is can be meant to read this file."""
    roots = [directory, *(posixpath.dirname(program) for program in effect.programs)]
    parts = directory.strip("/").split("/")
    shared = parts[0] in _SHARED_ROOTS
    roots.append("/" + "/".join(parts[: 2 if shared else 1]))
    if not any(is_within(path, root) for root in roots):
        return False
    if effect.compiles and is_document(path):
        return False
    folders = path.split("/")
    return not any(folder in DEPENDENCY_FOLDERS - {"deps", "vendor"} for folder in folders)


def moved_area(area: Area, source: str, step: CopyStep) -> Area | None:
    """A result's area as COPY --from puts it into the next stage; None where it takes nothing."""
    if any(mark in source for mark in "*?["):
        source = posixpath.dirname(source.split("*")[0].split("?")[0].split("[")[0] + "x")
        into = True
    else:
        into = step.into_directory
    if not area.meets(source):
        return None
    if area.path != "*" and is_within(area.path, source):
        below = area.path[len(source) :].strip("/") if source != "/" else area.path[1:]
        if not below and into and "." in posixpath.basename(source):
            below = posixpath.basename(source)
        return Area(posixpath.normpath(posixpath.join(step.target, below)), area.deep)
    return Area(step.target)
