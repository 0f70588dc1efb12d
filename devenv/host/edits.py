"""Writes repaired texts: whole files at once, their mode and byte order mark kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from devenv.checks.facts import FileState
from devenv.errors import ConfigError, Source

_NEW_FILE_MODE = 0o644


def write_texts(
    texts: Mapping[str, str],
    files: Mapping[str, FileState],
    root: Path,
    *,
    new_mode: int = _NEW_FILE_MODE,
) -> list[str]:
    """Write each text, and return the paths that changed; a new file gets `new_mode`.

    Raises ConfigError for a file outside `root`, be it through a symbolic link, for one that
    changed since it was read, and for one that cannot be written; files before it are written.
    """
    top = os.path.realpath(root)
    written: list[str] = []
    for path, text in texts.items():
        real = os.path.realpath(path)
        if os.path.commonpath([top, real]) != top:
            raise ConfigError(
                "This file lies outside the project, so it was not changed.",
                source=Source(path),
                fix="make the change by hand",
            )
        state = files.get(path)
        _check_unchanged(real, path, state)
        known = state.mode if state else None
        _replace(Path(real), _encode(text, state), new_mode if known is None else known)
        written.append(path)
    return written


def restore_texts(written: Mapping[str, str], files: Mapping[str, FileState]) -> None:
    """Bring back what was there before `write_texts`, and remove what it made.

    Raises ConfigError for a file that somebody else has changed since, or that cannot be written.
    """
    from devenv.host.check_files import load_state

    for path, text in written.items():
        real = os.path.realpath(path)
        if load_state(real).text != text:
            raise ConfigError(
                "This file changed meanwhile, so it was left alone.", source=Source(path)
            )
        state = files.get(path)
        if state is None or state.text is None:
            Path(real).unlink()
            continue
        mode = _NEW_FILE_MODE if state.mode is None else state.mode
        _replace(Path(real), _encode(state.text, state), mode)


def _encode(text: str, state: FileState | None) -> bytes:
    content = text.encode()
    return b"\xef\xbb\xbf" + content if state is not None and state.has_bom else content


def _check_unchanged(real: str, path: str, state: FileState | None) -> None:
    from devenv.host.check_files import load_state

    now = load_state(real)
    if now.text != (state.text if state else None):
        raise ConfigError(
            "This file changed meanwhile, so it was left alone.",
            source=Source(path),
            fix="run it again",
        )


def _replace(path: Path, content: bytes, mode: int) -> None:
    """The whole file or none of it, whatever interrupts this."""
    temporary = path.with_name(f".{path.name}.devenv-{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            _keep_owner(path, file.fileno())
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ConfigError(
            f"This file cannot be written: {error.strerror}.", source=Source(str(path))
        ) from None
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _keep_owner(path: Path, descriptor: int) -> None:
    """Give the new file the old one's owner and group, as far as this user may."""
    try:
        before = path.stat()
    except FileNotFoundError:
        return
    after = os.fstat(descriptor)
    if (before.st_uid, before.st_gid) != (after.st_uid, after.st_gid):
        with suppress(PermissionError):
            os.fchown(descriptor, before.st_uid, before.st_gid)
