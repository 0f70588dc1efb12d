"""`env diff` and `env explain` as text and as JSON; values are masked unless they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from devenv.checks.env_inventory import OWN_PREFIXES, Origin, Reader, Setting, Variable
from devenv.checks.env_needs import EnvDiff, FileDiff, KeyReport, KeyState
from devenv.checks.finding import Place
from devenv.compose.secrets import MASK
from devenv.state.text import sanitize

Paint = Callable[[str, str], str]
Show = Callable[[str], str]
"""An absolute path to the one that is shown."""

_COLOURS = {
    KeyState.EMPTY: "yellow",
    KeyState.MISSING: "yellow",
    KeyState.DUPLICATE: "yellow",
    KeyState.SAME_AS_EXAMPLE: "yellow",
    KeyState.UNDOCUMENTED: "blue",
    KeyState.EXTRA: "blue",
}
_MOST_READERS = 3
_LONGEST = 200


def show_value(value: str | None, *, reveal: bool) -> str:
    """A value in a text: masked, or quoted so that blanks and line ends can be seen."""
    if value is None:
        return "not set"
    if value == "":
        return "empty"
    if not reveal:
        return MASK
    flat = sanitize(value).replace("\n", "⏎")
    return flat if len(flat) <= _LONGEST else f"{flat[:_LONGEST]}…"


def render_diff(diff: EnvDiff, show: Show, paint: Paint, *, reveal: bool) -> str:
    """The differences of one profile's env files, one line each."""
    blocks = [_render_file(file, show, paint, reveal=reveal) for file in diff.files]
    head = f"profile {sanitize(diff.profile)}\n" if diff.profile else ""
    return head + "\n".join(blocks)


def _render_file(file: FileDiff, show: Show, paint: Paint, *, reveal: bool) -> str:
    title = paint(sanitize(show(file.path)), "bold")
    against = f" against {sanitize(show(file.example))}" if file.example else ""
    by = f" (env_file of {sanitize(', '.join(file.services))})" if file.services else ""
    lines = [f"{title}{against}{by}"]
    if not file.exists:
        severe = file.services and file.required
        word = "Compose refuses to start without it" if severe else "it does not exist"
        if severe and file.example:
            made = f"cp {sanitize(show(file.example))} {sanitize(show(file.path))}"
            word += f"; {made} makes it"
        lines.append(f"  {paint('✗' if severe else '·', 'red' if severe else 'dim')} {word}")
    for fault in file.faults:
        where = f"{sanitize(show(file.path))}:{fault.line}:{fault.column}"
        lines.append(f"  {paint('✗', 'red')} {where}: {sanitize(fault.message)}")
    width = max((len(key.name) for key in file.keys), default=0)
    states = max((len(key.state.value) for key in file.keys), default=0)
    for key in file.keys:
        lines += _render_key(key, show, paint, (min(width, 40), states), reveal=reveal)
    if len(lines) == 1:
        lines.append(f"  {paint('✓', 'green')} nothing differs")
    return "\n".join(lines) + "\n"


def _render_key(
    key: KeyReport, show: Show, paint: Paint, widths: tuple[int, int], *, reveal: bool
) -> Iterable[str]:
    glyph = paint("✗", "red") if key.needed else paint("·", _COLOURS[key.state])
    state = paint(key.state.value.ljust(widths[1]), "red" if key.needed else _COLOURS[key.state])
    if key.lines:
        where = f"lines {', '.join(map(str, key.lines))}"
    elif key.state in (KeyState.MISSING, KeyState.EMPTY) and key.readers:
        where = _places(key.readers, show)
    else:
        where = _place(key.place, show)
    parts = [where, key.note]
    if reveal and key.value is not None:
        parts.append(f"value: {show_value(key.value, reveal=True)}")
    if reveal and key.example_value and key.state is KeyState.MISSING:
        parts.append(f"example: {show_value(key.example_value, reveal=True)}")
    detail = " · ".join(sanitize(part) for part in parts if part)
    yield f"  {glyph} {sanitize(key.name).ljust(widths[0])}  {state}  {detail}".rstrip()


def _places(readers: Sequence[Reader], show: Show) -> str:
    places = list(dict.fromkeys(_place(one.place, show) for one in readers))
    more = f" and {len(places) - _MOST_READERS} more" if len(places) > _MOST_READERS else ""
    return f"read at {', '.join(places[:_MOST_READERS])}{more}"


def _place(place: Place | None, show: Show) -> str:
    if place is None:
        return ""
    return f"{show(place.path)}:{place.line}" if place.line else show(place.path)


def diff_to_json(diff: EnvDiff, show: Show, *, reveal: bool) -> dict[str, Any]:
    """One profile's differences; the keys of this object are a contract, see docs/env-files.md."""
    return {
        "profile": diff.profile,
        "good": diff.is_good,
        "files": [
            {
                "path": show(file.path),
                "exists": file.exists,
                "required": file.required,
                "example": show(file.example) if file.example else None,
                "services": list(file.services),
                "faults": [
                    {"line": one.line, "column": one.column, "message": one.message}
                    for one in file.faults
                ],
                "keys": [_key_to_json(key, show, reveal=reveal) for key in file.keys],
            }
            for file in diff.files
        ],
    }


