"""Reading the user's text files, with errors that say what is wrong with which."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from devenv.errors import ComposeFileError, ConfigError, DevenvError, Source

MAX_BYTES = 5 * 1024 * 1024


def read_text(path: Path, error: type[DevenvError] = ConfigError) -> str:
    """A UTF-8 file's text, its BOM dropped.

    Raises `error` for what is missing, no regular file, unreadable, over 5 MiB or not UTF-8.
    """
    source = Source(str(path))
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            what = "a directory" if stat.S_ISDIR(status.st_mode) else "no regular file"
            raise error(f"This is {what}, not a text file.", source=source, fix="name a file")
        if status.st_size > MAX_BYTES:
            raise error(
                "This file is larger than 5 MiB.",
                source=source,
                fix="check that it is the file you mean",
            )
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise error("This file does not exist.", source=source, fix="check its name") from None
    except PermissionError:
        raise error("This file cannot be read.", source=source, fix=f"chmod u+r {path}") from None
    except UnicodeDecodeError as problem:
        line = problem.object[: problem.start].count(b"\n") + 1
        raise error(
            "This file is not UTF-8 text.",
            source=Source(str(path), line),
            fix="save it as UTF-8",
        ) from None
    except OSError as problem:
        raise error(f"This file cannot be read: {problem.strerror}.", source=source) from None


def read_env_text(path: Path) -> str | None:
    """An env file's text as Compose takes it: bytes that are not UTF-8 are U+FFFD.

    Of a file over 5 MiB the first 5 MiB; None for one that cannot be read, which Compose itself
    refuses in its own words.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES).decode("utf-8-sig", errors="replace")
    except OSError:
        return None


def refuse_special_file(path: Path, status: os.stat_result) -> None:
    """Raises ComposeFileError for a pipe, a socket or a device, which may have no end.

    `/dev/null` is none of these: it is an empty file that people name on purpose.
    """
    if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
        return
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == Path(os.devnull).stat().st_rdev:
        return
    raise ComposeFileError(
        "This is a pipe, a socket or a device, and no file that Docker Compose could read.",
        source=Source(str(path)),
        fix="put a text file in its place",
    )


def is_file(path: Path) -> bool:
    """Whether this is a file; False too where a directory on the way may not be entered."""
    try:
        return path.is_file()
    except OSError:
        return False
