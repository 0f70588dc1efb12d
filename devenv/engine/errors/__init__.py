"""What the words of docker and docker compose mean.

The only place where their stderr text is matched; tests/unit/engine/compose_stderr.json holds
the real texts. An unknown text becomes a plain CommandFailed that shows its end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from devenv.engine.errors.kinds import (
    BuildFailed,
    DependencyFailed,
    ImagePullFailed,
    InvalidModel,
    MissingVariable,
    NoSuchService,
    PortAllocated,
)
from devenv.engine.errors.model import find_file_fault
from devenv.engine.errors.run import find_engine_fault, find_run_fault
from devenv.engine.errors.text import tail
from devenv.errors import CommandFailed, DevenvError, Source

__all__ = [
    "BuildFailed",
    "DependencyFailed",
    "ImagePullFailed",
    "InvalidModel",
    "MissingVariable",
    "NoSuchService",
    "PortAllocated",
    "classify_compose_failure",
]

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def classify_compose_failure(
    argv: Sequence[str], returncode: int, stderr: str, *, files: Sequence[str] = ()
) -> DevenvError:
    """The error that a failed docker or compose command stands for.

    `files` are the Compose files that were given: with exactly one, an error without a file
    name is placed in it.
    """
    text = _ANSI.sub("", stderr).replace("\r\n", "\n").strip()
    return (
        # First what only a run says: a build's output may hold any of the other texts.
        find_run_fault(tuple(argv), returncode, text)
        or find_engine_fault(text)
        or find_file_fault(text, files)
        or _refusal(argv, text, files)
        or CommandFailed(tuple(argv), returncode, tail(text))
    )


def _refusal(argv: Sequence[str], text: str, files: Sequence[str]) -> InvalidModel | None:
    """What `config` says and nothing above knows: it only reads files, so they are at fault."""
    said = [line for line in text.splitlines() if line and not line.startswith("time=")]
    if "config" not in argv or not said or not files:
        return None
    source = Source(files[0]) if len(files) == 1 else None
    return InvalidModel(f"Docker Compose refuses this: {' '.join(said[-3:])}.", source=source)
