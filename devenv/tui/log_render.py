"""One log line as text for the view: time, service, message. Pure but for the colours' names."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum

from rich.cells import set_cell_size
from rich.text import Text

from devenv.state.log_levels import Level, find_level
from devenv.state.log_search import Query
from devenv.state.text import sanitize
from devenv.tui.log_rows import Criteria
from devenv.tui.text import render_duration

BYTES_PER_CELL = 16
"""How much of a line is looked at for each column: text and its colour sequences."""
_JSON_BYTES = 64 * 1024
"""A longer JSON line is shown as it is."""
LEVEL_STYLES = {
    Level.FATAL: "bold red",
    Level.ERROR: "red",
    Level.WARN: "yellow",
    Level.INFO: "green",
    Level.DEBUG: "dim",
    Level.TRACE: "dim",
}
_MESSAGE_KEYS = ("msg", "message", "event", "log", "short_message")
_LEVEL_KEYS = ("level", "severity", "lvl", "levelname", "log.level", "loglevel")
_TIME_KEYS = frozenset({"time", "timestamp", "ts", "@timestamp", "asctime"})


class TimeMode(StrEnum):
    """What stands before each line; the value is what the UI calls it."""

    CLOCK = "clock times"
    AGE = "ages"
    SINCE_START = "times since the start"
    OFF = "no times"


TIME_WIDTHS = {TimeMode.CLOCK: 12, TimeMode.AGE: 4, TimeMode.SINCE_START: 10, TimeMode.OFF: 0}


def render_time(time_ns: int, mode: TimeMode, now: float, start_ns: int) -> str:
    """A line's time, as wide as its mode says."""
    if mode is TimeMode.CLOCK:
        moment = datetime.fromtimestamp(time_ns // 1_000_000_000)
        return f"{moment:%H:%M:%S}.{time_ns // 1_000_000 % 1000:03d}"
    if mode is TimeMode.AGE:
        return f"{render_duration(now - time_ns / 1e9):>4}"
    if mode is TimeMode.SINCE_START:
        seconds = (time_ns - start_ns) / 1e9
        if abs(seconds) < 1000:
            return f"{seconds:>+9.3f}s"
        return f"{'-' if seconds < 0 else '+'}{render_duration(abs(seconds))}".rjust(10)
    return ""


def render_label(label: str, width: int) -> str:
    """A service's name in just so many columns."""
    return set_cell_size(sanitize(label).replace("\n", " "), width)


def render_message(raw: bytes, cells: int, query: Query, *, colours: bool, folded: int = 0) -> Text:
    """A line's text: colours kept where wanted, JSON by its fields, what is searched for marked."""
    whole = raw
    raw = raw[: cells * BYTES_PER_CELL]
    fields = None if query else _render_json(whole)
    if fields is not None:
        text = fields
    else:
        shown = sanitize(raw.decode(errors="replace"), keep_colours=colours)
        shown = shown.expandtabs(4)
        if "\x1b" in shown:
            text = Text.from_ansi(shown, end="", no_wrap=True)
        else:
            text = Text(shown, end="", no_wrap=True)
    if folded:
        text = Text(f"▸ {folded + 1} frames  ", style="dim", end="").append_text(text)
    for start, end in query.spans(text.plain):
        text.stylize("reverse", start, end)
    return text


def parse_json(raw: bytes) -> dict[str, object] | None:
    """The object that a line holds, alone; None where it holds none."""
    if raw[:1] != b"{" or len(raw) > _JSON_BYTES or raw.rstrip()[-1:] != b"}":
        return None
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _render_json(raw: bytes) -> Text | None:
    """Level, message, then the other fields as key=value."""
    value = parse_json(raw)
    if not value:
        return None
    text = Text(end="", no_wrap=True)
    level_key = next((key for key in _LEVEL_KEYS if key in value), None)
    level = find_level(raw)
    if level_key is not None:
        word = level.name if level else str(value[level_key])
        text.append(f"{_clean(word):<5} ", LEVEL_STYLES.get(level, ""))
    message_key = next((key for key in _MESSAGE_KEYS if isinstance(value.get(key), str)), None)
    if message_key is not None:
        text.append(_clean(str(value[message_key])))
    for key, item in value.items():
        if key in (level_key, message_key) or key in _TIME_KEYS:
            continue
        shown = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
        text.append(f" {_clean(key)}=", "dim").append(_clean(shown))
    return text


def _clean(text: str) -> str:
    return sanitize(text).replace("\n", "⏎").replace("\t", " ")


def render_details(raw: bytes) -> str:
    """A line in full: JSON indented, anything else as it is."""
    value = parse_json(raw)
    if value is None:
        return sanitize(raw.decode(errors="replace"))
    return sanitize(json.dumps(value, indent=2, ensure_ascii=False))


def render_empty(wanted: Criteria) -> str:
    """What the view says where no line is shown."""
    if wanted.query and wanted.only_matches:
        return "No line fits the search. Escape clears it."
    if wanted.level is not Level.NONE:
        return f"No line of level {wanted.level.name.lower()} or above. L shows all."
    if wanted.services is not None:
        return "This service's log lines appear here. u starts it, Escape shows all."
    return "Log lines of all services appear here. u starts them."
