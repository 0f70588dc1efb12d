"""The keys of the UI, its tabs' keys among them. Keys are lazydocker's where it has them.

Each binding's `id` is the action's name in `[keys]` of devenv.toml; `key_names` reads that table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

from textual.binding import Binding

from devenv.errors import Source
from devenv.tui.key_names import format_keys, resolve_bindings

if TYPE_CHECKING:
    from devenv.tui.tab import DevTab


def _bind(
    name: str,
    key: str,
    action: str,
    description: str,
    display: str | None = None,
    priority: bool = False,
) -> Binding:
    return Binding(
        key,
        action,
        description,
        show=name in _IN_FOOTER,
        key_display=display,
        priority=priority,
        id=name,
    )


_IN_FOOTER = frozenset({"help", "up", "restart", "stop", "shell", "open", "quit"})
_OWN: tuple[Binding, ...] = (
    _bind("help", "question_mark", "help", "Help", "?"),
    _bind("up", "u", "operate('up')", "Up"),
    _bind("restart", "r", "operate('restart')", "Restart"),
    _bind("stop", "s", "operate('stop')", "Stop"),
    _bind("start", "S", "operate('start')", "Start"),
    _bind("recreate", "R", "recreate", "Recreate what is stale"),
    _bind("down", "d", "down", "Remove containers (asks)"),
    _bind("shell", "e,E", "shell", "Shell", "e"),
    _bind("open", "o", "open", "Open"),
    _bind("snapshot_save", "K", "snapshot_save", "Save the data as a snapshot"),
    _bind("snapshot_restore", "Z", "snapshot_restore", "Restore a snapshot (asks)"),
    _bind("copy", "y", "copy", "Copy the selection, or the address"),
    _bind("cancel", "x", "cancel", "Cancel the operation"),
    _bind("run_hook", "H", "run_hook", "Run the hook that failed again"),
    _bind("environments", "A", "environments", "All environments of the repository"),
    _bind("switch", "G", "switch", "Switch profile or branch"),
    _bind("next_tab", "right_square_bracket", "tab(1)", "Next tab", "]"),
    _bind("previous_tab", "left_square_bracket", "tab(-1)", "Previous tab", "["),
    _bind("next_service", "j", "move(1)", "Next service"),
    _bind("previous_service", "k", "move(-1)", "Previous service"),
    _bind("all_services", "escape", "all", "All services", "esc"),
    _bind("quit", "q", "leave", "Quit"),
)
FIXED: tuple[Binding, ...] = (
    Binding("ctrl+c", "leave", "Quit", show=False, priority=True, key_display="^c"),
)
"""What it may not: there is always a way out."""
PALETTE_LEAVES_OUT = frozenset({"next_service", "previous_service"})
"""Actions that make no sense under a name."""


@cache
def load_bindings() -> tuple[Binding, ...]:
    """What devenv.toml may change: the app's keys, and those of the tabs, which it imports."""
    from devenv.tui.tabs import find_tabs

    tabs = find_tabs()
    return (
        *_OWN,
        *(
            _bind(tab.TITLE.lower(), tab.KEY, f"show_tab('{tab.TITLE}')", f"{tab.TITLE} tab")
            for tab in tabs
        ),
        *(
            _bind(
                f"{tab.TITLE.lower()}_{key.method}",
                key.key,
                f"ask_tab('{tab.TITLE}', '{key.method}', {key.opens})",
                key.description,
                key.key_display,
                key.first,
            )
            for tab in tabs
            for key in tab.ACTIONS
        ),
    )


def find_front_bindings(bindings: Iterable[Binding]) -> Iterator[Binding]:
    """What is bound besides, before the others: keys that are a tab's while it is in front."""
    from devenv.tui.tabs import find_tabs

    in_front = {
        f"{tab.TITLE.lower()}_{key.method}": (tab.TITLE, key)
        for tab in find_tabs()
        for key in tab.ACTIONS
        if key.footer
    }
    for binding in bindings:
        if binding.key and binding.id in in_front:
            title, key = in_front[binding.id]
            action = f"front_tab('{title}', '{key.method}')"
            yield Binding(binding.key, action, key.footer, key_display=binding.key_display)


def load_own_bindings(
    keys: Mapping[str, str], source: Callable[[str], Source | None]
) -> tuple[Binding, ...]:
    """The bindings as `[keys]` of devenv.toml has them; raises as `resolve_bindings` does."""
    return resolve_bindings(load_bindings(), keys, source)


def render_key(binding: Binding) -> str:
    """The key as footer, help and palette show it; empty where the action has none."""
    return binding.key_display or format_keys(binding.key)


def describe_bindings(bindings: Iterable[Binding], tabs: Iterable[DevTab]) -> list[tuple[str, str]]:
    """Keys and what they do, those of each tab last; a row without a key is a heading."""
    rows = [(render_key(binding), binding.description) for binding in bindings]
    rows += [("↑ ↓", "Choose a service"), ("^p", "Palette"), ("^c", "Quit")]
    for tab in tabs:
        own = [key for key in type(tab).BINDINGS if isinstance(key, Binding)]
        if own:
            rows.append(("", f"\nIn the tab {tab.TITLE}"))
        rows += [(render_key(key), key.description) for key in own]
    return rows
