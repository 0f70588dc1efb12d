"""A terminal driver whose writing goes on where the terminal is gone."""

from __future__ import annotations

import contextlib
from typing import Any

from textual.drivers.linux_driver import LinuxDriver


class _Output:
    """A file that takes what a terminal that has gone away would refuse."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class LastingDriver(LinuxDriver):
    """Textual's thread that writes ends at the first refusal, and what it leaves in its queue
    keeps the program from ending: a terminal that was closed left a process behind."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._file: Any = _Output(self._file)
