"""Override files that devenv writes for Compose to read, in a directory of each environment."""

from __future__ import annotations

from pathlib import Path

from devenv.errors import DevenvError


def write_override(place: Path, environment: str, name: str, text: str) -> Path:
    """Where the text stands now, below `place`: the state directory, or the cache for a preview.
    An equal one is left as it is.

    Raises DevenvError where it cannot be written.
    """
    directory = place / "environments" / environment
    file = directory / name
    try:
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            return file
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        part.replace(file)
    except OSError as error:
        raise DevenvError(
            f"The override of environment {environment} cannot be written to {file}: "
            f"{error.strerror}.",
            fix="make the directory writable, or set XDG_STATE_HOME to one that is",
        ) from None
    return file
