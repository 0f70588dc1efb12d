"""The watch as rich Text: how it stands, each service, each activity as a row and in full. Pure."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.text import Text

from devenv.compose.names import ServiceName
from devenv.compose.watch.values import WatchAction
from devenv.state.model import State
from devenv.state.start_seen import BuildStepRun
from devenv.state.text import sanitize
from devenv.state.watch import WHOLE, Activity, Hold, Outcome, Watch, WatchStatus
from devenv.state.watch_services import Phase, WatchedService, resolve_watched
from devenv.state.watch_words import (
    render_parts,
    render_paths,
    render_reason,
    render_step,
    render_took,
    render_word,
)
from devenv.tui.text import render_duration, render_problem

CLOCK_COLUMNS = 56
"""Narrower lists show no clock."""
_NAMES = 24
SHOWN_OUTPUT = 500
"""How many of a build's last lines its details show."""
_GLYPHS = {
    Outcome.UNDER_WAY: ("◑", "yellow"),
    Outcome.DONE: ("✓", "green"),
    Outcome.FAILED: ("✗", "bold red"),
    Outcome.CANCELLED: ("–", "dim"),
}
_PHASES = {
    Phase.WATCHING: ("●", "green"),
    Phase.HOLDING: ("◔", "yellow"),
    Phase.PAUSED: ("‖", "yellow"),
    Phase.SYNCING: ("◑", "yellow"),
    Phase.BUILDING: ("◑", "yellow"),
    Phase.RECREATING: ("◐", "yellow"),
    Phase.RESTARTING: ("↻", "yellow"),
    Phase.DONE: ("✓", "green"),
    Phase.FAILED: ("✗", "bold red"),
    Phase.OFF: ("○", "dim"),
}


def render_status(state: State) -> Text:
    """How the watch as a whole stands, in a sentence."""
    watch = state.watch
    if watch is None or watch.status is WatchStatus.WAITING:
        how = "." if state.busy else ": u starts all."
        return Text(f"◔ The watch begins once a start has ended well{how}", "yellow")
    files = f"{watch.files:,} file{'' if watch.files == 1 else 's'}"
    match watch.status:
        case WatchStatus.ON if watch.hold is Hold.GIT:
            held = _changes(watch.held_files)
            return Text(f"◔ holding for git: {held} so far, one plan when it is done", "yellow")
        case WatchStatus.ON:
            hint = "" if watch.activities else "; what a saved file does appears here"
            return Text(f"● watching {files}{hint}", "green")
        case WatchStatus.PAUSED:
            held = f"{_changes(watch.held_files)} held" if watch.held_files else "nothing held yet"
            return Text(f"‖ paused: {held}; p goes on", "yellow")
        case WatchStatus.TAKEN:
            return Text(f"○ not watching here: {sanitize(watch.text)}", "yellow")
        case WatchStatus.OFF:
            return Text(f"○ off: {sanitize(watch.text)}", "dim")
        case _:
            return Text(f"✗ the watch failed: {sanitize(watch.text)}", "bold red")


def _changes(count: int) -> str:
    return f"{count:,} changed file{'' if count == 1 else 's'}"


def render_services(watch: Watch, chosen: ServiceName | None, now: float) -> Text:
    """One line for each service, or for the chosen one; then what there is to know."""
    rows = [one for one in resolve_watched(watch, now) if chosen in (None, one.name)]
    width = max((len(row.name) for row in rows), default=0)
    text = Text(no_wrap=True, overflow="ellipsis")
    for row in rows:
        text.append("\n" if text else "").append_text(_service_row(row, width, now))
    if chosen is not None and not rows and watch.services:
        text.append(f"No file of this machine goes into {sanitize(chosen)}.", "dim")
    return text


def _service_row(row: WatchedService, width: int, now: float) -> Text:
    glyph, style = _PHASES[row.phase]
    text = Text().append(f"{sanitize(row.name):<{width}} ", "bold")
    text.append(f"{glyph} ", style)
    text.append("" if row.phase is Phase.DONE else row.phase.value, style)
    said = sanitize(row.text).replace("\n", " ")
    text.append(f"{': ' if said and row.phase is not Phase.DONE else ''}{said}")
    if row.phase is Phase.DONE and row.activity is not None:
        text.append(f", {render_duration(_age(row.activity, now))} ago", "dim")
    if row.failed is not None:
        text.append(" · ✗ its build failed", "red")
    if row.is_stale:
        text.append(" · image is stale", "yellow")
    return text


