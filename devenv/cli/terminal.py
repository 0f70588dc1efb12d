"""Hands the runtime to the terminal UI."""

from __future__ import annotations

import gc
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from devenv.cli.runtime import Runtime
from devenv.cli.session import Session
from devenv.compose.names import ServiceName
from devenv.engine.compose import plain_environ
from devenv.engine.process import run_interactive
from devenv.state.model import Problem, SnapshotRow
from devenv.tui.app import DevenvApp
from devenv.tui.keys import load_own_bindings
from devenv.tui.ports import UiPorts

_COLLECT_AFTER = 50_000
"""How many new objects set the garbage collector off; Python's own number is 700."""
_AT_LINE = {
    "code": ("--wait", "--goto", "{path}:{line}"),
    "code-insiders": ("--wait", "--goto", "{path}:{line}"),
    "codium": ("--wait", "--goto", "{path}:{line}"),
    "cursor": ("--wait", "--goto", "{path}:{line}"),
    "idea": ("--wait", "--line", "{line}", "{path}"),
    "pycharm": ("--wait", "--line", "{line}", "{path}"),
    "subl": ("--wait", "{path}:{line}"),
    "zed": ("--wait", "{path}:{line}"),
    "hx": ("{path}:{line}",),
}
"""How editors that do not take `+LINE PATH` are told a line."""


def editor_argv(environ: Mapping[str, str], path: str, line: int) -> tuple[str, ...]:
    """The command that edits a file at a line: VISUAL, EDITOR, or the first editor on PATH."""
    import shlex

    words = shlex.split(environ.get("VISUAL") or environ.get("EDITOR") or "")
    if not words:
        known = ("sensible-editor", "nano", "vi")
        words = [next((name for name in known if shutil.which(name)), "vi")]
    form = _AT_LINE.get(Path(words[0]).name, ("+{line}", "{path}"))
    return (*words, *(part.format(path=path, line=line) for part in form))


def show_in_pager(environ: Mapping[str, str], lines: Iterable[str]) -> int:
    """Show lines in $PAGER (default: less); returns its exit code. Raises OSError."""
    import shlex

    words = shlex.split(environ.get("PAGER") or "") or ["less"]
    with tempfile.NamedTemporaryFile("w", prefix="devenv-logs-", encoding="utf-8") as file:
        file.writelines(lines)
        file.flush()
        return run_interactive((*words, file.name), environ)


def load_snapshot_rows(session: Session) -> tuple[SnapshotRow, ...]:
    """The repository's snapshots that can be read, the youngest first. Raises DevenvError."""
    from devenv.cli.snapshots import store_of
    from devenv.compose.snapshot import Manifest

    found = [one for _, one in store_of(session).load_all() if isinstance(one, Manifest)]
    return tuple(
        SnapshotRow(one.name, one.project, one.branch, one.made_at, one.size_bytes)
        for one in sorted(found, key=lambda one: -one.made_at)
    )


def build_app(
    runtime: Runtime, on_ready: Callable[[], None], notice: Problem | None = None
) -> DevenvApp:
    """The app, with what it needs from outside; `notice` is said when it is there.

    Raises ConfigError for a wrong `[keys]`.
    """
    session = runtime.session
    settings = session.files.settings
    load = partial(load_own_bindings, settings.keys, lambda action: settings.source("keys", action))
    if settings.keys:  # what is wrong with them is said before the terminal is taken
        load()

    def run_shell(service: ServiceName) -> int:
        from devenv.cli.interactive import SHELL, exec_argv  # the engine's layer, after the frame

        environment = runtime.store.state.environment
        name = environment.name
        if service in environment.shared and environment.shared_name is not None:
            name = environment.shared_name
        argv = exec_argv(session, name, service, SHELL)
        return run_interactive(argv, plain_environ(session.environ), "/")

    def edit_file(path: str, line: int) -> int:
        return run_interactive(editor_argv(session.environ, path, line), session.environ)

    def save_lines(path: str, lines: Iterable[str]) -> str:
        place = session.start.joinpath(Path(path).expanduser())
        with place.open("x", encoding="utf-8") as file:
            file.writelines(lines)
        return str(place)

    def page_lines(lines: Iterable[str]) -> int:
        return show_in_pager(session.environ, lines)

    def open_url(url: str) -> bool:
        import webbrowser

        return webbrowser.open(url)

    return DevenvApp(
        runtime.store,
        runtime.logs,
        UiPorts(
            on_ready=on_ready,
            clock=time.time,
            run_shell=run_shell,
            edit_file=edit_file,
            open_url=open_url,
            auto_switch=session.files.settings.auto_switch,
            save_lines=save_lines,
            list_snapshots=partial(load_snapshot_rows, session),
            page_lines=page_lines,
            notice=notice,
        ),
        load,
    )


def tune_collector() -> None:
    """Keep the garbage collector from holding up keys, once the first frame is there.

    What is loaded by now stays, and is not looked through any more; log lines are values without
    cycles, and a flood of them would set it off hundreds of times a second.
    """
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 10, 10)
    gc.enable()
