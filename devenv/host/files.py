"""Reading the user's text files, with errors that say what is wrong with which."""

from __future__ import annotations

from pathlib import Path

from devenv.errors import ConfigError, Source

MAX_BYTES = 5 * 1024 * 1024


def read_text(path: Path) -> str:
    """A UTF-8 file's text, its BOM dropped. Raises ConfigError."""
    source = Source(str(path))
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError("This file is larger than 5 MiB.", source=source)
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError("This file does not exist.", source=source) from None
    except PermissionError:
        raise ConfigError(
            "This file cannot be read.", source=source, fix=f"chmod u+r {path}"
        ) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError("This file is not UTF-8 text.", source=Source(str(path), line)) from None
    except OSError as error:
        raise ConfigError(f"This file cannot be read: {error.strerror}.", source=source) from None
