"""The line that a search of the logs is typed into."""

from __future__ import annotations

from typing import Self

from textual.geometry import Region
from textual.widgets import Input


class SearchLine(Input):
    """An input as wide as its pane: a letter more is no new layout of the screen.

    Textual's sets its inner width with each letter, and with that places every widget anew.
    """

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """As Textual's; what is typed does not move anything else."""
        layout = layout and not (self.display and self.has_focus)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
