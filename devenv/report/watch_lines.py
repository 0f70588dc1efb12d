"""The watch's events as lines of text, one for each action: `devenv watch`, `up --plain`."""

from __future__ import annotations

import time

from devenv.compose.watch.values import WatchAction
from devenv.state.model import Problem
from devenv.state.text import sanitize
from devenv.state.watch import Activity, Hold, Outcome, Part, WatchStatus
from devenv.state.watch_events import (
    ActivityBegan,
    ActivityEnded,
    WatchEvent,
    WatchHeld,
    WatchNoted,
    WatchTurned,
)
from devenv.state.watch_words import (
    render_others,
    render_parts,
    render_paths,
    render_reason,
    render_took,
    render_word,
)

_STOPS = frozenset({Part.STOP, Part.START})
_TOLD_PARTS = frozenset(Part) - {Part.NOTICE, Part.COPY}


def render_event(event: WatchEvent, width: int) -> str:
    """One line, with a failure's last lines below it; empty for what is no action.

    `width` is that of the column of service names.
    """
    said = _say(event)
    if said is None:
        return ""
    service, words, below = said
    clock = time.strftime("%H:%M:%S", time.localtime(event.at))
    head = f"{clock} {service or 'model':<{width}} {words}"
    return sanitize("\n".join((head, *(f"  {line}" for line in below))))


def _say(event: WatchEvent) -> tuple[str | None, str, tuple[str, ...]] | None:
    match event:
        case ActivityBegan(_, activity) if activity.is_build:
            why = activity.text or render_reason(activity)
            paths = render_paths(activity)
            return (
                activity.service,
                f"rebuilding: {paths}: {why}" if paths else f"rebuilding: {why}",
                (),
            )
        case ActivityEnded(_, activity):
            return activity.service, *_say_end(activity)
        case WatchNoted(_, note):
            where = f"{note.where}: " if note.where else ""
            fix = (f"fix: {note.fix}",) if note.fix else ()
            return note.service, f"note: {where}{note.message}", fix
        case WatchHeld(_, Hold.PAUSE, _, files):
            return None, f"paused: {files} changed files are held", ()
        case WatchTurned(_, WatchStatus.OFF | WatchStatus.TAKEN | WatchStatus.FAILED, text):
            return None, f"off: {text}", ()
    return None


def _say_end(activity: Activity) -> tuple[str, tuple[str, ...]]:
    if activity.outcome is Outcome.FAILED:
        problem = activity.problem or Problem("it failed")
        where = f"{problem.where}: " if problem.where else ""
        fix = (f"fix: {problem.fix}",) if problem.fix else ()
        return f"failed: {where}{problem.message}", (*problem.excerpt, *fix)
    took = f" in {render_took(activity.seconds)}" if activity.seconds is not None else ""
    parts = [activity.text]
    if activity.outcome is Outcome.CANCELLED:
        parts.insert(0, render_paths(activity) if not activity.is_build else "")
    elif activity.is_build:
        parts.insert(0, render_parts(activity, _TOLD_PARTS))
    elif activity.action is not WatchAction.RELOAD:
        parts = [render_paths(activity), render_parts(activity, _STOPS), activity.text]
    text = ", ".join(part for part in parts if part)
    if activity.action is WatchAction.RELOAD:
        text = ": ".join(part for part in (render_paths(activity), activity.text) if part)
    return f"{render_word(activity)}{took}{render_others(activity)}: {text}", ()
