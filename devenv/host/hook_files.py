"""Reads the files of a repository that its hooks call.

Those are the files that a command names, a directory standing for the files directly in it, and
the files that these name in turn; there it ends. In a git repository only files that git has count.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from devenv.config.hooks import Hook
from devenv.config.trust import (
    CalledFile,
    HookTrust,
    describe_hooks,
    find_hook_words,
    find_words,
    resolve_relevant,
)
from devenv.host.git_files import load_git_facts
from devenv.host.project_files import ProjectFiles

MAX_FILES = 200
MAX_READ_BYTES = 64 * 1024 * 1024
SHOWN_BYTES = 256 * 1024
"""How long a text may be to be kept for showing what changed in it."""
_DIRECTORY_FILES = 50


def load_trust(files: ProjectFiles, environ: Mapping[str, str]) -> HookTrust | None:
    """What is to be allowed; None where there is no hook."""
    lines = describe_hooks(files.settings, files.profiles)
    if not lines:
        return None
    hooks = [*files.settings.hooks, *(h for p in files.profiles.values() for h in p.hooks)]
    top = files.git.root if files.git is not None else files.root
    called = _load_called(hooks, Path(os.path.realpath(top)), files.directory, environ)
    if len(called) > MAX_FILES:
        lines += (f"calls more than {MAX_FILES} files: the others are not looked at",)
    return HookTrust(lines, tuple(called[:MAX_FILES]))


def _load_called(
    hooks: Sequence[Hook], top: Path, directory: Path, environ: Mapping[str, str]
) -> list[CalledFile]:
    """The files by path; `top` has no links in it, `directory` is where the commands run."""
    words = dict.fromkeys(word for hook in hooks for word in find_hook_words(hook))
    first = list(_find_files(words, (directory,), top))
    first = _of_repository(first, top, environ)
    texts = {path: _read(path) for path in first[: MAX_FILES + 1]}
    named: dict[Path, None] = {}
    for path, data in texts.items():
        if data is not None and len(data) <= SHOWN_BYTES:
            text = resolve_relevant(path.name, data).decode(errors="replace")
            named.update(
                dict.fromkeys(_find_files(find_words(text), (directory, path.parent), top))
            )
    second = _of_repository([path for path in named if path not in texts], top, environ)
    for path in second[: MAX_FILES + 1 - len(texts)]:
        texts[path] = _read(path)
    return sorted(
        (_to_called(path, data, top) for path, data in texts.items()), key=lambda one: one.path
    )


def _find_files(words: Iterable[str], bases: Sequence[Path], top: Path) -> Iterator[Path]:
    """The regular files inside `top` that the words name, where links lead to, each once."""
    seen = set()
    for word in words:
        for base in bases:
            path = Path(os.path.realpath(base / word))
            if path in seen or not path.is_relative_to(top):
                continue
            seen.add(path)
            if ".git" in path.relative_to(top).parts:
                continue
            try:
                if path.is_file():
                    yield path
                elif path.is_dir() and not Path(os.path.realpath(base)).is_relative_to(path):
                    yield from _files_in(path)
            except OSError:
                continue


def _files_in(directory: Path) -> list[Path]:
    entries = sorted(entry for entry in directory.iterdir() if entry.is_file())
    return [entry for entry in entries if not entry.is_symlink()][:_DIRECTORY_FILES]


def _read(path: Path) -> bytes | None:
    """None for what cannot be read, or is too large."""
    try:
        if path.stat().st_size > MAX_READ_BYTES:
            return None
        return path.read_bytes()
    except OSError:
        return None


def _to_called(path: Path, data: bytes | None, top: Path) -> CalledFile:
    shown = str(path.relative_to(top))
    if data is None:
        return CalledFile(shown, f"unreadable, {_size(path)} bytes")
    data = resolve_relevant(path.name, data)
    digest = hashlib.sha256(data).hexdigest()
    if len(data) > SHOWN_BYTES or b"\0" in data:
        return CalledFile(shown, digest)
    try:
        return CalledFile(shown, digest, data.decode())
    except UnicodeDecodeError:
        return CalledFile(shown, digest)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _of_repository(paths: list[Path], top: Path, environ: Mapping[str, str]) -> list[Path]:
    """The paths that came with the repository: those that git has, those in submodules.

    Without git all of them. What a hook itself writes is not asked about again and again so.
    """
    facts = load_git_facts(top, map(str, paths), environ) if paths else None
    if facts is None:
        return paths
    return [path for path in paths if str(path) in facts.tracked or _is_nested(path, top)]


def _is_nested(path: Path, top: Path) -> bool:
    """Whether the file is in a repository below `top`, such as a submodule."""
    between = path.parents[: len(path.relative_to(top).parts) - 1]
    return any((directory / ".git").exists() for directory in between)
