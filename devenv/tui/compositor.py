"""Draws what has changed on the screen without what lies behind it.

Textual's compositor asks every widget that touches the changed place for all of its lines, the
seven containers behind a log view among them, and throws them away: what is in front wins. With
lines that come thirty times a second that is most of the work, and the next key waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual._compositor import Compositor
from textual.geometry import Region
from textual.strip import Strip


class FrontCompositor(Compositor):
    """Asks for the rows that have changed only, and for none that one widget in front covers.

    Every widget fills its region, so that what is covered cannot be seen.
    """

    def _get_renders(
        self, crop: Region | None = None
    ) -> Iterable[tuple[Region, Region, list[Strip]]]:
        area = crop or self.size.region
        fronts: list[Region] = []
        for widget, (region, clip) in self.visible_widgets.items():
            shown = region.intersection(clip)
            rows = shown.intersection(Region(shown.x, area.y, shown.width, area.height))
            if not rows or not rows.overlaps(area):
                continue
            if any(front.contains_region(rows) for front in fronts):
                continue
            fronts.append(rows)
            yield rows, clip, widget.render_lines(rows.translate(-region.offset))
