"""What is done with lines of the log view: marks, the selection, lines as text to take away."""

from __future__ import annotations

from collections.abc import Iterator

from devenv.tui.log_render import TimeMode, render_time
from devenv.tui.log_rows import Place
from devenv.tui.log_view import LogView


def toggle_mark(view: LogView) -> None:
    """Mark the line that keys act on, or clear its mark."""
    place = view.acted_on
    if place is None:
        return
    if place in view.marks:
        view.marks.remove(place)
    else:
        view.marks.append(place)
    view.redraw()


def go_to_next_mark(view: LogView) -> bool:
    """Go to the mark below, else to the topmost; False where there is none."""
    if not view.marks:
        return False
    here = view.rows.row_of(view.cursor) if view.cursor is not None else -1
    rows = sorted((view.rows.row_of(place), n) for n, place in enumerate(view.marks))
    number = next((n for row, n in rows if row > here), rows[0][1])
    view.go_to(view.marks[number])
    return True


def chosen_places(view: LogView) -> list[Place]:
    """The selected lines, else the one that keys act on."""
    last = view.acted_on
    if last is None:
        return []
    if view.selected_from is None:
        return [last]
    ends = sorted((view.rows.row_of(view.selected_from), view.rows.row_of(last)))
    return view.rows.places(*ends)


def shown_texts(view: LogView) -> Iterator[str]:
    """All lines shown, as plain text with time and service."""
    for row in range(view.rows.height):
        here = view.rows.at(row)
        if here is not None and here[1] == 0:
            yield text_of(view, here[0])


def text_of(view: LogView, place: Place) -> str:
    """A line as it is copied or saved: time, service, plain text."""
    block, index = place.block, place.index
    stamp = render_time(block.times[index], TimeMode.CLOCK, 0, 0)
    label = view.logs.origins[block.origins[index]].label
    return f"{stamp} {label} | {block.plain(index).decode(errors='replace')}\n"
