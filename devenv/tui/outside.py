"""What the UI does beyond the screen: a shell on the terminal, the browser."""

from __future__ import annotations

import asyncio

from textual.app import App, SuspendNotSupported

from devenv.compose.names import ServiceName
from devenv.state.text import sanitize
from devenv.tui.ports import UiPorts


def lend_terminal(app: App[str], ports: UiPorts, service: ServiceName) -> None:
    """Open a shell in a service's container, and say what went wrong, if anything did.

    Nothing else runs meanwhile: whatever drew on the screen would draw over the shell.
    """
    name, code, problem = sanitize(service), 0, ""
    try:
        with app.suspend():
            # An error that leaves this block would leave the terminal suspended.
            try:
                code = ports.run_shell(service)
            except OSError as error:
                problem = str(error)
    except SuspendNotSupported:
        problem = f"this terminal cannot be lent. In another one: devenv shell {name}"
    if problem:
        app.notify(f"No shell: {sanitize(problem)}", severity="warning", markup=False)
    elif code:
        app.notify(f"The shell in {name} ended with exit code {code}.", markup=False)


async def open_in_browser(app: App[str], ports: UiPorts, url: str) -> None:
    """Open `url`; a browser that takes its time holds up no key."""
    if not await asyncio.to_thread(ports.open_url, url):
        app.notify(f"No browser could be started: {url}", markup=False)
