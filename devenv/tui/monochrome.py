"""ANSI colours for NO_COLOR: Textual turns a colour into its brightness, and red into near black.

So every colour is made the text's own first; the state is then carried by glyph, word and weight.
"""

from __future__ import annotations

from rich.terminal_theme import TerminalTheme

_LIGHT, _DARK = (224, 224, 224), (32, 32, 32)

ON_DARK = TerminalTheme(_DARK, _LIGHT, [_LIGHT] * 8, [_LIGHT] * 8)
ON_LIGHT = TerminalTheme(_LIGHT, _DARK, [_DARK] * 8, [_DARK] * 8)
