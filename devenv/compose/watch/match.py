"""Which files the sources of a COPY name, and what of their path is kept at the target.

Spec: Dockerfile reference, COPY (patterns are those of Go's filepath.Match; `**` with --parents).
"""

from __future__ import annotations

import re
from functools import lru_cache

from devenv.compose.dockerignore import parse_ignore_file


def match_source(source: str, path: str, *, is_directory: bool = False) -> str | None:
    """What of `path` stays below the target: "" for a source that is the file itself.

    Both are relative to the same root, without a leading `/`. None where the source does not
    name the path. With `is_directory` a source below the path counts too, with "".
    """
    source = source.replace("\0/", "")
    if source in ("", "."):
        return path
    wanted, parts = source.split("/"), path.split("/")
    if "**" in wanted:
        found = _deep(source).match(path)
        return "" if found else None
    count = min(len(wanted), len(parts)) if is_directory else len(wanted)
    if len(parts) < count:
        return None
    if not all(_fits(w, p) for w, p in zip(wanted[:count], parts[:count], strict=True)):
        return None
    return "/".join(parts[count:]) if len(parts) >= len(wanted) else ""


def kept_parents(source: str, path: str) -> str:
    """What `--parents` keeps of a path: all of it, or what stands after a `/./` of the source."""
    before, pivot, _ = source.partition("\0/")
    if not pivot:
        return path
    count = before.strip("/").count("/") + 1 if before.strip("/") else 0
    return "/".join(path.split("/")[count:])


def is_excluded(patterns: tuple[str, ...], path: str, below: str) -> bool:
    """Whether `--exclude` leaves a file out: `below` is its path under the source directory."""
    if not patterns:
        return False
    rules = parse_ignore_file("\n".join(patterns))
    name = below or path.rpartition("/")[2]
    return rules.excludes(name) or rules.excludes(path)


@lru_cache(maxsize=4096)
def _pattern(word: str) -> re.Pattern[str]:
    """One component of a pattern: `*` and `?` without `/`, classes, `\\` before a character."""
    parts: list[str] = []
    index = 0
    while index < len(word):
        char = word[index]
        if char == "*":
            parts.append("[^/]*")
        elif char == "?":
            parts.append("[^/]")
        elif char == "[" and "]" in word[index + 2 :]:
            end = word.index("]", index + 2)
            body = word[index + 1 : end].replace("\\", "\\\\")
            negated = body.startswith("^")
            parts.append(f"[{'^' if negated else ''}{body.removeprefix('^')}]")
            index = end
        elif char == "\\" and index + 1 < len(word):
            index += 1
            parts.append(re.escape(word[index]))
        else:
            parts.append(re.escape(char))
        index += 1
    try:
        return re.compile("".join(parts) + r"\Z")
    except re.error:
        return re.compile(re.escape(word) + r"\Z")


def _fits(word: str, name: str) -> bool:
    if not any(mark in word for mark in "*?[\\"):
        return word == name
    return _pattern(word).match(name) is not None


@lru_cache(maxsize=512)
def _deep(source: str) -> re.Pattern[str]:
    parts = []
    for word in source.split("/"):
        parts.append(r"(?:[^/]+/)*" if word == "**" else _pattern(word).pattern[:-2] + "/")
    return re.compile("".join(parts).rstrip("/") + r"(?:/.*)?\Z")
