"""What the UI does beyond the screen: a shell on the terminal, the browser."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from textual.app import App, SuspendNotSupported

from devenv.compose.names import ServiceName
from devenv.errors import DevenvError
from devenv.state.text import sanitize
from devenv.tui.ports import UiPorts


def open_shell(app: App[str], ports: UiPorts, service: ServiceName) -> None:
    """Open a shell in a service's container, and say what went wrong, if anything did."""
    name = sanitize(service)
    code, problem = _lend_terminal(app, lambda: ports.run_shell(service), f"devenv shell {name}")
    if problem:
        app.notify(f"No shell: {sanitize(problem)}", severity="warning", markup=False)
    elif code:
        app.notify(f"The shell in {name} ended with exit code {code}.", markup=False)


def open_editor(app: App[str], ports: UiPorts, path: str, line: int) -> None:
    """Open a file in the user's editor at a line, and say what went wrong, if anything did."""
    shown = f"{sanitize(path)}:{line}"
    code, problem = _lend_terminal(app, lambda: ports.edit_file(path, line), f"edit {shown}")
    if problem or code:
        words = sanitize(problem) or f"it ended with exit code {code}"
        app.notify(f"No editor for {shown}: {words}", severity="warning", markup=False)


def open_pager(app: App[str], ports: UiPorts, lines: Iterable[str]) -> None:
    """Show lines in the user's pager, and say what went wrong, if anything did."""
    code, problem = _lend_terminal(app, lambda: ports.page_lines(lines), "devenv logs | less")
    if problem or code:
        words = sanitize(problem) or f"it ended with exit code {code}"
        app.notify(f"No pager: {words}", severity="warning", markup=False)


def _lend_terminal(app: App[str], run: Callable[[], int], instead: str) -> tuple[int, str]:
    """The exit code of what ran on the terminal, and what kept it from running.

    Nothing else runs meanwhile: whatever drew on the screen would draw over it.
    """
    code, problem = 0, ""
    try:
        with app.suspend():
            # An error that leaves this block would leave the terminal suspended.
            try:
                code = run()
            except (OSError, DevenvError) as error:
                problem = str(error)
    except SuspendNotSupported:
        problem = f"this terminal cannot be lent. In another one: {instead}"
    return code, problem


async def open_in_browser(app: App[str], ports: UiPorts, url: str) -> None:
    """Open `url`; a browser that takes its time holds up no key."""
    if not await asyncio.to_thread(ports.open_url, url):
        app.notify(f"No browser could be started: {url}", markup=False)
