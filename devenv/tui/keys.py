"""The keys of the UI, its tabs' keys among them. Keys are lazydocker's where it has them."""

from __future__ import annotations

from textual.binding import Binding

from devenv.tui.tabs import find_tabs

BINDINGS: tuple[Binding, ...] = (
    Binding("question_mark", "help", "Help", key_display="?"),
    Binding("u", "operate('up')", "Up"),
    Binding("r", "operate('restart')", "Restart"),
    Binding("s", "operate('stop')", "Stop"),
    Binding("S", "operate('start')", "Start", show=False),
    Binding("d", "down", "Remove containers (asks)", show=False),
    Binding("e,E", "shell", "Shell", key_display="e"),
    Binding("o", "open", "Open"),
    Binding("y", "copy", "Copy address", show=False),
    Binding("x", "cancel", "Cancel the operation", show=False),
    Binding("right_square_bracket", "tab(1)", "Next tab", show=False, key_display="]"),
    Binding("left_square_bracket", "tab(-1)", "Previous tab", show=False, key_display="["),
    Binding("j", "move(1)", "Next service", show=False),
    Binding("k", "move(-1)", "Previous service", show=False),
    Binding("escape", "all", "All services", show=False, key_display="esc"),
    Binding("q", "leave", "Quit"),
    Binding("ctrl+c", "leave", "Quit", show=False, priority=True, key_display="^c"),
    *[
        Binding(tab.KEY, f"show_tab('{tab.TITLE}')", f"{tab.TITLE} tab", show=False)
        for tab in find_tabs()
    ],
    *[
        Binding(
            key.key,
            f"ask_tab('{tab.TITLE}', '{key.method}', {key.opens})",
            key.description,
            show=False,
            key_display=key.key_display,
            priority=key.first,
        )
        for tab in find_tabs()
        for key in tab.ACTIONS
    ],
)
PALETTE_LEAVES_OUT = frozenset({"ctrl+c", "j", "k"})
"""Keys whose action has another key, or makes no sense under a name."""


def render_key(binding: Binding) -> str:
    """The key as help and palette show it."""
    return binding.key_display or binding.key.replace(",", " ")
