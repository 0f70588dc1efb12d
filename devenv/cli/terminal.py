"""Hands the runtime to the terminal UI."""

from __future__ import annotations

import time
from collections.abc import Callable

from devenv.cli.interactive import SHELL, exec_argv
from devenv.cli.runtime import Runtime
from devenv.compose.names import ServiceName
from devenv.engine.process import run_interactive
from devenv.tui.app import DevenvApp
from devenv.tui.ports import UiPorts


def build_app(runtime: Runtime, on_ready: Callable[[], None]) -> DevenvApp:
    """The app, with what it needs from outside."""
    session = runtime.session

    def run_shell(service: ServiceName) -> int:
        name = session.project.name
        return run_interactive(exec_argv(session, name, service, SHELL), session.environ, "/")

    def open_url(url: str) -> bool:
        import webbrowser

        return webbrowser.open(url)

    return DevenvApp(
        runtime.store,
        runtime.logs,
        UiPorts(on_ready=on_ready, clock=time.time, run_shell=run_shell, open_url=open_url),
    )
