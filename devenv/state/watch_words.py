"""What is said of the watch, in words that the terminal UI and the plain output share. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from devenv.compose.watch.values import WatchAction
from devenv.state.watch import Activity, Outcome, Part

SHOWN_PATHS = 3
_DONE = {
    WatchAction.LIVE: "live",
    WatchAction.SYNC: "synced",
    WatchAction.SYNC_EXEC: "synced",
    WatchAction.SYNC_RESTART: "synced, restarted",
    WatchAction.RESTART: "restarted",
    WatchAction.REBUILD: "rebuilt",
    WatchAction.RELOAD: "reloaded",
    WatchAction.IGNORE: "ignored",
}
_COUNTED = (WatchAction.SYNC, WatchAction.SYNC_EXEC, WatchAction.SYNC_RESTART)
_DOING = {
    WatchAction.LIVE: "live",
    WatchAction.SYNC: "syncing",
    WatchAction.SYNC_EXEC: "syncing",
    WatchAction.SYNC_RESTART: "syncing",
    WatchAction.RESTART: "restarting",
    WatchAction.REBUILD: "rebuilding",
    WatchAction.RELOAD: "reloading",
    WatchAction.IGNORE: "ignored",
}


def render_took(seconds: float) -> str:
    """`120 ms`, `2.1 s`, `2 min 5 s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def render_word(activity: Activity) -> str:
    """`rebuilding`, `rebuilt`, `failed`, …"""
    match activity.outcome:
        case Outcome.DONE:
            return _DONE[activity.action]
        case Outcome.UNDER_WAY:
            return _DOING[activity.action]
        case outcome:
            return outcome.value


def render_paths(activity: Activity) -> str:
    """The first paths of what changed, and how many more there are."""
    paths = list(dict.fromkeys(cause.path for cause in activity.causes))
    shown = ", ".join(paths[:SHOWN_PATHS])
    more = activity.count - min(len(paths), SHOWN_PATHS)
    return f"{shown} and {more} more" if more > 0 and shown else shown


def render_done(activity: Activity) -> str:
    """`synced 3 files in 120 ms`, `rebuilt in 2.1 s`, `src/app.py is live`."""
    took = f" in {render_took(activity.seconds)}" if activity.seconds is not None else ""
    if activity.action is WatchAction.LIVE:
        return f"{render_paths(activity)} {'is' if activity.count == 1 else 'are'} live"
    files = ""
    if activity.action in _COUNTED and activity.count:
        files = f" {activity.count} file{'' if activity.count == 1 else 's'}"
    word, comma, rest = render_word(activity).partition(",")
    return f"{word}{files}{comma}{rest}{took}"


def render_step(activity: Activity) -> str:
    """The build's step that runs, such as `step 4/7 RUN npm ci`."""
    step = activity.step
    if step is None:
        return "" if activity.steps else "preparing"
    return f"step {step.text}" if step.text[:1].isdigit() else step.text


def render_others(activity: Activity) -> str:
    """The services that share what was done, after the first: `, worker too`."""
    others = activity.services[1:]
    return f", {', '.join(others)} too" if others else ""


def render_parts(activity: Activity, parts: Iterable[Part] = Part) -> str:
    """Where the time went: `build steps 2.0 s, stop 0.2 s, create 0.4 s`."""
    wanted = frozenset(parts)
    known = [(p, activity.parts[p]) for p in Part if p in wanted and p in activity.parts]
    return ", ".join(f"{part.value} {render_took(seconds)}" for part, seconds in known)


def render_reason(activity: Activity) -> str:
    """Why it is done: the reason of the change that asks for the most."""
    strongest = next((c for c in activity.causes if c.action is activity.action), None)
    if strongest is None:
        strongest = next(iter(activity.causes), None)
    return strongest.reason if strongest is not None else "asked for"
