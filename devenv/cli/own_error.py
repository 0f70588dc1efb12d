"""The end after an error of devenv's own: one sentence, and a file with the traceback to report."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from devenv import __version__
from devenv.cli.output import print_error
from devenv.errors import DevenvError, ExitCode

_KEPT = 10


def end_with_report(error: BaseException) -> int:
    """Say what happened and where its traceback stands; with `DEVENV_TRACEBACK` set, raise it.

    The traceback names files and lines and no values of variables, which may be secrets.
    """
    if os.environ.get("DEVENV_TRACEBACK"):
        raise error
    first, *others = iter_causes(error)
    more = f" (and {len(others)} more)" if others else ""
    report = _write_report(error)
    fix = (
        f"report it, with {report}"
        if report
        else "run it again with DEVENV_TRACEBACK=1 and report what it prints"
    )
    said = f"{type(first).__name__}: {first}" if str(first) else type(first).__name__
    print_error(DevenvError(f"devenv met an error of its own: {said}{more}", fix=fix))
    return ExitCode.FAILED


def iter_causes(error: BaseException) -> Iterator[BaseException]:
    """The exceptions in an exception group, in its order; any other exception is its own."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from iter_causes(inner)
    else:
        yield error


def _write_report(error: BaseException) -> Path | None:
    """The new file in the state directory, which keeps the last ten; None where it takes none."""
    import traceback

    from devenv.host.paths import state_directory

    directory = state_directory(os.environ) / "errors"
    file = directory / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    head = (
        f"devenv {__version__}, Python {platform.python_version()}, "
        f"{sys.platform} {platform.machine()}\n\n"
    )
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        text = head + "".join(traceback.format_exception(error))
        with open(file, "xb", opener=_open_own) as out:
            out.write(text.encode(errors="backslashreplace"))
        for old in sorted(directory.glob("*.txt"))[:-_KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        return None
    return file


def _open_own(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
