"""A program in a pseudo-terminal, and the screen as its user sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pexpect
import pyte

COLUMNS, LINES = 120, 36


class _Screen(pyte.Screen):
    """pyte hands on private sequences that its own handlers do not take."""

    def report_device_status(self, mode: int = 0, **kwargs: Any) -> None:
        return

    def select_graphic_rendition(self, *attributes: int, **kwargs: Any) -> None:
        if not kwargs.get("private"):
            super().select_graphic_rendition(*attributes)


class Terminal:
    """Starts a program and feeds what it prints to a screen of 120 x 36."""

    def __init__(self, argv: Sequence[str], directory: Path, environ: Mapping[str, str]) -> None:
        self.raw = b""
        self._screen = _Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._screen)
        self._child: pexpect.spawn[bytes] = pexpect.spawn(
            argv[0],
            list(argv[1:]),
            cwd=str(directory),
            env={**environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            dimensions=(LINES, COLUMNS),
            encoding=None,
            timeout=10,
        )

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._child.close(force=True)

    @property
    def screen(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    @property
    def echoes(self) -> bool:
        """Whether what is typed is shown."""
        return self._child.getecho()

    @property
    def process(self) -> int:
        """The id of the program's process."""
        return int(self._child.pid or 0)

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size; the program is told by SIGWINCH."""
        self._child.setwinsize(lines, columns)
        self._screen.resize(lines, columns)

    def hang_up(self) -> None:
        """Close the terminal, as a window or a connection that goes away does."""
        child: Any = self._child  # pexpect's own close would end the program itself
        child.ptyproc.fileobj.close()

    @property
    def exit_code(self) -> int | None:
        """The program's exit code once it has ended; None where a signal ended it."""
        self._child.wait()
        return self._child.exitstatus

    def press(self, keys: str) -> None:
        self._child.send(keys)

    def wait(self, seen: Callable[[str], bool], *, seconds: float, what: str) -> str:
        """Read until the screen has what is looked for; returns the screen."""
        deadline = time.monotonic() + seconds
        while not seen(self.screen):
            assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}:\n{self.screen}"
            assert self.read(), f"ended before {what}:\n{self.screen}"
        return self.screen

    def wait_end(self, *, seconds: float) -> None:
        """Read until the program has ended."""
        deadline = time.monotonic() + seconds
        while self.read():
            assert time.monotonic() < deadline, f"goes on after {seconds:g} s:\n{self.screen}"

    def read(self) -> bool:
        """Take what has been printed; False where the program has ended."""
        try:
            data = self._child.read_nonblocking(65536, timeout=0.2)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += data
        self._stream.feed(data)
        return True
