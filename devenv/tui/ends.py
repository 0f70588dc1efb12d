"""How the app ends where something in it, or the terminal below it, has failed."""

from __future__ import annotations

import threading

from textual.app import App


class Ends(App[str]):
    """Ends without a trace on the terminal; what was raised is to be asked for afterwards."""

    def raise_fault(self) -> None:
        """Raise what an event's handler raised and ended the app with, if one did."""
        if self._exception is not None:
            raise self._exception

    def end_input(self) -> None:
        """Let the thread that reads the terminal end, which a driver that meets a terminal that is
        gone does not do: it would read on, and keep the process alive."""
        if isinstance(event := getattr(self._driver, "exit_event", None), threading.Event):
            event.set()

    def _fatal_error(self) -> None:
        """End for `raise_fault`: Textual's own way prints the values of all local variables, which
        may be secrets."""
        self._close_messages_no_wait()
