"""One question on a screen of its own, between two runs of the terminal UI."""

from __future__ import annotations

import contextlib
import sys
import termios
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import ClassVar

from textual.app import App

from devenv.tui import monochrome
from devenv.tui.screens import Question
from devenv.tui.themes import HIGH_CONTRAST


class QuestionApp(App[str]):
    """Shows a question; its result is the answer's name, None for Escape."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [
        Path(__file__).with_name(name) for name in ("frame.tcss", "app.tcss")
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, question: str, answers: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        if self.no_color:
            self.ansi_theme_dark, self.ansi_theme_light = monochrome.ON_DARK, monochrome.ON_LIGHT
        self.register_theme(HIGH_CONTRAST)
        self._asked = question, answers

    def on_mount(self) -> None:
        self.push_screen(Question(*self._asked), self._answered)

    def _answered(self, answer: str | None) -> None:
        self.exit(answer)


async def ask_on_screen(question: str, yes: str, no: str) -> bool:
    """Whether the answer was yes; no has the focus.

    Keys that were typed before the question stood there are no answer to it.
    """
    with contextlib.suppress(OSError, termios.error):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
    return await QuestionApp(question, (("no", no), ("yes", yes))).run_async() == "yes"
