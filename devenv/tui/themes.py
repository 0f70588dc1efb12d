"""Themes beside Textual's own; the palette's "Theme" and TEXTUAL_THEME choose one."""

from __future__ import annotations

from textual.theme import Theme

HIGH_CONTRAST = Theme(
    name="high-contrast",
    primary="#ffffff",
    secondary="#00ffff",
    accent="#ffff00",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    success="#00ff00",
    warning="#ffff00",
    error="#ff6060",
    dark=True,
    variables={
        "block-cursor-foreground": "#000000",
        "block-cursor-background": "#ffff00",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-foreground": "#000000",
        "block-cursor-blurred-background": "#ffffff",
        "footer-key-foreground": "#ffff00",
        "border": "#ffffff",
        "text-muted": "#ffffff",
        "text-disabled": "#e0e0e0",
    },
)
"""Black, white and full colours: each pair of text and ground has a contrast of 7 or more."""
