"""Titles in borders that change many times a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.text import Text
from textual.geometry import Region

if TYPE_CHECKING:
    from textual.widget import Widget
else:  # a base that is a widget would take away the styles of the other one
    Widget = object


class Titled(Widget):
    """A widget with a border; a new title is drawn without what is inside.

    Textual draws the whole widget anew for it.
    """

    _titles = ("", "")
    _title_row: int | None = None
    """The only row that changes, while a title is set."""

    def set_titles(self, title: str, subtitle: str) -> None:
        """What the border says above and below, without markup."""
        try:
            if title != self._titles[0]:
                self._title_row = 0
                self.border_title = Text(title)
            if subtitle != self._titles[1]:
                self._title_row = self.outer_size.height - 1
                self.border_subtitle = Text(subtitle)
        finally:
            self._title_row = None
        self._titles = (title, subtitle)

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        if self._title_row is not None and self.size:
            row = Region(0, self._title_row, self.outer_size.width, 1)
            regions = (row.translate(-self.content_offset),)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