def _key_to_json(key: KeyReport, show: Show, *, reveal: bool) -> dict[str, Any]:
    return {
        "name": key.name,
        "state": key.state.name.lower().replace("_", "-"),
        "needed": key.needed,
        "value": _json_value(key.value, reveal=reveal),
        "example_value": _json_value(key.example_value, reveal=reveal),
        "place": _json_place(key.place, show),
        "lines": list(key.lines),
        "note": key.note or None,
        "readers": [_reader_to_json(one, show) for one in key.readers],
    }


def render_variable(
    variable: Variable, profile: str | None, show: Show, paint: Paint, *, reveal: bool
) -> str:
    """Who sets a variable, who wins, and who reads it."""
    winner = variable.winner
    value = show_value(variable.value, reveal=reveal)
    whence = f" from {_origin(winner, show, profile)}" if winner else ""
    name = sanitize(variable.name)
    lines = [paint(name, "bold")]
    lines.append(f"  ${{{name}}} in Compose files: {sanitize(value)}{sanitize(whence)}")
    lines += _settings(variable.settings, show, paint, profile, reveal=reveal)
    for container in variable.containers:
        best = container.winner
        value = show_value(best.value if best else None, reveal=reveal)
        whence = f" from {_origin(best, show, profile)}" if best else ""
        lines.append(
            sanitize(f"  in containers of {container.service}: ") + sanitize(value + whence)
        )
        lines += _settings(container.settings, show, paint, profile, reveal=reveal)
    lines.append("  read by:" if variable.readers else "  read by nothing that devenv can see")
    for reader in variable.readers:
        lines.append(f"    {sanitize(_reader(reader, show))}")
    if variable.name.startswith(OWN_PREFIXES):
        lines.append("    Docker, Compose or devenv itself may read a variable of this name")
    return "\n".join(lines) + "\n"


def _settings(
    settings: Sequence[Setting], show: Show, paint: Paint, profile: str | None, *, reveal: bool
) -> Iterable[str]:
    for setting in settings:
        mark = paint("●", "green") if setting.wins else paint("○", "dim")
        value = show_value(setting.value, reveal=reveal)
        how = "  passes it on" if setting.passed_on else ""
        lost = "" if setting.wins or setting.value is None else "  overridden"
        where = sanitize(_origin(setting, show, profile))
        yield f"    {mark} {where}  {sanitize(value)}{how}{paint(lost, 'dim')}"


def _origin(setting: Setting | None, show: Show, profile: str | None) -> str:
    if setting is None:
        return ""
    where = _place(setting.place, show)
    match setting.origin:
        case Origin.SHELL:
            return "the shell"
        case Origin.PROFILE:
            return f"{where} ([env] of profile {profile})"
        case Origin.ENV_FILE:
            return where
        case Origin.INCLUDE:
            return f"{where} (for an included file)"
        case Origin.ENVIRONMENT:
            return f"{where} (environment)"
    return f"{where} (env_file)"


def _reader(reader: Reader, show: Show) -> str:
    place = reader.place
    where = f"{show(place.path)}:{place.line}:{place.column}"
    if reader.operator[-1:] == "?":
        how = ", required"
    elif reader.operator[-1:] in ("-", "+") and reader.operator:
        how = ", with a default" if reader.operator[-1] == "-" else ", for another value"
    else:
        how = ""
    passed = " (passed on by its name)" if reader.kind.name == "PASSED_ON" else ""
    return f"{where}  {reader.what}{passed}{how}"


def variable_to_json(
    variable: Variable, profile: str | None, show: Show, *, reveal: bool
) -> dict[str, Any]:
    """One variable; the keys of this object are a contract, see docs/env-files.md."""

    def settings(found: Iterable[Setting]) -> list[dict[str, Any]]:
        return [
            {
                "origin": one.origin.value,
                "place": _json_place(one.place, show),
                "value": _json_value(one.value, reveal=reveal),
                "wins": one.wins,
                "passed_on": one.passed_on,
            }
            for one in found
        ]

    return {
        "profile": profile,
        "name": variable.name,
        "set": variable.winner is not None,
        "value": _json_value(variable.value, reveal=reveal),
        "settings": settings(variable.settings),
        "containers": [
            {
                "service": one.service,
                "value": _json_value(one.winner.value if one.winner else None, reveal=reveal),
                "settings": settings(one.settings),
            }
            for one in variable.containers
        ],
        "readers": [_reader_to_json(one, show) for one in variable.readers],
    }


def _reader_to_json(reader: Reader, show: Show) -> dict[str, Any]:
    return {
        "kind": reader.kind.value,
        "what": reader.what,
        "service": reader.service,
        "operator": reader.operator or None,
        "place": _json_place(reader.place, show),
    }


def _json_place(place: Place | None, show: Show) -> dict[str, Any] | None:
    if place is None:
        return None
    return {"path": show(place.path), "line": place.line, "column": place.column}


def _json_value(value: str | None, *, reveal: bool) -> str | None:
    """None for not set, "" for empty, else the mask or the value."""
    return value if reveal or not value else MASK