def _age(activity: Activity, now: float) -> float:
    return now - _ended_at(activity)


def render_notes(watch: Watch, chosen: ServiceName | None) -> Text:
    """What there is to know of the services, with what helps."""
    text = Text()
    for note in watch.notes:
        if chosen not in (None, note.service) and note.service is not None:
            continue
        text.append("\n⚠ " if text else "⚠ ", "yellow")
        if note.service is not None:
            text.append(f"{sanitize(note.service)}: ", "bold")
        where = f" ({note.where})" if note.where else ""
        text.append(f"{sanitize(note.message)}{sanitize(where)}")
        if note.fix:
            text.append(" fix: ", "green").append(sanitize(note.fix))
    return text


def render_rows(activities: Sequence[Activity], now: float, width: int) -> list[Text]:
    """Each activity as one line: when, which service, what became of it, how long, which files.

    Columns are as wide as their widest cell; below `CLOCK_COLUMNS` the clock is left out.
    """
    cells = [_cells(one, now) for one in activities]
    names = min(_NAMES, max((len(name) for name, _, _ in cells), default=0))
    words = max((len(word) for _, word, _ in cells), default=0)
    times = max((len(took) for _, _, took in cells), default=0)
    rows = []
    for activity, (name, word, took) in zip(activities, cells, strict=True):
        glyph, style = _GLYPHS[activity.outcome]
        text = Text(no_wrap=True, overflow="ellipsis").append(f"{glyph} ", style)
        if width >= CLOCK_COLUMNS:
            clock = time.strftime("%H:%M:%S", time.localtime(activity.began_at))
            text.append(f"{clock} ", "dim")
        short = name if len(name) <= names else f"{name[: names - 1]}…"
        text.append(f"{short:<{names}} ", "bold")
        text.append(f"{word:<{words}} ", "" if style == "dim" else style)
        text.append(f"{took:>{times}}  {_what(activity)}")
        rows.append(text)
    return rows


def _cells(activity: Activity, now: float) -> tuple[str, str, str]:
    """Services, word and time."""
    seconds = activity.seconds
    if activity.outcome is Outcome.UNDER_WAY:
        seconds = max(0.0, now - activity.began_at)
    took = render_took(seconds) if seconds is not None else ""
    return sanitize(", ".join(activity.services) or "model"), render_word(activity), took


def _what(activity: Activity) -> str:
    """The files, or how it failed."""
    what = render_paths(activity) or "asked for"
    if activity.outcome is Outcome.FAILED and activity.problem is not None:
        place = f"{activity.problem.where}: " if activity.problem.where else ""
        what = f"{place}{activity.problem.message}"
    return sanitize(what).replace("\n", " ")


def render_summary(activity: Activity) -> Text:
    """Why it was done, where its time went, and how it failed: what fits below the list."""
    text = Text()
    if activity.problem is not None:
        text.append_text(render_problem(activity.problem)).append("\n")
    if (step := render_step(activity)) and activity.outcome is Outcome.UNDER_WAY:
        text.append(f"{sanitize(step)}\n", "yellow")
    text.append(sanitize(render_reason(activity)))
    where = next((one.where for one in activity.causes if one.where), None)
    if where:
        text.append(f"  ({sanitize(where)})", "dim")
    if parts := render_parts(activity):
        text.append(f"\n{parts}", "dim")
    more = "Enter shows why, and the build's output" if activity.is_build else "Enter shows why"
    return text.append(f"\n{more}", "dim")


def render_details(activity: Activity, output: Sequence[str], dropped: int, *, now: float) -> Text:
    """All that is known of an activity: the changes with the lines that decided, time, output."""
    text = Text()
    text.append(sanitize(", ".join(activity.services) or "model"), "bold")
    glyph, style = _GLYPHS[activity.outcome]
    seconds = activity.seconds
    if activity.outcome is Outcome.UNDER_WAY:
        seconds = max(0.0, now - activity.began_at)
    took = f" {render_took(seconds)}" if seconds is not None else ""
    text.append(f"  {glyph} {render_word(activity)}{took}\n", style)
    if activity.text:
        text.append(f"{sanitize(activity.text)}\n")
    if activity.problem is not None:
        text.append_text(render_problem(activity.problem)).append("\n")
    text.append("\nWhy\n", "bold underline")
    _append_causes(text, activity)
    if parts := render_parts(activity):
        text.append("\nWhere the time went\n", "bold underline").append(f"{parts}\n")
    steps = [step for step in activity.steps if step.key != WHOLE]
    if steps:
        text.append("\nSteps\n", "bold underline")
        for step in steps:
            _append_step(text, step, now, activity.outcome is Outcome.CANCELLED)
    if output:
        text.append("\nOutput\n", "bold underline")
        hidden = dropped + max(0, len(output) - SHOWN_OUTPUT)
        if hidden:
            text.append(f"… {hidden:,} lines before\n", "dim")
        for line in output[-SHOWN_OUTPUT:]:
            text.append(f"{sanitize(line)}\n")
    return text


