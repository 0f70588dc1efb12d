"""Writing to a terminal that has gone away."""

from __future__ import annotations

import threading
from typing import Any, cast

from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread

from devenv.tui.lasting_driver import _Output


class GoneTerminal:
    """As a pseudo-terminal whose other end was closed."""

    tried = 0

    def write(self, text: str) -> int:
        self.tried += 1
        raise OSError(5, "Input/output error")

    def flush(self) -> None:
        raise OSError(5, "Input/output error")

    def fileno(self) -> int:
        return 7


def test_more_than_the_queue_holds_is_dropped_and_the_thread_ends() -> None:
    file = GoneTerminal()
    output = _Output(file)
    writer = WriterThread(cast(Any, output))
    writer.start()

    def write_and_stop() -> None:
        for _ in range(3 * MAX_QUEUED_WRITES):
            writer.write("x")
        writer.stop()

    program = threading.Thread(target=write_and_stop, daemon=True)
    program.start()
    program.join(20)
    assert not program.is_alive() and not writer.is_alive()
    assert file.tried == 3 * MAX_QUEUED_WRITES and output.fileno() == 7
