"""Draws what has changed on the screen without what lies behind it.

Textual's compositor asks every widget that touches the changed place for all of its lines, the
seven containers behind a log view among them, and throws them away: what is in front wins. With
lines that come thirty times a second that is most of the work, and the next key waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip


class FrontCompositor(Compositor):
    """Asks for the rows that have changed only, and for none that what is in front covers.

    Every widget fills its region, so that what is covered cannot be seen.
    """

    _changed: tuple[Region, ...] = ()
    """What is to be drawn, while that is done; empty: all."""

    def render_partial_update(self) -> ChopsUpdate | None:
        self._changed = tuple(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._changed = ()

    def _render_chops(
        self, crop: Region, is_rendered_line: Callable[[int], bool]
    ) -> Sequence[Mapping[int, Strip]]:
        # Between a title above and a count below nothing need be asked for.
        runs: list[tuple[int, int]] = []
        for y in filter(is_rendered_line, crop.line_range):
            first = runs.pop()[0] if runs and runs[-1][1] == y else y
            runs.append((first, y + 1))
        drawn: Sequence[Mapping[int, Strip]] = ()
        for first, after in runs:
            part = Region(crop.x, first, crop.width, after - first)
            chops = super()._render_chops(part, is_rendered_line)
            drawn = [*drawn[:first], *chops[first:]] if drawn else chops
        return drawn or super()._render_chops(crop, is_rendered_line)

    def _get_renders(
        self, crop: Region | None = None
    ) -> Iterable[tuple[Region, Region, list[Strip]]]:
        area = crop or self.size.region
        fronts: list[Region] = []
        for widget, (region, clip) in self.visible_widgets.items():
            shown = region.intersection(clip)
            wanted = shown.intersection(area)
            if not wanted or any(front.contains_region(wanted) for front in fronts):
                continue
            if self._changed and not any(map(wanted.overlaps, self._changed)):
                continue
            _join(fronts, wanted)
            rows = Region(shown.x, wanted.y, shown.width, wanted.height)
            yield rows, clip, widget.render_lines(rows.translate(-region.offset))


def _join(fronts: list[Region], region: Region) -> None:
    """Add a region; one beside it of the same height, such as its scroll bar, makes one with it."""
    for index, front in enumerate(fronts):
        is_beside = front.right == region.x or region.right == front.x
        if is_beside and (front.y, front.height) == (region.y, region.height):
            fronts[index] = front.union(region)
            return
    fronts.append(region)
