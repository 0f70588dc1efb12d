"""What the border below the log view says."""

from __future__ import annotations

from devenv.state.log_levels import Level
from devenv.state.log_search import SearchMode
from devenv.state.text import sanitize
from devenv.tui.log_take import chosen_places
from devenv.tui.log_view import LogView


def render_caption(view: LogView) -> str:
    """Counts, the search, the filters, and whether the view follows."""
    criteria, logs = view.criteria, view.logs
    count = view.rows.line_count
    parts = [f"{count:,} line{'' if count == 1 else 's'}"]
    if logs.dropped:
        parts.append(f"{logs.dropped:,} dropped")
    if view.unseen_now:
        parts.append(f"{view.unseen_now:,} too fast to show")
    if logs.history_busy:
        parts.append("reading older lines")
    if criteria.query:
        parts.append(_search_words(view))
    if criteria.level is not Level.NONE:
        parts.append(f"{criteria.level.name.lower()} and above")
    if view.selected_from is not None:
        parts.append(f"{len(chosen_places(view)):,} selected")
    parts.append("following" if view.following else "f follows")
    return " · ".join(parts)


def _search_words(view: LogView) -> str:
    query, rows = view.criteria.query, view.rows
    words = f"/{sanitize(query.text)}"
    if query.mode is not SearchMode.IGNORE_CASE:
        words += f" ({query.mode.value})"
    if query.pattern is None:
        return f"{words} is no pattern"
    number = rows.hit_number(view.cursor) if view.cursor is not None else 0
    found = f"{number:,} of {rows.hit_count:,}" if number else f"{rows.hit_count:,} found"
    context = f" ±{view.criteria.context}" if view.criteria.context else ""
    return f"{words} {found}{' only' + context if view.criteria.only_matches else ''}"