def _append_causes(text: Text, activity: Activity) -> None:
    if not activity.causes:
        text.append("asked for\n")
    for cause in activity.causes:
        text.append(sanitize(cause.path), "bold")
        if cause.action is not activity.action or activity.action is WatchAction.LIVE:
            text.append(f"  {cause.action.value}")
        if cause.target:
            text.append(f"  →  {sanitize(cause.target)}")
        text.append(f"\n  {sanitize(cause.reason)}\n")
        if cause.where:
            text.append(f"  {sanitize(cause.where)}", "dim")
            text.append(f"  {sanitize(cause.line or '')}\n", "cyan")
    more = activity.count - len({cause.path for cause in activity.causes})
    if more > 0:
        text.append(f"and {more:,} more\n", "dim")


def _append_step(text: Text, step: BuildStepRun, now: float, cancelled: bool) -> None:
    end = step.ended_at if step.ended_at is not None else now
    words = "cached" if step.cached else render_took(max(0.0, end - step.started_at))
    style = "bold red" if step.failed else "dim" if step.cached else ""
    if cancelled and (step.failed or step.ended_at is None):
        words, style = f"ended {words}", "yellow"
    elif step.failed:
        words = f"failed {words}"
    elif step.ended_at is None:
        words, style = f"… {words}", "yellow"
    text.append(f"{words:>12}  {sanitize(step.text)}\n", style)


def render_watch_line(state: State, now: float, width: int) -> Text | None:
    """What the watch does or did last, for the status line; None where there is nothing to say."""
    watch = state.watch
    if watch is None or not watch.is_on:
        return None
    operation = state.operation
    last_at = max((one.began_at for one in watch.activities), default=0.0)
    if state.model_changed or (operation is not None and last_at < operation.started_at):
        return _render_hold(watch)
    running = [one for one in watch.activities if one.outcome is Outcome.UNDER_WAY]
    if running:
        words = [
            f"{', '.join(one.services) or 'model'}: {render_word(one)}"
            + (f", {step}" if (step := render_step(one)) and one.doing == "build" else "")
            for one in running
        ]
        text = Text(" ◑ ", "yellow", no_wrap=True)
        text.append(sanitize("; ".join(words)).replace("\n", " "), "not bold")
        text.truncate(max(10, width - 22), overflow="ellipsis")
        text.append(f" · {render_took(max(0.0, now - running[0].began_at))}", "dim")
        if any(one.is_build for one in running):
            text.append(" · x cancels", "dim")
        return text
    if (hold := _render_hold(watch)) is not None or not watch.activities:
        return hold
    return _render_last(max(watch.activities, key=_ended_at))


def _ended_at(activity: Activity) -> float:
    return activity.began_at + (activity.seconds or 0)


def _render_hold(watch: Watch) -> Text | None:
    if watch.status is WatchStatus.PAUSED:
        return Text(f" ‖ the watch is paused: {_changes(watch.held_files)} held", "yellow")
    if watch.hold is Hold.GIT:
        return Text(f" ◔ holding for git: {_changes(watch.held_files)}", "yellow")
    return None


def _render_last(activity: Activity) -> Text:
    from devenv.state.watch_words import render_done

    names = sanitize(", ".join(activity.services) or "model")
    if activity.outcome is Outcome.FAILED and activity.problem is not None:
        where = f"{activity.problem.where}: " if activity.problem.where else ""
        words = sanitize(f"{where}{activity.problem.message}").replace("\n", " ")
        return Text(f" ✗ {names}: {words}", "bold red", no_wrap=True, overflow="ellipsis")
    if activity.outcome is Outcome.CANCELLED:
        return Text(f" – {names}: cancelled, {sanitize(activity.text)}", "yellow", no_wrap=True)
    colon = ":" if activity.action is WatchAction.LIVE else ""
    return Text(f" ✓ {names}{colon} {sanitize(render_done(activity))}", "green", no_wrap=True)
