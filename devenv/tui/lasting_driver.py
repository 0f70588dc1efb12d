"""A terminal driver that outlives its terminal, and whose last size is the terminal's."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Any

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size


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
    keeps the program from ending: a terminal that was closed left a process behind.

    Its handler of SIGWINCH is interrupted by the next SIGWINCH, whose size is then told first: of
    a window's many sizes while it is dragged, an earlier one could be told last, and stay.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._file: Any = _Output(self._file)

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGWINCH, self._tell_size, loop)
        self._tell_size(loop)

    def _tell_size(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tell the size that the terminal has now; the loop calls this once after another."""
        if not self._in_band_window_resize:
            size = Size(*self._get_terminal_size())
            telling = self._app._post_message(events.Resize(size, size))
            asyncio.run_coroutine_threadsafe(telling, loop)  # after what Textual told, as it does
